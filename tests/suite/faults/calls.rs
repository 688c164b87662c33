//! The four entry points that a call leads to, in a host that is expected to survive.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suite::{HostProcess, Reply, eventually, wild_name};

use super::client::{PATIENCE, Steady};
use super::matrix::{Entry, Fault, Mode, Seen, What, plain};

/// A driver that misbehaves, in a host that goes on.
pub(super) struct Stage<'a> {
    pub(super) mode: Mode,
    pub(super) host: &'a HostProcess,
    pub(super) steady: &'a Steady,
    pub(super) fault: Fault,
    /// How long its calls may take.
    pub(super) deadline: Duration,
    /// How much longer before its process is killed.
    pub(super) grace: Duration,
}

/// A call that has not come back, and holds its node for as long as it likes.
pub(super) struct Stuck {
    node: String,
}

impl Stuck {
    /// Checks that it still does.
    pub(super) fn is_still_held(&self, host: &HostProcess) {
        assert_ne!(
            host.node_field(&self.node, "reservation"),
            Value::Null,
            "{}",
            self.node
        );
    }
}

/// Creates a node of a copy of the driver.
pub(super) fn create_node(host: &HostProcess, number: usize, name: &str, driver_info: &Value) {
    let node = json!({ "driver": wild_name(number), "name": name, "driver_info": driver_info });
    host.post("/v1/nodes", node).expect(201);
}

pub(super) fn method(node: &str, method: &str) -> String {
    format!("/v1/nodes/{node}/vendor_passthru/{method}")
}

/// What a client has been told.
pub(super) fn told(reply: &Reply, host: &HostProcess) -> String {
    let text = match reply.status {
        200 | 202 => reply.text(),
        _ => reply.fault().text,
    };
    let text = plain(&text, host.folder());
    format!("{} {text}", reply.status).trim_end().to_owned()
}

impl Stage<'_> {
    /// Waits until the driver is there, perhaps again.
    fn is_up(&self, node: &str) {
        eventually("the driver answers", PATIENCE, || {
            let reply = self.host.post(&method(node, "call"), json!({}));
            (reply.status == 200).then_some(())
        });
    }

    fn gate(&self, name: &str) -> PathBuf {
        self.host.folder().join(format!("{name}.gate"))
    }

    /// Lets the fault happen in one entry point, and tells what was seen. What it leaves behind goes to `stuck`.
    pub(super) fn play(&self, entry: Entry, stuck: &mut Vec<Stuck>) -> Seen {
        let number = self.fault.number();
        let name = format!(
            "{}-{}",
            self.fault.word,
            entry.title().replace(|c: char| !c.is_alphanumeric(), "")
        );
        create_node(self.host, number, &format!("{name}-fine"), &json!({}));
        self.is_up(&format!("{name}-fine"));
        let gate = self.gate(&name);
        let mut more = json!({ "diary": self.host.folder().join("diary") });
        if self.fault.what == What::Dawdles {
            more["until"] = gate.to_str().expect("a path in UTF-8").into();
        }
        let order = self.fault.order(more);
        let mut driver_info = json!({});
        let mut body = json!({});
        match entry {
            Entry::ValidateNode => driver_info["wild_order"] = order.to_string().into(),
            Entry::ValidateCall => body["check"] = order,
            _ => body["run"] = order,
        }
        create_node(self.host, number, &name, &driver_info);
        let sync = if entry == Entry::Deferred { "defer" } else { "call" };

        let begun = Instant::now();
        let reply = self.host.post(&method(&name, sync), body.clone());
        let client = told(&reply, self.host);
        let lock = self.lock(&name, begun, reply.status, stuck, || {
            std::fs::write(&gate, "").expect("a gate that opens");
        });
        let mut record = match reply.header("Location") {
            Some(location) => self.record(location),
            None => "none".to_owned(),
        };
        if matches!(entry, Entry::Call | Entry::Deferred) {
            record = self.async_record(&name, sync, &body, stuck);
        }
        self.steady.goes_on();
        let lost = self.steady.lost_since(Some(begun));
        let others = if lost.is_empty() {
            "none".to_owned()
        } else {
            format!("{lost:?}")
        };
        Seen {
            client,
            record,
            lock,
            others,
        }
    }

    /// How long the node was held, as a class. No upper bound of it is a time: a call that has failed before its deadline has let go before it, whatever else
    /// the machine was busy with.
    fn lock(
        &self,
        node: &str,
        begun: Instant,
        status: u16,
        stuck: &mut Vec<Stuck>,
        open: impl FnOnce(),
    ) -> String {
        let free = || {
            let free = || self.host.node_field(node, "reservation").is_null().then_some(());
            eventually("the node is free", PATIENCE, free);
        };
        if status != 504 {
            free();
            assert!(begun.elapsed() < self.deadline, "{node}: {:?}", begun.elapsed());
            return "freed at once".to_owned();
        }
        assert!(begun.elapsed() >= self.deadline, "{node}: {:?}", begun.elapsed());
        if self.fault.what == What::Dawdles {
            assert_ne!(self.host.node_field(node, "reservation"), Value::Null, "{node}");
            open();
            free();
            return "until it returned".to_owned();
        }
        if self.mode == Mode::InProcess {
            let held = Stuck {
                node: node.to_owned(),
            };
            held.is_still_held(self.host);
            stuck.push(held);
            return "until the host ends".to_owned();
        }
        free();
        assert!(
            begun.elapsed() >= self.deadline + self.grace,
            "{node}: {:?}",
            begun.elapsed()
        );
        "until deadline + grace".to_owned()
    }

    /// The record of the same as an async call.
    fn async_record(&self, name: &str, sync: &str, body: &Value, stuck: &mut Vec<Stuck>) -> String {
        let node = format!("{name}-async");
        self.is_up(&format!("{name}-fine"));
        create_node(self.host, self.fault.number(), &node, &json!({}));
        let mut body = body.clone();
        let gate = self.gate(&node);
        if self.fault.what == What::Dawdles {
            body["run"]["until"] = gate.to_str().expect("a path in UTF-8").into();
        }
        let reply = self.host.post(&method(&node, &format!("{sync}_async")), body);
        let location = reply.expect(202).must_have("Location").to_owned();
        if self.fault.what == What::Dawdles {
            self.ended(&location);
            std::fs::write(&gate, "").expect("a gate that opens");
        }
        let record = self.record(&location);
        if self.mode == Mode::InProcess && record.contains("still running") {
            stuck.push(Stuck { node });
        }
        record
    }

    /// The record of a call that has ended for its client.
    fn ended(&self, location: &str) -> Value {
        eventually("the call has ended", PATIENCE, || {
            let record = self.host.get(location).expect(200).json();
            (record["state"] != "running").then_some(record)
        })
    }

    fn record(&self, location: &str) -> String {
        let mut record = self.ended(location);
        let comes_back = self.mode == Mode::Process || self.fault.what == What::Dawdles;
        if record["state"] == "timed_out" && comes_back {
            record = eventually("the late outcome is there", PATIENCE, || {
                let record = self.host.get(location).expect(200).json();
                (!record["late_outcome"].is_null()).then_some(record)
            });
        }
        let text = |ending: &Value| {
            let word = ending["state"].as_str().expect("a state");
            match ending["error"]["message"].as_str() {
                Some(message) => format!("{word}: {}", plain(message, self.host.folder())),
                None => word.to_owned(),
            }
        };
        match (&record["late_outcome"], record["state"] == "timed_out") {
            (Value::Null, true) => "timed_out; still running".to_owned(),
            (Value::Null, false) => text(&record),
            (late, _) => format!("timed_out; then {}", text(late)),
        }
    }
}
