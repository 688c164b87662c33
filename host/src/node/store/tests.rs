//! What the nodes' store promises.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::node::fields::{FieldFault, JsonObject, RareFields};
use crate::node::power::PowerState;

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

    fn database(&self) -> Arc<Database> {
        Arc::new(Database::open(&self.path, "host-1").unwrap())
    }

    fn open(&self) -> NodeStore {
        NodeStore::open(self.database()).unwrap()
    }

    fn refusal(&self) -> String {
        let text = NodeStore::open(self.database())
            .expect_err("must not open")
            .to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(self.path.to_str().unwrap()), "{text}");
        text
    }

    fn sql(&self, statements: &str) {
        Connection::open(&self.path)
            .unwrap()
            .execute_batch(statements)
            .unwrap();
    }
}

fn object(value: &Value) -> JsonObject {
    JsonObject::new(value.as_object().unwrap())
}

fn named(name: &str) -> NodeFields {
    NodeFields {
        name: Some(name.into()),
        driver: "fake".into(),
        ..NodeFields::default()
    }
}

fn full() -> NodeFields {
    NodeFields {
        name: Some("full".into()),
        driver: "ipmi".into(),
        driver_info: object(&json!({"ipmi_address": "10.0.0.1", "ipmi_password": "pässword \"\\"})),
        properties: object(&json!({"cpus": 64, "capabilities": ["a", {"b": null}]})),
        extra: object(&json!({"k": 1.5})),
        maintenance: true,
        protected: true,
        retired: true,
        automated_clean: Some(false),
        power_state: Some(PowerState::Off),
        target_power_state: Some(PowerState::On),
        rare: RareFields {
            instance_info: object(&json!({"image": "x"})),
            network_data: object(&json!({"links": []})),
            instance_uuid: Some(Uuid::new_v4()),
            chassis_uuid: Some(Uuid::new_v4()),
            resource_class: Some("gold".into()),
            owner: Some("o".into()),
            lessee: Some("l".into()),
            description: Some("text".into()),
            maintenance_reason: Some("m".into()),
            protected_reason: Some("p".into()),
            retired_reason: Some("r".into()),
            last_error: Some("e".into()),
        },
    }
}

#[tokio::test]
async fn a_node_is_the_same_after_a_restart() {
    let place = Place::new();
    let store = place.open();
    let uuid = Uuid::new_v4();
    let created = store.create(uuid, full()).await.unwrap();
    let changed = store
        .update(
            &created,
            NodeFields {
                maintenance: false,
                ..full()
            },
        )
        .await
        .unwrap();
    let plain = store.create(Uuid::new_v4(), named("plain")).await.unwrap();
    drop(store);

    let store = place.open();
    assert_eq!(store.len(), 2);
    for before in [changed, plain] {
        let after = store.get(&before.uuid()).unwrap();
        assert_eq!(
            (after.identity(), after.fields()),
            (before.identity(), before.fields())
        );
    }
    let node = store.find("full").unwrap();
    assert_eq!(
        (node.uuid(), node.revision(), node.maintenance()),
        (uuid, 2, false)
    );
    assert!(node.updated_at().unwrap() >= node.created_at());
}

#[tokio::test]
async fn a_node_is_found_by_uuid_in_every_spelling_and_by_name() {
    let place = Place::new();
    let store = place.open();
    let node = store.create(Uuid::new_v4(), named("n1")).await.unwrap();
    for ident in [
        "n1",
        &node.uuid().to_string(),
        &node.uuid().simple().to_string().to_uppercase(),
    ] {
        assert_eq!(store.find(ident).unwrap().uuid(), node.uuid(), "{ident}");
    }
    assert!(store.find("N1").is_none() && store.find(&Uuid::new_v4().to_string()).is_none());
}

#[tokio::test]
async fn uuid_name_and_instance_are_unique_and_the_refusal_names_which() {
    let place = Place::new();
    let store = place.open();
    let node = store.create(Uuid::new_v4(), full()).await.unwrap();
    let other = store.create(Uuid::new_v4(), named("other")).await.unwrap();

    let error = store.create(node.uuid(), named("x")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("A node with UUID {} already exists.", node.uuid())
    );
    let error = store.create(Uuid::new_v4(), named("full")).await.unwrap_err();
    assert_eq!(error.to_string(), "A node with name full already exists.");
    let error = store.update(&other, named("full")).await.unwrap_err();
    assert!(matches!(error, NodeError::NameTaken { .. }), "{error:?}");
    let mut stolen = named("other");
    stolen.rare.instance_uuid = node.rare().instance_uuid;
    let error = store.update(&other, stolen).await.unwrap_err();
    assert!(matches!(error, NodeError::InstanceTaken { .. }), "{error:?}");
    assert_eq!(
        store.get(&other.uuid()).unwrap().revision(),
        1,
        "refused changes change nothing"
    );
}

#[tokio::test]
async fn a_change_on_an_old_revision_is_refused() {
    let place = Place::new();
    let store = place.open();
    let seen = store.create(Uuid::new_v4(), named("a")).await.unwrap();
    store.update(&seen, named("b")).await.unwrap();
    let error = store.update(&seen, named("c")).await.unwrap_err();
    assert!(
        matches!(error, NodeError::Changed { uuid } if uuid == seen.uuid()),
        "{error:?}"
    );
    assert!(store.find("b").is_some() && store.find("a").is_none() && store.find("c").is_none());

    store.delete(seen.uuid()).await.unwrap();
    let error = store.update(&seen, named("c")).await.unwrap_err();
    assert!(matches!(error, NodeError::Gone { .. }), "{error:?}");
    assert!(matches!(
        store.delete(seen.uuid()).await,
        Err(NodeError::Gone { .. })
    ));
    assert!(store.is_empty() && store.find("b").is_none());
}

#[tokio::test]
async fn a_node_created_again_with_the_same_uuid_is_another_node() {
    let place = Place::new();
    let store = place.open();
    let seen = store.create(Uuid::new_v4(), named("a")).await.unwrap();
    store.delete(seen.uuid()).await.unwrap();
    let again = store.create(seen.uuid(), named("b")).await.unwrap();
    assert_eq!(again.revision(), seen.revision());
    let error = store.update(&seen, named("c")).await.unwrap_err();
    assert!(
        matches!(error, NodeError::Gone { uuid } if uuid == seen.uuid()),
        "{error:?}"
    );
    drop(store);
    let found = place.open().nodes_after(0, 10);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].identity(), found[0].fields()),
        (again.identity(), named("b"))
    );
}

#[test]
fn a_node_that_replaces_another_in_the_index_takes_its_place_in_the_order() {
    let identity = |sequence: i64| Identity {
        uuid: Uuid::nil(),
        sequence,
        revision: 1,
        created_at: 0,
        updated_at: None,
    };
    let mut index = Index::default();
    for (sequence, name) in [(1, "a"), (2, "b")] {
        index.put(Arc::new(Node::new(identity(sequence), named(name)).unwrap()));
        let listed: Vec<_> = index.after(0, 10).iter().map(|node| node.sequence()).collect();
        assert_eq!((listed, index.len()), (vec![sequence], 1));
    }
    assert!(index.named("a").is_none() && index.named("b").is_some());
}

#[tokio::test]
async fn a_name_that_was_given_up_can_be_taken_by_another_node() {
    let place = Place::new();
    let store = place.open();
    let first = store.create(Uuid::new_v4(), named("a")).await.unwrap();
    store.update(&first, named("b")).await.unwrap();
    let second = store.create(Uuid::new_v4(), named("a")).await.unwrap();
    store.delete(first.uuid()).await.unwrap();
    assert_eq!(store.find("a").unwrap().uuid(), second.uuid());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_each_fails_or_succeeds_alone() {
    let place = Place::new();
    let store = Arc::new(place.open());
    let tasks: Vec<_> = (0..400)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                store
                    .create(Uuid::new_v4(), named(&format!("n{}", n % 100)))
                    .await
            })
        })
        .collect();
    let mut created = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(node) => {
                created += 1;
                assert!(store.get(&node.uuid()).is_some(), "answered, so it is visible");
            }
            Err(error) => assert!(matches!(error, NodeError::NameTaken { .. }), "{error:?}"),
        }
    }
    assert_eq!((created, store.len()), (100, 100));
    drop(store);
    assert_eq!(place.open().len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_changes_of_one_node_are_all_counted() {
    let place = Place::new();
    let store = Arc::new(place.open());
    let uuid = store.create(Uuid::new_v4(), named("n")).await.unwrap().uuid();
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.set_last_error(uuid, Some(&format!("error {n}"))).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(store.get(&uuid).unwrap().revision(), 21);
}

#[tokio::test]
async fn last_error_is_written_only_when_it_changes() {
    let place = Place::new();
    let store = place.open();
    let uuid = store.create(Uuid::new_v4(), named("n")).await.unwrap().uuid();
    store.set_last_error(uuid, None).await.unwrap();
    assert_eq!(store.get(&uuid).unwrap().revision(), 1);
    for _ in 0..2 {
        store
            .set_last_error(uuid, Some("Async execution failed"))
            .await
            .unwrap();
        assert_eq!(store.get(&uuid).unwrap().revision(), 2);
    }
    assert_eq!(
        store.get(&uuid).unwrap().rare().last_error.as_deref(),
        Some("Async execution failed")
    );
    assert!(matches!(
        store.set_last_error(Uuid::nil(), None).await,
        Err(NodeError::Gone { .. })
    ));
}

#[tokio::test]
async fn nodes_are_read_in_the_order_of_creation_and_places_are_never_given_twice() {
    let place = Place::new();
    let store = place.open();
    let mut nodes = Vec::new();
    for n in 0..5 {
        nodes.push(
            store
                .create(Uuid::new_v4(), named(&format!("n{n}")))
                .await
                .unwrap(),
        );
    }
    store.delete(nodes[4].uuid()).await.unwrap();
    drop(store);
    let store = place.open();
    let late = store.create(Uuid::new_v4(), named("late")).await.unwrap();
    assert!(late.sequence() > nodes[4].sequence());
    let names: Vec<_> = store
        .nodes_after(nodes[1].sequence(), 10)
        .iter()
        .map(|node| node.name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["n2", "n3", "late"]);
    assert_eq!(store.nodes_after(0, 2).len(), 2);
}

#[tokio::test]
async fn secret_names_are_remembered_after_their_driver_is_gone() {
    let place = Place::new();
    let store = place.open();
    store
        .remember_secrets("ipmi", &["oem_door", "oem_key"])
        .await
        .unwrap();
    store.remember_secrets("ipmi", &["oem_door"]).await.unwrap();
    store.remember_secrets("other", &[]).await.unwrap();
    assert!(store.secrets().covers("oem_door"));
    drop(store);
    let secrets = place.open().secrets();
    assert!(secrets.covers("oem_door") && secrets.covers("oem_key") && !secrets.covers("oem"));
}

#[tokio::test]
async fn a_node_that_cannot_be_kept_is_refused_and_leaves_nothing() {
    let place = Place::new();
    let store = place.open();
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let fields = NodeFields {
        extra: object(&deep),
        ..named("n")
    };
    let error = store.create(Uuid::new_v4(), fields).await.unwrap_err();
    assert!(
        matches!(
            error,
            NodeError::Field(FieldFault::TooDeep {
                field: "extra",
                found: 101
            })
        ),
        "{error:?}"
    );
    drop(store);
    assert!(place.open().is_empty());
}

#[tokio::test]
async fn a_full_disk_fails_what_was_not_written_and_nothing_else() {
    let place = Place::new();
    let database = place.database();
    let store = NodeStore::open(database.clone()).unwrap();
    store.create(Uuid::new_v4(), named("before")).await.unwrap();
    let limit_pages = |pages: u32| {
        database.run(
            move |connection: &Connection| {
                connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
                Ok::<(), StoreError>(())
            },
            |()| {},
        )
    };
    database.writable().await.unwrap();
    limit_pages(1).await.unwrap();
    let big = NodeFields {
        extra: object(&json!({"k": "x".repeat(100_000)})),
        ..named("big")
    };
    let error = store.create(Uuid::new_v4(), big.clone()).await.unwrap_err();
    assert!(
        matches!(&error, NodeError::Store(StoreError::Undone { cause }) if cause.contains("full")),
        "{error:?}"
    );
    assert!(store.find("big").is_none());
    limit_pages(1_000_000).await.unwrap();
    store.create(Uuid::new_v4(), big).await.unwrap();
    drop((store, database));
    assert_eq!(place.open().len(), 2);
}

#[tokio::test]
async fn a_database_that_a_crash_left_in_its_log_is_opened_again() {
    let place = Place::new();
    let store = place.open();
    store.create(Uuid::new_v4(), named("n")).await.unwrap();
    let copy = Place::new();
    for end in ["", "-wal"] {
        let of = |place: &Place| PathBuf::from(format!("{}{end}", place.path.display()));
        fs::copy(of(&place), of(&copy)).unwrap();
    }
    assert!(copy.open().find("n").is_some());
}

#[tokio::test]
async fn power_changes_that_a_host_left_behind_are_over_and_nobody_knows_the_state() {
    let place = Place::new();
    let store = place.open();
    let changing = NodeFields {
        power_state: Some(PowerState::Off),
        target_power_state: Some(PowerState::On),
        ..named("changing")
    };
    let resting = NodeFields {
        power_state: Some(PowerState::Off),
        ..named("resting")
    };
    store.create(Uuid::new_v4(), changing).await.unwrap();
    store.create(Uuid::new_v4(), resting).await.unwrap();
    drop(store);
    let store = place.open();
    store.end_interrupted_power_changes().await.unwrap();
    let changing = store.find("changing").unwrap();
    assert_eq!(
        (changing.power_state(), changing.target_power_state()),
        (None, None)
    );
    assert_eq!(
        changing.rare().last_error.as_deref(),
        Some("Pending power operation was aborted due to conductor restart")
    );
    let resting = store.find("resting").unwrap();
    assert_eq!(
        (resting.power_state(), resting.revision()),
        (Some(PowerState::Off), 1)
    );
}

#[tokio::test]
async fn damage_is_refused_with_what_is_damaged() {
    let place = Place::new();
    let store = place.open();
    let uuid = store.create(Uuid::new_v4(), named("n")).await.unwrap().uuid();
    drop(store);
    place.sql("UPDATE nodes SET extra = '{\"a\":'");
    let text = place.refusal();
    assert!(
        text.contains("is damaged") && text.contains(&uuid.to_string()),
        "{text}"
    );
    place.sql("UPDATE nodes SET extra = '{}', instance_uuid = 'zz'");
    assert!(
        place.refusal().contains("\"zz\" is not a uuid"),
        "{}",
        place.refusal()
    );
    place.sql("UPDATE nodes SET instance_uuid = NULL, power_state = 'warm'");
    let text = place.refusal();
    assert!(text.contains("\"warm\" is not a power state"), "{text}");
}

#[tokio::test]
async fn objects_that_were_edited_by_hand_are_kept_as_this_host_writes_them() {
    let place = Place::new();
    let store = place.open();
    store.create(Uuid::new_v4(), named("n")).await.unwrap();
    drop(store);
    place.sql(r#"UPDATE nodes SET driver_info = '{ "p\u0061ssword" : "x" }'"#);
    assert_eq!(
        place.open().find("n").unwrap().driver_info(),
        r#"{"password":"x"}"#
    );
}
