//! Calls of every kind from several clients at once, for a host that is killed or stopped under them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::{Attempt, HostProcess, Random, WITNESS, attempt};

/// Clients that send at the same time.
const CLIENTS: u64 = 4;
/// More than clients, so that locks are rarely waited for.
const NODES: usize = 16;
/// How long a call takes at most, in milliseconds.
const LONGEST: u64 = 4;

/// A kind of call that the `witness` driver writes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The method.
    pub method: &'static str,
    /// Whether it is called on a node.
    pub of_node: bool,
    /// What a client is answered that nothing happens to; 202 has a record in any case.
    pub status: u16,
}

const fn kind(method: &'static str, of_node: bool, status: u16) -> Kind {
    Kind {
        method,
        of_node,
        status,
    }
}

/// Blocking and deferred, of nodes and of the driver, with a client that waits and without.
const KINDS: [Kind; 6] = [
    kind("mark", true, 202),
    kind("mark_later", true, 202),
    kind("mark_sync", true, 200),
    kind("mark_later_sync", true, 200),
    kind("mark_driver", false, 202),
    kind("mark_driver_sync", false, 200),
];

/// Where calls go: a driver of the witness's kind, and its nodes.
#[derive(Debug, Clone)]
pub struct Target {
    /// The driver's name.
    pub driver: String,
    /// The uuids of its nodes.
    pub nodes: Vec<String>,
}

/// A request that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    /// Which call, in the witness's words.
    pub token: String,
    /// The driver.
    pub driver: String,
    /// What kind of call.
    pub kind: Kind,
    /// Whether its client left on purpose without waiting for an answer.
    pub left: bool,
    /// When it was sent.
    pub at: SystemTime,
    /// When it was known what came back.
    pub ended: Option<SystemTime>,
    /// What came back; nothing if the client left or the host was gone.
    pub answer: Option<Attempt>,
}

/// All requests that were sent, and how they are made.
#[derive(Debug)]
pub struct Load {
    targets: Vec<Target>,
    clients: u64,
    longest: u64,
    next: AtomicU64,
    sent: Mutex<Vec<Sent>>,
    stop: AtomicBool,
}

impl Load {
    /// Creates nodes of the `witness` driver, to be called by four clients.
    pub fn new(host: &HostProcess) -> Self {
        let create = |n| host.create_node_of(WITNESS, &format!("n{n}"));
        let target = Target {
            driver: WITNESS.name.to_owned(),
            nodes: (0..NODES).map(create).collect(),
        };
        Load::of(vec![target], CLIENTS, LONGEST, 0)
    }

    /// So many clients that call all these drivers, each call for less than `longest` milliseconds. Calls are numbered from `first` on.
    pub fn of(targets: Vec<Target>, clients: u64, longest: u64, first: u64) -> Self {
        Load {
            targets,
            clients,
            longest,
            next: AtomicU64::new(first),
            sent: Mutex::default(),
            stop: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far, from the `first` on.
    pub fn sent_from(&self, first: usize) -> Vec<Sent> {
        self.lock()[first..].to_vec()
    }

    /// How many requests were answered with 202.
    pub fn accepted(&self) -> usize {
        self.lock().iter().filter(|sent| sent.record().is_some()).count()
    }

    /// Sends until the host does not answer, or `meanwhile` is done.
    pub fn run<T>(&self, address: &str, random: &mut Random, meanwhile: impl FnOnce() -> T) -> T {
        self.stop.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for _ in 0..self.clients {
                let mut random = random.fork();
                scope.spawn(move || {
                    while self.one(address, &mut random) {
                        if self.is_over() {
                            return;
                        }
                    }
                });
            }
            // Also when the test has failed: the clients would go on for ever.
            let _stop = Stop(&self.stop);
            meanwhile()
        })
    }

    /// Whether nothing is to be sent any more.
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Sends one request, and says whether it was answered.
    fn one(&self, address: &str, random: &mut Random) -> bool {
        let (index, target, body) = self.next(random, false);
        let answer = attempt(address, &target, &body);
        self.answered(index, answer)
    }

    /// Writes down that some request is sent, `left` if its client does not wait: its number, where it goes, and its body.
    pub fn next(&self, random: &mut Random, left: bool) -> (usize, String, Value) {
        let kind = *random.one_of(&KINDS);
        let Target { driver, nodes } = random.one_of(&self.targets);
        let node = kind.of_node.then(|| random.one_of(nodes).as_str());
        self.write_down(driver, kind, node, random.below(self.longest), left)
    }

    /// As [`next`](Self::next), of this kind, for this node or else the driver, and taking so many milliseconds.
    pub fn write_down(
        &self,
        driver: &str,
        kind: Kind,
        node: Option<&str>,
        ms: u64,
        left: bool,
    ) -> (usize, String, Value) {
        let method = kind.method;
        let target = match node {
            Some(node) => format!("/v1/nodes/{node}/vendor_passthru/{method}"),
            None => format!("/v1/drivers/{driver}/vendor_passthru/{method}"),
        };
        let token = format!("{method}-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let body = json!({"token": token, "ms": ms});
        let mut sent = self.lock();
        sent.push(Sent {
            token,
            driver: driver.to_owned(),
            kind,
            left,
            at: SystemTime::now(),
            ended: None,
            answer: None,
        });
        (sent.len() - 1, target, body)
    }

    /// Writes down what came back, and says whether anything did.
    pub fn answered(&self, index: usize, answer: Option<Attempt>) -> bool {
        let mut sent = self.lock();
        sent[index].ended = Some(SystemTime::now());
        sent[index].answer = answer;
        sent[index].answer.is_some()
    }
}

impl Sent {
    /// Where the record of a call is that was accepted.
    pub fn record(&self) -> Option<&str> {
        let answer = self.answer.as_ref().filter(|answer| answer.status == 202)?;
        Some(answer.location.as_deref().expect("a 202 has a Location"))
    }

    /// Checks that the answer, if there was one, is that of a call that nothing happened to.
    #[track_caller]
    pub fn as_asked(&self) {
        if let Some(answer) = &self.answer {
            assert_eq!(answer.status, self.kind.status, "{}", answer.text);
        }
    }

    /// Whether it is a call that may have been accepted with nobody told.
    pub fn is_unheard(&self) -> bool {
        self.kind.status == 202 && self.answer.is_none()
    }
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// All records, by where they are.
pub fn records(host: &HostProcess) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut next = Some("/v1/calls?limit=1000".to_owned());
    while let Some(target) = next {
        let page = host.get(&target).expect(200).json();
        for record in page["calls"].as_array().expect("a list") {
            let place = format!("/v1/calls/{}", record["id"].as_str().expect("an id"));
            assert_eq!(all.insert(place, record.clone()), None, "shown twice: {record}");
        }
        next = page["next"].as_str().map(|url| {
            let path = url.find("/v1/").expect("a path");
            url[path..].to_owned()
        });
    }
    all
}
