//! What a process is started for, and its start up to the moment at which the driver is there.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::isolation::Isolation;
use super::link::{Link, Reports};
use super::process::Process;
use crate::plugin::loaded::wire::Order;

/// What a process is started for.
pub(super) struct Plan {
    pub(super) driver: Arc<str>,
    pub(super) file: PathBuf,
    pub(super) config: Bytes,
    pub(super) isolation: Isolation,
}

impl Plan {
    /// Starts one process, and has the driver created in it.
    pub(super) async fn start(&self) -> Result<(Arc<Link>, Reports), String> {
        let driver = &self.driver;
        let isolation = &self.isolation;
        let failed =
            |error: std::io::Error| format!("the process of driver '{driver}' could not be started: {error}");
        let started = Process::start(&isolation.confinement).await.map_err(failed)?;
        let (link, mut reports) = Link::new(driver.clone(), started, isolation).map_err(failed)?;
        let order = Order::Create {
            file: self.file.to_string_lossy().into_owned(),
            driver: driver.to_string(),
            threads: isolation.threads,
            max_reply_bytes: isolation.max_reply_bytes,
        };
        link.say(&order, self.config.clone());
        match tokio::time::timeout(isolation.create_timeout, link.created(&mut reports)).await {
            Ok(created) => created?,
            Err(_) => {
                return Err(format!(
                    "the driver '{driver}' was not created within {} ms; its process was killed",
                    isolation.create_timeout.as_millis()
                ));
            }
        }
        tracing::info!(
            driver = &**driver,
            process = link.process_id(),
            "the driver's process is up"
        );
        Ok((Arc::new(link), reports))
    }
}
