//! SIGTERM and SIGINT: the first asks the host to stop, the second ends it at once.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often the process was asked to stop.
#[derive(Clone)]
pub(super) struct Signals(watch::Receiver<u32>);

impl Signals {
    /// Takes over both signals.
    ///
    /// # Errors
    /// The operating system refuses.
    pub(super) fn listen() -> anyhow::Result<Signals> {
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be received")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be received")?;
        let (count, counted) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                let name = tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                tracing::info!("{name} received");
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Signals(counted))
    }

    /// Done when the process was asked to stop this many times.
    pub(super) async fn asked(&self, times: u32) {
        let mut counted = self.0.clone();
        if counted.wait_for(|count| *count >= times).await.is_err() {
            // The task above never ends; were it gone, no signal could be counted any more.
            std::future::pending::<()>().await;
        }
    }
}
