//! What the records promise.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::request_id::RequestId;

/// A folder for one database.
struct Place {
    _folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.db");
        Place {
            _folder: folder,
            path,
        }
    }

    async fn open(&self) -> Arc<RecordStore> {
        self.open_with(config::Records::default()).await
    }

    async fn open_with(&self, settings: config::Records) -> Arc<RecordStore> {
        let database = Arc::new(Database::open(&self.path, "host-1").unwrap());
        RecordStore::open(database, "host-1".into(), &settings)
            .await
            .unwrap()
    }
}

fn call(node: Option<Uuid>) -> RunningCall {
    RunningCall {
        method: "reset".into(),
        node,
        state: Arc::new(CallState::new(
            "fake".into(),
            RequestId::random(),
            Duration::from_secs(60),
        )),
        is_check: false,
        here: true,
    }
}

fn error(message: &str) -> RecordedError {
    RecordedError {
        kind: "unavailable",
        message: message.to_owned(),
        details: None,
        interrupted: false,
    }
}

fn json(text: &'static str) -> Result<Option<Bytes>, RecordedError> {
    Ok(Some(Bytes::from_static(text.as_bytes())))
}

fn states(store: &RecordStore) -> Vec<RecordState> {
    let records = store.newest(None, None, usize::MAX, |_| true);
    records.iter().map(|record| record.state()).collect()
}

/// One call that has succeeded.
async fn ended(store: &Arc<RecordStore>) -> Uuid {
    let open = store.begin(call(None)).await.unwrap();
    open.end(json("1")).await;
    open.id()
}

#[tokio::test]
async fn a_record_is_the_same_after_a_restart() {
    let place = Place::new();
    let store = place.open().await;
    let node = Uuid::new_v4();
    let open = store.begin(call(Some(node))).await.unwrap();
    assert_eq!(
        store.get(&open.id()).unwrap().state(),
        RecordState::Running,
        "it is seen before the call begins"
    );
    open.end(json(r#"{"a": 1}"#)).await;
    let failed = store.begin(call(None)).await.unwrap();
    failed.end(Err(error("the BMC is silent"))).await;
    let before = [open.id(), failed.id()].map(|id| store.get(&id).unwrap());
    drop((open, failed, store));

    let store = place.open().await;
    for before in &before {
        assert_eq!(store.get(&before.id).unwrap(), *before);
    }
    assert_eq!(before[0].node, Some(node));
    assert_eq!(
        store.results(&before[0]).unwrap(),
        (Some(r#"{"a": 1}"#.to_owned()), None)
    );
    assert_eq!(
        before[1].ending.as_ref().unwrap().error.as_deref(),
        Some(r#"{"kind":"unavailable","message":"the BMC is silent"}"#)
    );
}

#[tokio::test]
async fn what_a_dead_host_has_left_is_interrupted_and_stays_so() {
    let place = Place::new();
    let store = place.open().await;
    let running = store.begin(call(None)).await.unwrap();
    let (late, written) = store.begin_late(call(None), &error("deadline"));
    written.await.unwrap();
    let done = ended(&store).await;
    let (running_id, late_id) = (running.id(), late.id());
    drop((running, late, store));

    for _ in 0..2 {
        let store = place.open().await;
        assert_eq!(store.get(&running_id).unwrap().state(), RecordState::Interrupted);
        let late = store.get(&late_id).unwrap();
        assert_eq!(late.state(), RecordState::TimedOut);
        assert_eq!(
            late.late_outcome.as_ref().unwrap().state,
            RecordState::Interrupted
        );
        assert_eq!(store.get(&done).unwrap().state(), RecordState::Succeeded);
    }
}

#[tokio::test]
async fn after_the_deadline_the_state_is_final_and_the_outcome_is_added_once() {
    let place = Place::new();
    let store = place.open().await;
    let open = store.begin(call(None)).await.unwrap();
    assert!(open.time_out(&error("deadline")).await);
    assert!(store.get(&open.id()).unwrap().settled_at().is_none());
    open.end(json("2")).await;
    open.end(Err(error("twice"))).await;
    let record = store.get(&open.id()).unwrap();
    assert_eq!(record.state(), RecordState::TimedOut);
    assert_eq!(
        record.late_outcome.as_ref().unwrap().state,
        RecordState::Succeeded
    );
    assert_eq!(store.results(&record).unwrap(), (None, Some("2".to_owned())));
}

#[tokio::test]
async fn a_deadline_after_the_end_changes_nothing() {
    let place = Place::new();
    let store = place.open().await;
    let open = store.begin(call(None)).await.unwrap();
    open.end(json("1")).await;
    let before = store.get(&open.id()).unwrap();
    assert!(!open.time_out(&error("deadline")).await);
    assert_eq!(store.get(&open.id()).unwrap(), before);
}

#[tokio::test]
async fn the_end_of_a_late_call_may_be_queued_in_the_same_moment_as_its_record() {
    let place = Place::new();
    let store = place.open().await;
    let (open, written) = store.begin_late(call(None), &error("deadline"));
    let end = open.end(json("3"));
    written.await.unwrap();
    end.await;
    let record = store.get(&open.id()).unwrap();
    assert_eq!(
        (record.state(), record.late_outcome.as_ref().unwrap().state),
        (RecordState::TimedOut, RecordState::Succeeded)
    );
}

#[tokio::test]
async fn lists_are_newest_first_by_page_node_and_state() {
    let place = Place::new();
    let store = place.open().await;
    let nodes = [Uuid::new_v4(), Uuid::new_v4()];
    let mut ids = Vec::new();
    for n in 0..6 {
        let open = store.begin(call(Some(nodes[n % 2]))).await.unwrap();
        let outcome = if n < 3 { Err(error("no")) } else { json("1") };
        open.end(outcome).await;
        ids.push(open.id());
    }
    ids.reverse();
    let list = |node, before, count| -> Vec<Uuid> {
        let records = store.newest(node, before, count, |_| true);
        records.iter().map(|record| record.id).collect()
    };
    assert_eq!(list(None, None, 10), ids);
    assert_eq!(list(None, Some(ids[1]), 2), ids[2..4]);
    assert_eq!(list(Some(nodes[1]), None, 10), [ids[0], ids[2], ids[4]]);
    assert_eq!(list(Some(nodes[1]), Some(ids[2]), 10), [ids[4]]);
    assert!(list(Some(Uuid::new_v4()), None, 10).is_empty());
    let failed = store.newest(None, None, 2, |record| record.state() == RecordState::Failed);
    assert_eq!(
        failed.iter().map(|record| record.id).collect::<Vec<_>>(),
        ids[3..5]
    );
}

#[tokio::test]
async fn the_oldest_endings_beyond_the_limit_are_forgotten_and_running_calls_never() {
    let place = Place::new();
    let settings = config::Records {
        max: 2,
        ..config::Records::default()
    };
    let store = place.open_with(settings.clone()).await;
    let running = store.begin(call(Some(Uuid::new_v4()))).await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(ended(&store).await);
    }
    assert_eq!(
        states(&store),
        [
            RecordState::Succeeded,
            RecordState::Succeeded,
            RecordState::Running
        ]
    );
    assert!(store.get(&ids[1]).is_none() && store.get(&ids[2]).is_some());
    running.end(json("1")).await;
    assert!(
        store.get(&running.id()).is_some() && store.get(&ids[2]).is_none(),
        "the end counts, not the beginning"
    );
    drop((running, store));
    let store = place.open_with(settings).await;
    assert_eq!(states(&store).len(), 2, "also what was not deleted yet");
}

#[tokio::test]
async fn forgotten_records_are_deleted_from_the_database() {
    let place = Place::new();
    let settings = config::Records {
        max: 1,
        ..config::Records::default()
    };
    let store = place.open_with(settings).await;
    for _ in 0..5 {
        ended(&store).await;
    }
    let tending = tokio::spawn({
        let store = store.clone();
        async move { store.tend().await }
    });
    let rows = || {
        let count = |connection: &Connection, _: &std::path::Path| {
            Ok(connection.query_row("SELECT count(*) FROM calls", [], |row| row.get::<_, i64>(0))?)
        };
        store.database.read(count).unwrap()
    };
    let deleted = async {
        while rows() != 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), deleted)
        .await
        .unwrap();
    tending.abort();
}

#[tokio::test]
async fn records_older_than_they_are_kept_are_forgotten() {
    let place = Place::new();
    let store = place.open().await;
    let old = ended(&store).await;
    let keep = micros(store.keep);
    store.index.write().expire(store.max, now() - keep);
    assert!(store.get(&old).is_some());
    store.index.write().expire(store.max, now() + 1);
    assert!(store.get(&old).is_none());
    assert_eq!(store.index.write().take_expired().len(), 1);
}

#[tokio::test]
async fn a_running_call_is_cancelled_and_one_that_is_over_is_not() {
    let place = Place::new();
    let store = place.open().await;
    let running = call(None);
    let open = store.begin(running.clone()).await.unwrap();
    store.cancel(open.id()).await.unwrap();
    assert!(running.state.is_cancelled());
    assert!(store.get(&open.id()).unwrap().cancel_requested_at.is_some());
    open.end(Err(error("given up"))).await;
    assert!(
        store.get(&open.id()).unwrap().cancel_requested_at.is_some(),
        "it is still known afterwards"
    );
    assert_eq!(store.cancel(open.id()).await, Err(CancelError::Over));
    assert_eq!(store.cancel(Uuid::now_v7()).await, Err(CancelError::Unknown));
}

#[tokio::test]
async fn a_host_that_stops_marks_what_still_runs_once_each() {
    let place = Place::new();
    let store = place.open().await;
    let (recorded, unrecorded, check) = (
        call(None),
        call(None),
        RunningCall {
            is_check: true,
            ..call(None)
        },
    );
    let open = store.begin(recorded.clone()).await.unwrap();
    store.interrupt(vec![recorded, unrecorded, check]);
    store.database.close();
    drop(open.end(json("1")));
    assert_eq!(
        states(&store),
        [RecordState::Interrupted, RecordState::Interrupted]
    );
}

#[tokio::test]
async fn a_call_that_cannot_be_recorded_has_no_record_and_its_end_is_written_when_the_disk_is_back() {
    let place = Place::new();
    let store = place.open().await;
    let limit_pages = |pages: u32| {
        store.database.run(
            move |connection: &Connection| {
                connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
                Ok::<(), StoreError>(())
            },
            |()| {},
        )
    };
    let open = store.begin(call(None)).await.unwrap();
    limit_pages(1).await.unwrap();
    let big = RunningCall {
        method: "m".repeat(100_000).into(),
        ..call(None)
    };
    let error = store.begin(big).await.unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    let end = tokio::spawn(open.end(Ok(Some("1".repeat(100_000).into()))));
    tokio::task::yield_now().await;
    // The end is queued before this and has failed when this is answered; it may have taken this with it.
    let _ = limit_pages(1).await;
    assert_eq!(
        states(&store),
        [RecordState::Running],
        "only what is durable is shown"
    );
    limit_pages(1_000_000).await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), end)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(states(&store), [RecordState::Succeeded]);
}
