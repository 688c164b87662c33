//! The two limits, `calls.max` and `workers.max`, and each driver's share of both.
//!
//! A permit is owned by the call and lives exactly as long as the driver is busy with it, whatever the client or a
//! deadline does. A method that panics, hangs or fails gives its permit back like any other, so no limit ever shrinks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::config::Config;
use crate::metrics::Counter;

/// How long a call that only passes through a driver, and holds no thread afterwards, waits for a worker. Others that pass leave within
/// microseconds; when nobody leaves for this long, blocking calls have all of them.
const ENTRY_WAIT: Duration = Duration::from_millis(500);

/// One limit: how many of something there may be.
struct Limit {
    free: Arc<Semaphore>,
    max: u32,
    refused: Counter,
}

/// One limit as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// The key that sets it: `calls.max` and `workers.max`, or a driver's `max_calls` and `max_workers`.
    pub limit: &'static str,
    /// How many are taken now.
    pub in_use: u64,
    /// How many there are.
    pub max: u64,
    /// How many calls it has refused since the start.
    pub refused: u64,
}

/// The two limits, of the host or of one driver.
struct Both {
    calls: Limit,
    workers: Limit,
}

/// What one driver may take of both limits.
pub struct Share<'a> {
    driver: &'a str,
    host: &'a Both,
    own: &'a Both,
}

/// Which limit refused a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Busy {
    /// `calls.max`
    #[error("all {max} calls of this host are in flight")]
    Calls {
        /// The limit.
        max: u32,
    },
    /// `workers.max`
    #[error("all {max} workers of this host are inside drivers")]
    Workers {
        /// The limit.
        max: u32,
    },
    /// A driver's `max_calls`.
    #[error("all {max} calls of the driver '{driver}' are in flight")]
    DriverCalls {
        /// The driver.
        driver: String,
        /// The limit.
        max: u32,
    },
    /// A driver's `max_workers`.
    #[error("all {max} workers of the driver '{driver}' are busy")]
    DriverWorkers {
        /// The driver.
        driver: String,
        /// The limit.
        max: u32,
    },
}

/// The right to be in flight: one of the host's calls and one of the driver's.
#[derive(Debug)]
pub struct CallPermit {
    _host: OwnedSemaphorePermit,
    _driver: OwnedSemaphorePermit,
}

/// The right to keep a thread inside a driver: one of the driver's workers and, if the driver runs in this process, one of the host's.
#[derive(Debug)]
pub struct WorkerPermit {
    _host: Option<OwnedSemaphorePermit>,
    _driver: OwnedSemaphorePermit,
}

/// All limits of this host.
pub struct Limits {
    host: Both,
    shares: HashMap<String, Both>,
}

impl Both {
    fn new(calls: u32, workers: u32) -> Self {
        Both {
            calls: Limit::new(calls),
            workers: Limit::new(workers),
        }
    }
}

impl Limit {
    fn new(max: u32) -> Self {
        Limit {
            free: Arc::new(Semaphore::new(
                usize::try_from(max).unwrap_or(Semaphore::MAX_PERMITS),
            )),
            max,
            refused: Counter::default(),
        }
    }

    fn try_take<E>(&self, busy: impl FnOnce(u32) -> E) -> Result<OwnedSemaphorePermit, E> {
        // The semaphores are never closed, so the only refusal is "none free".
        self.free
            .clone()
            .try_acquire_owned()
            .map_err(|_: TryAcquireError| self.refuse(busy))
    }

    async fn take<E>(&self, busy: impl FnOnce(u32) -> E) -> Result<OwnedSemaphorePermit, E> {
        match tokio::time::timeout(ENTRY_WAIT, self.free.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(self.refuse(busy)),
        }
    }

    fn refuse<E>(&self, busy: impl FnOnce(u32) -> E) -> E {
        self.refused.count();
        busy(self.max)
    }

    fn usage(&self, limit: &'static str) -> Usage {
        let max = u64::from(self.max);
        let free = u64::try_from(self.free.available_permits()).unwrap_or(max);
        Usage {
            limit,
            in_use: max.saturating_sub(free),
            max,
            refused: self.refused.get(),
        }
    }
}

impl Share<'_> {
    /// Lets one more call of the driver be in flight.
    ///
    /// # Errors
    /// At once, when the host or the driver has no call left.
    pub fn call(&self) -> Result<CallPermit, Busy> {
        let own = self.own.calls.try_take(|max| Busy::DriverCalls {
            driver: self.driver.to_owned(),
            max,
        })?;
        let host = self.host.calls.try_take(|max| Busy::Calls { max })?;
        Ok(CallPermit {
            _host: host,
            _driver: own,
        })
    }

    /// Lets one more thread stay inside the driver: one of this process, if the driver is `here`, else one of its own.
    ///
    /// # Errors
    /// At once, when the host or the driver has no worker left.
    pub fn worker(&self, here: bool) -> Result<WorkerPermit, Busy> {
        let own = self.own.workers.try_take(|max| self.busy(max))?;
        let host = here.then(|| self.host.workers.try_take(|max| Busy::Workers { max }));
        let host = host.transpose()?;
        Ok(WorkerPermit {
            _host: host,
            _driver: own,
        })
    }

    /// Lets one more thread pass through the driver, for a call that is only begun there. Thousands of those may arrive at
    /// once and each is gone in microseconds, so here a short wait is right where a refusal would be wrong.
    ///
    /// # Errors
    /// When no worker became free for half a second.
    pub async fn pass(&self, here: bool) -> Result<WorkerPermit, Busy> {
        let own = self.own.workers.take(|max| self.busy(max)).await?;
        let host = match here {
            true => Some(self.host.workers.take(|max| Busy::Workers { max }).await?),
            false => None,
        };
        Ok(WorkerPermit {
            _host: host,
            _driver: own,
        })
    }

    fn busy(&self, max: u32) -> Busy {
        Busy::DriverWorkers {
            driver: self.driver.to_owned(),
            max,
        }
    }
}

impl Limits {
    /// The limits that the configuration sets, for these drivers. A driver's share is half unless it says otherwise.
    pub fn new<'a>(config: &Config, drivers: impl Iterator<Item = &'a str>) -> Self {
        let half = |max: u32| max.div_ceil(2);
        let default_share = (half(config.calls.max), half(config.workers.max));
        let shares = drivers.map(|name| {
            let settings = config.drivers.get(name);
            let calls = settings
                .and_then(|driver| driver.max_calls)
                .unwrap_or(default_share.0);
            let workers = settings
                .and_then(|driver| driver.max_workers)
                .unwrap_or(default_share.1);
            (name.to_owned(), Both::new(calls, workers))
        });
        Limits {
            host: Both::new(config.calls.max, config.workers.max),
            shares: shares.collect(),
        }
    }

    /// What `driver` may take of the limits.
    ///
    /// # Errors
    /// A driver that was not there when the limits were made has no share.
    pub fn share<'a>(&'a self, driver: &'a str) -> Result<Share<'a>, Busy> {
        let own = self.shares.get(driver).ok_or_else(|| Busy::DriverCalls {
            driver: driver.to_owned(),
            max: 0,
        })?;
        Ok(Share {
            driver,
            host: &self.host,
            own,
        })
    }

    /// The host's limits as they stand. Waits for nothing.
    pub fn usage(&self) -> [Usage; 2] {
        let Both { calls, workers } = &self.host;
        [calls.usage("calls.max"), workers.usage("workers.max")]
    }

    /// A driver's shares of them. Waits for nothing.
    pub fn usage_of(&self, driver: &str) -> Option<[Usage; 2]> {
        let share = self.shares.get(driver)?;
        Some([share.calls.usage("max_calls"), share.workers.usage("max_workers")])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(calls: u32, workers: u32) -> Limits {
        let mut config = Config::default();
        config.calls.max = calls;
        config.workers.max = workers;
        Limits::new(&config, ["a", "b"].into_iter())
    }

    #[test]
    fn a_driver_gets_half_and_the_other_half_stays_for_the_others() {
        let limits = limits(4, 4);
        let _held = [
            limits.share("a").unwrap().worker(true).unwrap(),
            limits.share("a").unwrap().worker(true).unwrap(),
        ];
        let refused = limits.share("a").unwrap().worker(true).unwrap_err();
        assert_eq!(
            refused,
            Busy::DriverWorkers {
                driver: "a".to_owned(),
                max: 2
            }
        );
        assert_eq!(refused.to_string(), "all 2 workers of the driver 'a' are busy");
        assert!(limits.share("b").unwrap().worker(true).is_ok());
    }

    #[test]
    fn a_refusal_keeps_nothing_and_a_permit_comes_back() {
        let limits = limits(1, 1);
        let held = limits.share("a").unwrap().call().unwrap();
        assert_eq!(
            limits.share("b").unwrap().call().unwrap_err(),
            Busy::Calls { max: 1 }
        );
        drop(held);
        assert!(limits.share("b").unwrap().call().is_ok());
    }

    #[test]
    fn what_is_in_use_and_what_was_refused_is_known_per_limit() {
        let limits = limits(4, 2);
        let _held = (
            limits.share("a").unwrap().call().unwrap(),
            limits.share("a").unwrap().worker(true).unwrap(),
        );
        limits.share("a").unwrap().worker(true).unwrap_err();
        let _others = limits.share("b").unwrap().worker(true).unwrap();
        let usage = |limit, in_use, max, refused| Usage {
            limit,
            in_use,
            max,
            refused,
        };
        assert_eq!(
            limits.usage(),
            [usage("calls.max", 1, 4, 0), usage("workers.max", 2, 2, 0)]
        );
        assert_eq!(
            limits.usage_of("a"),
            Some([usage("max_calls", 1, 2, 0), usage("max_workers", 1, 1, 1)])
        );
        assert_eq!(limits.usage_of("c"), None);
    }

    #[tokio::test]
    async fn one_that_only_passes_waits_for_a_worker_but_not_for_ever() {
        let limits = Arc::new(limits(4, 1));
        let held = limits.share("a").unwrap().worker(true).unwrap();
        let waiting = tokio::spawn({
            let limits = limits.clone();
            async move { limits.share("a").unwrap().pass(true).await.map(drop) }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        let _held = limits.share("a").unwrap().worker(true).unwrap();
        assert_eq!(
            limits.share("a").unwrap().pass(true).await.unwrap_err(),
            Busy::DriverWorkers {
                driver: "a".to_owned(),
                max: 1
            }
        );
    }
}
