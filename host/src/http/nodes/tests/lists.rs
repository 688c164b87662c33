//! Lists: fields, filters, order and pages.

use super::*;

#[tokio::test]
async fn lists_are_paged_with_absolute_links() {
    let host = Host::new().await;
    for name in ["a", "b", "c"] {
        host.node(name).await;
    }
    let mut path = "/v1/nodes?limit=1&maintenance=no&sort_key=name&sort_dir=desc&fields=name".to_owned();
    let mut names = Vec::new();
    loop {
        let answer = host.get(77, &path).await;
        let page = answer.body["nodes"].as_array().unwrap().clone();
        assert_eq!(page.len(), 1);
        assert_eq!(keys(&page[0]), ["name", "links"]);
        names.push(page[0]["name"].as_str().unwrap().to_owned());
        let Some(next) = answer.body.get("next") else {
            break;
        };
        path = next
            .as_str()
            .unwrap()
            .strip_prefix("http://bm:1")
            .unwrap()
            .to_owned();
    }
    assert_eq!(names, ["c", "b", "a"]);
    let first = host.get(1, "/v1/nodes/detail?limit=1").await.body;
    let marker = first["nodes"][0]["uuid"].as_str().unwrap();
    let next = format!("http://bm:1/v1/nodes/detail?sort_key=id&sort_dir=asc&limit=1&marker={marker}");
    assert_eq!(first["next"], next);
    assert_eq!(
        keys(&host.get(77, "/v1/nodes").await.body),
        ["nodes"],
        "no next link on the last page"
    );
}

#[tokio::test]
async fn short_lists_have_ironics_fields() {
    let host = Host::new().await;
    host.node("a").await;
    let short = [
        "uuid",
        "instance_uuid",
        "maintenance",
        "power_state",
        "provision_state",
        "links",
    ];
    assert_eq!(keys(&host.get(1, "/v1/nodes").await.body["nodes"][0]), short);
    let named = [
        "uuid",
        "instance_uuid",
        "maintenance",
        "power_state",
        "provision_state",
        "name",
        "links",
    ];
    assert_eq!(
        keys(&host.get(77, "/v1/nodes?detail=False").await.body["nodes"][0]),
        named
    );
}

#[tokio::test]
async fn bad_arguments_of_a_list_are_refused_in_ironics_words() {
    let host = Host::new().await;
    let unknown = Uuid::new_v4();
    for (minor, query, status, text) in [
        (77, "limit=0", 400, "Limit must be positive"),
        (77, "limit=-1", 400, "Limit must be positive"),
        (77, "limit=x", 400, "Expected an integer for limit: x"),
        (77, "marker=x", 400, "Expected UUID for marker: x"),
        (
            77,
            &format!("marker={unknown}"),
            404,
            &format!("Node {unknown} could not be found."),
        ),
        (
            77,
            "sort_key=zzz",
            400,
            "The sort_key value \"zzz\" is an invalid field for sorting",
        ),
        (
            77,
            "sort_key=driver_info",
            400,
            "The sort_key value driver_info is an invalid field for sorting",
        ),
        (
            77,
            "sort_dir=up",
            400,
            "Invalid sort direction: up. Acceptable values are 'asc' or 'desc'",
        ),
        (77, "fields=bogus", 400, "Field(s) \"bogus\" are not valid."),
        (
            77,
            "detail=true&fields=uuid",
            400,
            "Can not specify ?detail=True and fields in the same request.",
        ),
        (
            42,
            "detail=true",
            400,
            "Invalid query parameter ?detail=True received.",
        ),
        (
            77,
            "provision_state=happy",
            400,
            "Provision state \"happy\" is not valid",
        ),
        (
            77,
            "maintenance=maybe",
            400,
            "Invalid maintenance: Unrecognized value 'maybe'",
        ),
        (77, "foo=1&bar=2", 400, "Unexpected arguments: foo, bar"),
        (15, "driver=x", 406, "Request not acceptable."),
        (20, "resource_class=x", 406, "Request not acceptable."),
    ] {
        let (found, words) = host.get(minor, &format!("/v1/nodes?{query}")).await.fault();
        assert_eq!(found, status, "{query}: {words}");
        assert!(words.starts_with(text), "{query}: {words}");
    }
    let fault = host.get(77, "/v1/nodes/detail?fields=uuid").await.fault();
    assert_eq!(fault, (400, "Unexpected arguments: fields".to_owned()));
    for good in [
        "limit=99999999999999999999",
        "provision_state=active",
        "fault=x",
        "conductor=h",
        "associated=1",
    ] {
        assert_eq!(
            host.get(77, &format!("/v1/nodes?{good}")).await.body,
            json!({"nodes": []}),
            "{good}"
        );
    }
}
