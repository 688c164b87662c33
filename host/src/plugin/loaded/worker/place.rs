//! A place for one process: filled again when its process has died, for as long as the driver is trusted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use super::health::{Health, Verdict};
use super::link::Link;
use super::plan::Plan;
use crate::metrics::Counter;
use crate::plugin::loaded::wire::Order;

/// Why nothing can be asked of a driver just now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// One line.
    pub reason: String,
    /// When it may be otherwise, if that is known.
    pub retry_after: Option<Duration>,
}

/// How one place for a process stands.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// A process is being started.
    Starting,
    /// It is there.
    Up(Arc<Link>),
    /// It has died, and is started again at some time.
    Pausing(Instant, Arc<str>),
    /// It has died too often.
    Quarantined(Arc<str>),
}

/// What the places of one driver share.
pub(super) struct Shared {
    pub(super) plan: Plan,
    pub(super) health: Mutex<Health>,
    pub(super) released: Notify,
    /// One of the places stands otherwise than before.
    pub(super) changed: Notify,
    pub(super) over: AtomicBool,
    pub(super) deaths: Counter,
}

impl Shared {
    /// Keeps one place filled until the host ends.
    pub(super) async fn keep(
        self: Arc<Self>,
        place: Arc<watch::Sender<Place>>,
        first: Arc<Link>,
        read: BytesMut,
    ) {
        let mut up: Result<_, String> = Ok((first, read));
        loop {
            let why = match up {
                Ok((link, read)) => {
                    let id = link.process_id();
                    self.put(&place, Place::Up(link.clone()));
                    if self.over() {
                        // Whoever ends the places may have looked before there was one to tell.
                        link.say(&Order::ShutDown, Bytes::new());
                    }
                    let how = link.serve(read).await;
                    if self.over() {
                        link.over().await;
                    }
                    let why = format!("the process of driver '{}' {how}", self.plan.driver);
                    if !self.over() {
                        tracing::error!(driver = &*self.plan.driver, process = id, "{why}");
                    } else if !link.has_shut_down() {
                        tracing::warn!(
                            driver = &*self.plan.driver,
                            process = id,
                            "{why} while it was shut down"
                        );
                    }
                    why
                }
                Err(why) => {
                    tracing::error!(driver = &*self.plan.driver, "{why}");
                    self.plan.without_folder(&why)
                }
            };
            let why: Arc<str> = why.into();
            // Created before anything is decided: a release, or the end, that comes from now on is not missed.
            let released = self.released.notified();
            if self.over() {
                self.put(&place, Place::Pausing(Instant::now(), why));
                return;
            }
            self.deaths.count();
            let verdict = self.health.lock().died(Instant::now());
            match verdict {
                Verdict::Restart(pause) if pause.is_zero() => {}
                Verdict::Restart(pause) => {
                    self.put(&place, Place::Pausing(Instant::now() + pause, why.clone()));
                    // Who releases a driver does not want to wait for it.
                    let _ = tokio::time::timeout(pause, released).await;
                }
                Verdict::Quarantine => {
                    self.put(&place, Place::Quarantined(why.clone()));
                    tracing::error!(
                        driver = &*self.plan.driver,
                        "the driver is quarantined: {why}, too often; `host driver-reset {}` releases it",
                        self.plan.driver
                    );
                    released.await;
                    if !self.over() {
                        tracing::info!(driver = &*self.plan.driver, "the driver is released");
                    }
                }
            }
            if self.over() {
                self.put(&place, Place::Pausing(Instant::now(), why));
                return;
            }
            self.put(&place, Place::Starting);
            up = self.plan.start().await;
        }
    }

    fn put(&self, place: &watch::Sender<Place>, standing: Place) {
        place.send_replace(standing);
        self.changed.notify_waiters();
    }

    fn over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}
