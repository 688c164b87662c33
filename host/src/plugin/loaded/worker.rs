//! A driver whose code runs in worker processes: the same library, unchanged, behind a socket.
//!
//! A process that dies takes its own calls with it and nothing else. It is started again, at first at once; a driver whose processes die too
//! often is quarantined until an operator says otherwise.

mod health;
pub(crate) mod inside;
mod link;
mod output;
mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot, watch};

pub(crate) use self::health::Tolerance;
use self::health::{Health, Verdict};
pub(super) use self::link::Link;
use self::process::{Process, Started};
use super::wire::{Order, Step, Terms};
use super::{CallState, Fault, OwnedCall, Reply};
use crate::metrics::Counter;
use crate::plugin::manifest::{CalledOn, RunKind};

/// How long a process that has closed its socket gets to end by itself.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// How long a call waits for a process that is just being started.
const START_PATIENCE: Duration = Duration::from_secs(5);

/// Whom a worker process runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerUser {
    /// The user's number.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
}

/// What a worker process may not exceed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confinement {
    /// Its memory, in bytes.
    pub memory_max_bytes: Option<u64>,
    /// Its open files.
    pub open_files_max: Option<u64>,
    /// Whom it runs as; without it the host's user.
    pub user: Option<WorkerUser>,
}

impl Confinement {
    /// As options of the command `worker`.
    fn options(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [
            ("--memory-max-bytes", self.memory_max_bytes),
            ("--open-files-max", self.open_files_max),
        ]
        .into_iter()
        .filter_map(|(option, value)| Some((option, value?)))
    }
}

/// How a driver runs in processes of its own.
#[derive(Debug, Clone)]
pub struct Isolation {
    /// How many processes.
    pub processes: u32,
    /// How many threads of each may be inside the driver.
    pub threads: u32,
    /// What each may not exceed.
    pub confinement: Confinement,
    /// How many deaths within `window` are too many.
    pub max_deaths: u32,
    /// See [`max_deaths`](Self::max_deaths).
    pub window: Duration,
    /// How long the driver may take to be created.
    pub create_timeout: Duration,
    /// How long after its deadline a call may keep its process.
    pub grace: Duration,
    /// The largest reply.
    pub max_reply_bytes: u64,
}

/// What a process is started for.
struct Plan {
    driver: Arc<str>,
    file: PathBuf,
    config: Bytes,
    isolation: Isolation,
}

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
enum Place {
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
struct Shared {
    plan: Plan,
    health: Mutex<Health>,
    released: Notify,
    /// One of the places stands otherwise than before.
    changed: Notify,
    over: AtomicBool,
    deaths: Counter,
}

/// A driver in its processes.
pub(super) struct Workers {
    shared: Arc<Shared>,
    places: Vec<watch::Receiver<Place>>,
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
        let mut first = Vec::new();
        for _ in 0..processes {
            first.push(shared.plan.start().await?);
        }
        let places = first.into_iter().map(|(link, read)| {
            let (place, seen) = watch::channel(Place::Up(link.clone()));
            tokio::spawn(shared.clone().keep(place, link, read));
            seen
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
        self.shared.released.notify_waiters();
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
        for place in &self.places {
            let link = match &*place.borrow() {
                Place::Up(link) => link.clone(),
                _ => continue,
            };
            // What cannot be sent is noticed by the end of the process.
            let _ = link.send(&Order::ShutDown, [Bytes::new(), Bytes::new()]);
        }
        for place in &self.places {
            let mut place = place.clone();
            let _ = place
                .wait_for(|place| !matches!(place, Place::Up(_) | Place::Starting))
                .await;
        }
    }
}

impl Shared {
    /// Keeps one place filled until the host ends.
    async fn keep(self: Arc<Self>, place: watch::Sender<Place>, first: Arc<Link>, read: BytesMut) {
        let mut up = Ok((first, read));
        loop {
            let why = match up {
                Ok((link, read)) => {
                    let id = link.process_id();
                    self.put(&place, Place::Up(link.clone()));
                    let how = link.serve(read).await;
                    let why = format!("the process of driver '{}' {how}", self.plan.driver);
                    if !self.over() {
                        tracing::error!(driver = &*self.plan.driver, process = id, "{why}");
                    }
                    why
                }
                Err(why) => {
                    tracing::error!(driver = &*self.plan.driver, "{why}");
                    why
                }
            };
            let why: Arc<str> = why.into();
            if self.over() {
                self.put(&place, Place::Pausing(Instant::now(), why));
                return;
            }
            self.deaths.count();
            let verdict = self.health.lock().died(Instant::now());
            match verdict {
                Verdict::Restart(pause) if pause.is_zero() => {}
                Verdict::Restart(pause) => {
                    self.put(&place, Place::Pausing(Instant::now() + pause, why));
                    tokio::time::sleep(pause).await;
                }
                Verdict::Quarantine => {
                    let released = self.released.notified();
                    self.put(&place, Place::Quarantined(why.clone()));
                    tracing::error!(
                        driver = &*self.plan.driver,
                        "the driver is quarantined: {why}, too often; `host driver-reset {}` releases it",
                        self.plan.driver
                    );
                    released.await;
                    tracing::info!(driver = &*self.plan.driver, "the driver is released");
                }
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

impl Plan {
    /// Starts one process, and has the driver created in it.
    async fn start(&self) -> Result<(Arc<Link>, BytesMut), String> {
        let driver = &self.driver;
        let isolation = &self.isolation;
        let failed =
            |error: std::io::Error| format!("the process of driver '{driver}' could not be started: {error}");
        let Started {
            process,
            stream,
            stdout,
            stderr,
        } = Process::start(&isolation.confinement).map_err(failed)?;
        output::log(driver, stdout, stderr).map_err(failed)?;
        let link = Link::new(driver.clone(), process, stream, isolation.max_reply_bytes).map_err(failed)?;
        let order = Order::Create {
            file: self.file.to_string_lossy().into_owned(),
            driver: driver.to_string(),
            threads: isolation.threads,
            max_reply_bytes: isolation.max_reply_bytes,
        };
        let sent = link.send(&order, [self.config.clone(), Bytes::new()]);
        sent.map_err(|error| failed(std::io::Error::other(error)))?;
        let mut read = BytesMut::new();
        match tokio::time::timeout(isolation.create_timeout, link.created(&mut read)).await {
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
        Ok((Arc::new(link), read))
    }
}

/// Something that was asked of a process, until it is answered.
pub(super) struct Asked {
    link: Arc<Link>,
    id: u64,
    state: Arc<CallState>,
    what: String,
    grace: Duration,
    answer: oneshot::Receiver<Result<Reply, Fault>>,
}

impl Workers {
    /// Asks a process to check a node.
    pub(super) fn check_node(&self, link: &Arc<Link>, node: &Bytes, state: &Arc<CallState>) -> Asked {
        let order = |id| Order::CheckNode {
            id,
            terms: terms(state),
        };
        let (id, answer) = link.ask(state, order, [node.clone(), Bytes::new()]);
        self.asked(link, id, state, "check of a node", answer)
    }

    /// Asks a process for parts of a call.
    pub(super) fn call(&self, link: &Arc<Link>, call: &OwnedCall, step: Step) -> Asked {
        let node = call.node.clone().unwrap_or_default();
        let order = |id| Order::Call {
            id,
            terms: terms(&call.state),
            on_node: call.method.on == CalledOn::Node,
            method: call.method.name.to_string(),
            http_method: call.http_method.to_owned(),
            node_bytes: u32::try_from(node.len()).unwrap_or(u32::MAX),
            step,
        };
        let (id, answer) = link.ask(&call.state, order, [node.clone(), call.body.clone()]);
        self.asked(link, id, &call.state, &call.method.name, answer)
    }

    /// Whether the checks of a call are asked for together with the call: nobody has to know their result before.
    pub(super) fn checks_with_the_call(call: &OwnedCall) -> bool {
        !call.method.is_async && call.method.run == RunKind::Blocking
    }

    fn asked(
        &self,
        link: &Arc<Link>,
        id: u64,
        state: &Arc<CallState>,
        what: &str,
        answer: oneshot::Receiver<Result<Reply, Fault>>,
    ) -> Asked {
        Asked {
            link: link.clone(),
            id,
            state: state.clone(),
            what: what.to_owned(),
            grace: self.shared.plan.isolation.grace,
            answer,
        }
    }
}

impl Asked {
    /// Waits for the answer. The process that has not given it a while after the deadline is killed.
    pub(super) async fn outcome(mut self) -> Result<Reply, Fault> {
        let deadline = self.state.deadline;
        tokio::select! {
            answer = &mut self.answer => return answer.unwrap_or_else(|_| Err(Fault::lost())),
            () = self.state.asked_to_stop() => {}
            () = tokio::time::sleep_until(deadline) => {}
        }
        self.link.cancel(self.id);
        tokio::select! {
            answer = &mut self.answer => return answer.unwrap_or_else(|_| Err(Fault::lost())),
            () = tokio::time::sleep_until(deadline + self.grace) => {}
        }
        self.link.condemn(format!(
            "its call of '{}' had not returned {} ms after its deadline",
            self.what,
            self.grace.as_millis()
        ));
        self.answer.await.unwrap_or_else(|_| Err(Fault::lost()))
    }
}

fn terms(state: &CallState) -> Terms {
    Terms {
        request_id: state.request_id.bytes(),
        remaining_ms: u64::try_from(state.remaining().as_millis()).unwrap_or(u64::MAX),
    }
}
