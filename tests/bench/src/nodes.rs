//! Databases with many nodes, and what a host holds of each.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use host::database::Database;
use host::node::fields::{JsonObject, NodeFields};
use host::node::store::NodeStore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::figures::short;
use crate::hosts::HostSetup;
use crate::load::as_f64;
use crate::place::Place;
use crate::table::Table;

/// How many are created at once: as many as share a transaction.
const AT_ONCE: usize = 1024;

/// Puts a database with so many nodes at `path`. It is filled once and copied from then on.
pub(crate) fn database(place: &Place, count: usize, path: &Path) -> Result<()> {
    let kept = place.kept(&format!("nodes-{count}.db"));
    if open(&kept).is_ok_and(|(_, store)| store.len() == count) {
        std::fs::copy(&kept, path)?;
        return Ok(());
    }
    for ending in ["", "-wal", "-shm"] {
        let _it_may_not_be_there = std::fs::remove_file(format!("{}{ending}", kept.display()));
    }
    fill(&kept, count)?;
    std::fs::copy(&kept, path)?;
    Ok(())
}

fn fill(path: &Path, count: usize) -> Result<()> {
    let (database, store) = open(path)?;
    let store = Arc::new(store);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut creating = JoinSet::new();
        for number in 0..count {
            let (store, fields) = (store.clone(), fields(number)?);
            creating.spawn(async move { store.create(Uuid::new_v4(), fields).await.map(drop) });
            if creating.len() >= AT_ONCE * 2
                && let Some(created) = creating.join_next().await
            {
                created??;
            }
        }
        while let Some(created) = creating.join_next().await {
            created??;
        }
        anyhow::Ok(())
    })?;
    database.close();
    Ok(())
}

fn open(path: &Path) -> Result<(Arc<Database>, NodeStore)> {
    let database = Arc::new(Database::open(path, "bench")?);
    let store = NodeStore::open(database.clone())?;
    Ok((database, store))
}

/// A node as they usually are: a name, an address with a user and a password, what the machine has.
fn fields(number: usize) -> Result<NodeFields> {
    let address = format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255);
    let driver_info = format!(
        r#"{{"bench_address":"{address}","bench_username":"admin","bench_password":"secret-{number:07}"}}"#
    );
    Ok(NodeFields {
        name: Some(format!("node-{number:07}").into()),
        driver: "bench".into(),
        driver_info: JsonObject::parse(&driver_info)?,
        properties: JsonObject::parse(
            r#"{"cpus":64,"memory_mb":262144,"local_gb":1788,"cpu_arch":"x86_64"}"#,
        )?,
        extra: JsonObject::parse(&format!(r#"{{"rack":"r{:04}"}}"#, number / 40))?,
        ..NodeFields::default()
    })
}

pub(crate) const NAME: &str = "node-memory";

/// What a host holds per node.
pub(crate) fn measure(place: &Place, arguments: &Arguments) -> Result<Table> {
    let counts: &[usize] = if arguments.quick {
        &[0, 100_000]
    } else {
        &[0, 100_000, 1_000_000]
    };
    let head = [
        "nodes",
        "RSS MiB",
        "bytes per node",
        "listening after ms",
        "database MiB",
    ];
    let mut table = Table::new(NAME, "memory per node", &head).noting(
        "The growth of RSS over a host without nodes. Each node has a name, an address, a user, a password, four properties and one extra: 280 bytes of JSON as its driver sees it.",
    );
    let mut without = 0;
    for count in counts {
        let setup =
            HostSetup::new(place, &format!("nodes-{count}"))?.driver("bench", &place.driver("bench")?)?;
        database(place, *count, &setup.database())?;
        let started = Instant::now();
        let server = setup.start(place)?;
        let listening = started.elapsed().as_secs_f64() * 1000.0;
        let rss = server.process.memory()?.rss;
        let per_node = match *count {
            0 => {
                without = rss;
                String::new()
            }
            count => short(as_f64(rss.saturating_sub(without) * 1024) / as_f64(u64::try_from(count)?)),
        };
        let bytes = std::fs::metadata(setup.database())?.len();
        table.line([
            count.to_string(),
            short(as_f64(rss) / 1024.0),
            per_node,
            short(listening),
            short(as_f64(bytes) / 1024.0 / 1024.0),
        ]);
    }
    Ok(table)
}
