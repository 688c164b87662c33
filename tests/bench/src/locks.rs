//! What taking and letting go the lock of a node costs.

use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use host::node::lock::{Holder, NodeLocks};
use host::request_id::RequestId;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::figures::short;
use crate::table::Table;
use crate::timer::{Case, nanoseconds};

pub(crate) const NAME: &str = "lock";

/// Measures it.
pub(crate) fn measure(arguments: &Arguments) -> Result<Table> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let locks = NodeLocks::new("bench", Duration::from_secs(2), 100);
    let holder = Holder {
        what: "echo_node".into(),
        request_id: RequestId::random(),
    };
    let nodes: Vec<Uuid> = (0..1000).map(|_| Uuid::new_v4()).collect();
    let mutex = tokio::sync::Mutex::new(());
    let next = Cell::new(0);
    let mut cases = [
        Case::repeating("the lock of one node", |times| {
            runtime.block_on(async {
                for _ in 0..times {
                    drop(black_box(locks.acquire(nodes[0], holder.clone()).await));
                }
            });
        }),
        Case::repeating("the locks of 1,000 nodes in turn", |times| {
            runtime.block_on(async {
                for _ in 0..times {
                    let node = nodes[next.replace((next.get() + 1) % nodes.len())];
                    drop(black_box(locks.acquire(node, holder.clone()).await));
                }
            });
        }),
        Case::repeating("for comparison: one tokio::sync::Mutex", |times| {
            runtime.block_on(async {
                for _ in 0..times {
                    drop(black_box(mutex.lock().await));
                }
            });
        }),
    ];
    let (rounds, turn) = if arguments.quick { (5, 2) } else { (21, 10) };
    let times = nanoseconds(&mut cases, rounds, Duration::from_millis(turn));
    let note = "CPU time of one thread, with nobody else waiting. A node that is not held has no lock object: it is made and removed each time.";
    let mut table = Table::new(NAME, "taking a node's lock and letting it go", &["lock", "ns"]).noting(note);
    for (case, time) in cases.iter().zip(times) {
        table.line([case.name.to_owned(), short(time)]);
    }
    Ok(table)
}
