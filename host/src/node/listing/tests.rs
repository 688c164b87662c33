//! Filters, orders and pages.

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::database::Database;
use crate::node::fields::{JsonObject, NodeFields};

async fn store(names: &[&str]) -> (TempDir, NodeStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = NodeStore::open(Arc::new(
        Database::open(&folder.path().join("host.db"), "h").unwrap(),
    ))
    .unwrap();
    for (n, name) in names.iter().enumerate() {
        let mut fields = NodeFields {
            driver: "fake".into(),
            ..NodeFields::default()
        };
        if !name.is_empty() {
            fields.name = Some((*name).into());
        }
        fields.maintenance = n % 2 == 1;
        fields.extra = JsonObject::new(json!({ "n": n }).as_object().unwrap());
        fields.rare.description = Some(format!("Rack {n}").into());
        store.create(Uuid::new_v4(), fields).await.unwrap();
    }
    (folder, store)
}

fn query(limit: usize) -> NodeQuery {
    NodeQuery {
        limit,
        ..NodeQuery::default()
    }
}

/// Reads all pages.
fn names(store: &NodeStore, mut query: NodeQuery) -> Vec<String> {
    let mut names = Vec::new();
    loop {
        let page = query.page(store);
        assert!(page.nodes.len() <= query.limit);
        names.extend(
            page.nodes
                .iter()
                .map(|node| node.name().unwrap_or("-").to_owned()),
        );
        query.marker = page.nodes.last().cloned();
        if !page.more {
            return names;
        }
    }
}

#[tokio::test]
async fn pages_of_any_size_make_the_same_list() {
    let (_folder, store) = store(&["d", "a", "", "c", "b", ""]).await;
    for limit in [1, 2, 3, 5, 6, 100] {
        assert_eq!(
            names(&store, query(limit)),
            ["d", "a", "-", "c", "b", "-"],
            "limit {limit}"
        );
        let by_name = NodeQuery {
            sort_key: SortKey::Name,
            ..query(limit)
        };
        assert_eq!(
            names(&store, by_name.clone()),
            ["-", "-", "a", "b", "c", "d"],
            "limit {limit}"
        );
        let descending = NodeQuery {
            direction: SortDirection::Descending,
            ..by_name
        };
        assert_eq!(
            names(&store, descending),
            ["d", "c", "b", "a", "-", "-"],
            "limit {limit}"
        );
        let newest = NodeQuery {
            direction: SortDirection::Descending,
            ..query(limit)
        };
        assert_eq!(
            names(&store, newest),
            ["-", "b", "c", "-", "a", "d"],
            "limit {limit}"
        );
        let constant = NodeQuery {
            sort_key: SortKey::Constant,
            ..query(limit)
        };
        assert_eq!(
            names(&store, constant),
            ["d", "a", "-", "c", "b", "-"],
            "limit {limit}"
        );
    }
}

#[tokio::test]
async fn a_page_says_whether_there_are_more() {
    let (_folder, store) = store(&["a", "b"]).await;
    assert!(query(1).page(&store).more);
    assert!(!query(2).page(&store).more);
    assert!(query(0).page(&store).nodes.is_empty());
}

#[tokio::test]
async fn filters_combine_and_a_marker_need_not_match_them() {
    let (_folder, store) = store(&["a", "b", "c", "d"]).await;
    let filter = NodeFilter {
        maintenance: Some(true),
        driver: Some("fake".into()),
        ..NodeFilter::default()
    };
    assert_eq!(
        names(
            &store,
            NodeQuery {
                filter: filter.clone(),
                ..query(1)
            }
        ),
        ["b", "d"]
    );
    let marker = store.find("c");
    assert_eq!(
        names(
            &store,
            NodeQuery {
                filter: filter.clone(),
                marker,
                ..query(1)
            }
        ),
        ["d"]
    );
    let filter = NodeFilter {
        description_contains: Some("rack 1".into()),
        ..filter
    };
    assert_eq!(
        names(
            &store,
            NodeQuery {
                filter: filter.clone(),
                ..query(9)
            }
        ),
        ["b"]
    );
    let filter = NodeFilter {
        associated: Some(true),
        ..filter
    };
    assert!(names(&store, NodeQuery { filter, ..query(9) }).is_empty());
    let filter = NodeFilter {
        nothing: true,
        ..NodeFilter::default()
    };
    assert!(names(&store, NodeQuery { filter, ..query(9) }).is_empty());
}

#[tokio::test]
async fn long_lists_are_sorted_as_a_whole() {
    let all: Vec<String> = (0..3000_u32)
        .map(|n| format!("n{:04}", n * 7919 % 3000))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(
        NodeStore::open(Arc::new(
            Database::open(&folder.path().join("host.db"), "h").unwrap(),
        ))
        .unwrap(),
    );
    let tasks: Vec<_> = all
        .iter()
        .map(|name| {
            let (store, name) = (Arc::clone(&store), name.as_str().into());
            let fields = NodeFields {
                name: Some(name),
                driver: "fake".into(),
                ..NodeFields::default()
            };
            tokio::spawn(async move { store.create(Uuid::new_v4(), fields).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let expected: Vec<String> = (0..3000).map(|n| format!("n{n:04}")).collect();
    let by_name = NodeQuery {
        sort_key: SortKey::Name,
        ..query(37)
    };
    assert_eq!(names(&store, by_name), expected);
}
