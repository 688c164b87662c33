//! Calls of every kind from several clients at once, for a host that is killed or stopped under them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use suite::{Attempt, HostProcess, Random, WITNESS, attempt};

/// Clients that send at the same time.
const CLIENTS: u64 = 4;
/// More than clients, so that locks are rarely waited for.
const NODES: usize = 16;
/// Calls of the witness driver: method, whether of a node, the status that it answers.
const KINDS: [(&str, bool, u16); 4] = [
    ("mark", true, 202),
    ("mark_later", true, 202),
    ("mark_sync", true, 200),
    ("mark_driver", false, 202),
];

/// A request that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Which call, in the witness's words.
    pub(crate) token: String,
    /// Whether it has a record in any case.
    pub(crate) is_async: bool,
    /// What came back.
    pub(crate) answer: Option<Attempt>,
}

/// All requests that were sent, and how they are made.
#[derive(Debug, Default)]
pub(crate) struct Load {
    nodes: Vec<String>,
    next: AtomicU64,
    sent: Mutex<Vec<Sent>>,
    stop: AtomicBool,
}

impl Load {
    /// Creates the nodes that are called.
    pub(crate) fn new(host: &HostProcess) -> Self {
        let create = |n| host.create_node_of(WITNESS, &format!("n{n}"));
        Load {
            nodes: (0..NODES).map(create).collect(),
            ..Load::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far, from the `first` on.
    pub(crate) fn sent_from(&self, first: usize) -> Vec<Sent> {
        self.lock()[first..].to_vec()
    }

    /// How many requests were answered with 202.
    pub(crate) fn accepted(&self) -> usize {
        self.lock().iter().filter(|sent| sent.record().is_some()).count()
    }

    /// Sends until the host does not answer, or `meanwhile` is done.
    pub(crate) fn run(&self, address: &str, random: &mut Random, meanwhile: impl FnOnce()) {
        self.stop.store(false, Ordering::SeqCst);
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                let mut random = random.fork();
                scope.spawn(move || {
                    while self.one(address, &mut random) {
                        if self.stop.load(Ordering::SeqCst) {
                            return;
                        }
                    }
                });
            }
            // Also when the test has failed: the clients would go on for ever.
            let _stop = Stop(&self.stop);
            meanwhile();
        });
    }

    /// Sends one request, and says whether it was answered.
    fn one(&self, address: &str, random: &mut Random) -> bool {
        let kind = usize::try_from(random.below(4)).expect("small");
        let (method, of_node, status) = KINDS[kind];
        let node = usize::try_from(random.below(NODES as u64)).expect("small");
        let target = if of_node {
            format!("/v1/nodes/{}/vendor_passthru/{method}", self.nodes[node])
        } else {
            format!("/v1/drivers/witness/vendor_passthru/{method}")
        };
        let token = format!("{method}-{}", self.next.fetch_add(1, Ordering::Relaxed));
        let body = json!({"token": token, "ms": random.below(4)});
        let index = {
            let mut sent = self.lock();
            sent.push(Sent {
                token,
                is_async: status == 202,
                answer: None,
            });
            sent.len() - 1
        };
        let Some(answer) = attempt(address, &target, &body) else {
            return false;
        };
        assert_eq!(answer.status, status, "{}", answer.text);
        self.lock()[index].answer = Some(answer);
        true
    }
}

impl Sent {
    /// Where the record of a call is that was accepted.
    pub(crate) fn record(&self) -> Option<&str> {
        let location = self.answer.as_ref().filter(|answer| answer.status == 202)?;
        Some(location.location.as_deref().expect("a 202 has a Location"))
    }
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// All records, by where they are.
pub(crate) fn records(host: &HostProcess) -> BTreeMap<String, Value> {
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
