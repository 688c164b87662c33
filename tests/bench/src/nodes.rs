//! Databases with many nodes.

use std::path::Path;

use anyhow::Result;
use host::node::fields::{JsonObject, NodeFields};
use host::node::store::NodeStore;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::place::Place;

/// How many are created at once: as many as share a transaction.
const AT_ONCE: usize = 1024;

/// Puts a database with so many nodes at `path`. It is filled once and copied from then on.
pub(crate) fn database(place: &Place, count: usize, path: &Path) -> Result<()> {
    let kept = place.kept(&format!("nodes-{count}.db"));
    if NodeStore::open(&kept, "bench").is_ok_and(|store| store.len() == count) {
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
    let store = std::sync::Arc::new(NodeStore::open(path, "bench")?);
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
    store.close();
    Ok(())
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
