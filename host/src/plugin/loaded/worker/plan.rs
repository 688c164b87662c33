//! What a process is started for, and its start up to the moment at which the driver is there.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::isolation::Isolation;
use super::link::{Link, NotCreated};
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
    /// What clients are told of a line for the operator: where the drivers lie is no business of theirs.
    pub(super) fn without_folder(&self, line: &str) -> String {
        match (
            self.file.to_str(),
            self.file.file_name().and_then(|name| name.to_str()),
        ) {
            (Some(path), Some(name)) => line.replace(path, name),
            _ => line.to_owned(),
        }
    }

    /// Starts one process, and has the driver created in it.
    pub(super) async fn start(&self) -> Result<(Arc<Link>, BytesMut), String> {
        let driver = &self.driver;
        let isolation = &self.isolation;
        let failed =
            |error: std::io::Error| format!("the process of driver '{driver}' could not be started: {error}");
        let started = Process::start(&isolation.confinement).await.map_err(failed)?;
        let link = Link::new(driver.clone(), started, isolation).map_err(failed)?;
        let order = Order::Create {
            file: self.file.to_string_lossy().into_owned(),
            driver: driver.to_string(),
            threads: isolation.threads,
            max_reply_bytes: isolation.max_reply_bytes,
        };
        link.say(&order, self.config.clone());
        let mut read = BytesMut::new();
        let not_loaded = |why: String| {
            let file = self.file.display();
            Err(format!("driver '{driver}' cannot be loaded from '{file}': {why}"))
        };
        match tokio::time::timeout(isolation.create_timeout, link.created(&mut read)).await {
            Ok(Ok(())) => {}
            Ok(Err(NotCreated::Refused(text))) => return Err(text),
            Ok(Err(NotCreated::Ended(how))) => {
                return not_loaded(format!(
                    "expected it to be created in its process, found that the process {how} before the driver was created; \
                     its lines in the log may say why, else ask the driver's author"
                ));
            }
            Err(_) => {
                let most = isolation.create_timeout.as_millis();
                return not_loaded(format!(
                    "expected it to be created within isolation.create_timeout_ms = {most}, found nothing by then, and its process was \
                     killed; raise isolation.create_timeout_ms, or ask the driver's author"
                ));
            }
        }
        tracing::info!(
            driver = &**driver,
            process = link.process_id(),
            "the driver's process is up"
        );
        Ok((Arc::new(link), read))
    }
}
