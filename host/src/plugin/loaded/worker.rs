//! A driver whose code runs in worker processes: the same library, unchanged, behind a socket.
//!
//! A process that dies takes its own calls with it and nothing else. It is started again, at first at once; a driver whose processes die too
//! often is quarantined until an operator says otherwise.

mod asked;
mod calls;
mod health;
pub(crate) mod inside;
mod isolation;
mod link;
mod outgoing;
mod output;
mod place;
mod plan;
mod process;
mod strays;
mod voice;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinSet, unconstrained};

pub(super) use self::asked::Asked;
use self::health::Health;
pub(crate) use self::health::Tolerance;
pub use self::isolation::{Confinement, Isolation, WorkerUser};
pub(super) use self::link::Link;
pub use self::place::Unavailable;
use self::place::{Place, Shared};
use self::plan::Plan;
use super::wire::Order;
use crate::metrics::Counter;

/// How long a process that has closed its socket gets to end by itself.
const LAST_MOMENT: Duration = Duration::from_millis(250);
/// How long drivers may take to shut down before their processes are killed: less than the host gives all drivers together.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// How long a call waits for a process that is just being started.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// A driver in its processes.
pub(super) struct Workers {
    shared: Arc<Shared>,
    places: Vec<Arc<watch::Sender<Place>>>,
}

/// How a driver's processes stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The processes that are up, by their ids.
    pub processes: Vec<i32>,
    /// How many there should be.
    pub wanted: usize,
    /// How many have died since the start.
    pub deaths: u64,
    /// Why the driver is quarantined, if it is.
    pub quarantined: Option<String>,
}

impl Workers {
    /// Starts all processes of a driver, and waits until the driver is created in each.
    ///
    /// # Errors
    /// One line: why it was not.
    pub(super) async fn start(
        driver: Arc<str>,
        file: PathBuf,
        config: Vec<u8>,
        isolation: Isolation,
    ) -> Result<Self, String> {
        let tolerance = Tolerance {
            max_deaths: isolation.max_deaths,
            window: isolation.window,
        };
        let processes = isolation.processes;
        let shared = Arc::new(Shared {
            plan: Plan {
                driver,
                file,
                config: config.into(),
                isolation,
            },
            health: Mutex::new(Health::new(tolerance)),
            released: Notify::new(),
            changed: Notify::new(),
            over: AtomicBool::new(false),
            deaths: Counter::default(),
        });
        let mut starting = JoinSet::new();
        for _ in 0..processes {
            let shared = shared.clone();
            starting.spawn(unconstrained(async move { shared.plan.start().await }));
        }
        let mut first = Vec::new();
        while let Some(started) = starting.join_next().await {
            first.push(started.map_err(|error| error.to_string())??);
        }
        let places = first.into_iter().map(|(link, reports)| {
            let place = Arc::new(watch::Sender::new(Place::Up(link.clone())));
            tokio::spawn(unconstrained(shared.clone().keep(place.clone(), link, reports)));
            place
        });
        Ok(Workers {
            places: places.collect(),
            shared,
        })
    }

    /// The driver's name.
    pub(super) fn name(&self) -> &Arc<str> {
        &self.shared.plan.driver
    }

    /// A process for one call: the one with the least to do. Waits for one that is just being started.
    pub(super) async fn link(&self) -> Result<Arc<Link>, Unavailable> {
        let waited = tokio::time::timeout(START_PATIENCE, async {
            loop {
                let changed = self.shared.changed.notified();
                if let Some(found) = self.look() {
                    return found;
                }
                changed.await;
            }
        });
        waited.await.unwrap_or_else(|_| {
            Err(Unavailable {
                reason: format!("the process of driver '{}' is still being started", self.name()),
                retry_after: Some(Duration::from_secs(1)),
            })
        })
    }

    /// A process, or why there is none; nothing if one is being started.
    fn look(&self) -> Option<Result<Arc<Link>, Unavailable>> {
        let (mut best, mut starting, mut refusal) = (None, false, None);
        for place in &self.places {
            match &*place.borrow() {
                Place::Up(link) => {
                    let load = link.load();
                    if best.as_ref().is_none_or(|(least, _)| load < *least) {
                        best = Some((load, link.clone()));
                    }
                }
                Place::Starting => starting = true,
                Place::Pausing(until, why) => {
                    refusal = Some(Unavailable {
                        reason: format!("{why}; it is started again"),
                        retry_after: Some(until.saturating_duration_since(Instant::now())),
                    });
                }
                Place::Quarantined(why) => {
                    refusal.get_or_insert_with(|| self.quarantined(why));
                }
            }
        }
        match (best, refusal) {
            (Some((_, link)), _) => Some(Ok(link)),
            (None, Some(refusal)) if !starting => Some(Err(refusal)),
            (None, _) => None,
        }
    }

    fn quarantined(&self, why: &str) -> Unavailable {
        let driver = self.name();
        Unavailable {
            reason: format!(
                "the driver '{driver}' is quarantined: {why}, too often; an operator can release it with `host driver-reset {driver}`"
            ),
            retry_after: None,
        }
    }

    /// Lets a quarantined driver be started again. Whether it was quarantined.
    pub(super) fn release(&self) -> bool {
        let was = self.standing().quarantined.is_some();
        self.shared.health.lock().forget();
        for place in &self.places {
            // At once, so that a call from now on waits for the process.
            place.send_if_modified(|place| {
                let is_quarantined = matches!(place, Place::Quarantined(_));
                if is_quarantined {
                    *place = Place::Starting;
                }
                is_quarantined
            });
        }
        self.shared.released.notify_waiters();
        self.shared.changed.notify_waiters();
        was
    }

    /// How its processes stand.
    pub(super) fn standing(&self) -> Standing {
        let mut standing = Standing {
            processes: Vec::new(),
            wanted: self.places.len(),
            deaths: self.shared.deaths.get(),
            quarantined: None,
        };
        for place in &self.places {
            match &*place.borrow() {
                Place::Up(link) => standing.processes.push(link.process_id()),
                Place::Quarantined(why) => standing.quarantined = Some(why.to_string()),
                Place::Starting | Place::Pausing(..) => {}
            }
        }
        standing
    }

    /// Tells the driver in each process that no call will follow, and waits until all have ended.
    pub(super) async fn shut_down(&self) {
        self.shared.over.store(true, Ordering::Release);
        self.shared.released.notify_waiters();
        for link in self.up() {
            link.say(&Order::ShutDown, Bytes::new());
        }
        if tokio::time::timeout(END_PATIENCE, self.ended()).await.is_ok() {
            return;
        }
        for link in self.up() {
            tracing::warn!(
                driver = &**self.name(),
                process = link.process_id(),
                "the driver did not shut down in time; its process is killed"
            );
            link.condemn("its driver did not shut down in time".to_owned());
        }
        self.ended().await;
    }

    /// The processes that are up.
    fn up(&self) -> Vec<Arc<Link>> {
        let places = self.places.iter().map(|place| place.borrow().clone());
        let up = places.filter_map(|place| match place {
            Place::Up(link) => Some(link),
            _ => None,
        });
        up.collect()
    }

    /// Waits until no place has a process, nor gets one.
    async fn ended(&self) {
        for place in &self.places {
            let mut place = place.subscribe();
            // An error is a place that nobody fills any more.
            let _ = place
                .wait_for(|place| !matches!(place, Place::Up(_) | Place::Starting))
                .await;
        }
    }
}
