//! The rows of the table: what is asked, and which bare servers are asked the same.

/// A server of the contest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// What it is all about.
    Host,
    /// Checks the JSON and echoes.
    Hyper,
    /// Routes, checks the JSON and echoes.
    Axum,
    /// As axum, with one `spawn_blocking` per request.
    SpawnBlocking,
    /// Makes a row durable and answers 202.
    CommitLoop,
    /// The host, with its drivers in processes of their own.
    Worker,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Kind; 6] = [
        Kind::Host,
        Kind::Hyper,
        Kind::Axum,
        Kind::SpawnBlocking,
        Kind::CommitLoop,
        Kind::Worker,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Hyper => "hyper",
            Kind::Axum => "axum",
            Kind::SpawnBlocking => "spawn-blocking",
            Kind::CommitLoop => "commit-loop",
            Kind::Worker => "worker",
        }
    }

    /// The program.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Kind::Host | Kind::Worker => "host",
            Kind::Hyper => "bare-hyper",
            Kind::Axum => "bare-axum",
            Kind::SpawnBlocking => "spawn-blocking",
            Kind::CommitLoop => "commit-loop",
        }
    }
}

const ECHO: &[Kind] = &[Kind::Host, Kind::Hyper, Kind::Axum, Kind::SpawnBlocking];
const READ: &[Kind] = &[Kind::Host, Kind::Hyper, Kind::Axum];
const COMMIT: &[Kind] = &[Kind::Host, Kind::CommitLoop];
const PLACES: &[Kind] = &[Kind::Host, Kind::Worker];

/// How many slow calls are in flight beside the fast ones, and how long each takes.
pub(crate) const SLOW_CALLS: usize = 200;
pub(crate) const SLOW_BODY: &[u8] = br#"{"ms": 50}"#;
pub(crate) const SLOW_PATH: &str = "/v1/drivers/bench/vendor_passthru/sleep";

/// An async call.
pub(crate) const ASYNC_PATH: &str = "/v1/drivers/bench/vendor_passthru/ignore";

/// What is asked.
pub(crate) enum Target {
    /// One path.
    Path(&'static str),
    /// This path of each of a thousand nodes; `{}` stands for the node.
    EachNode(&'static str),
    /// This path of one node.
    OneNode(&'static str),
}

/// One row.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) verb: &'static str,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) target: Target,
    pub(crate) servers: &'static [Kind],
    /// Whether the slow calls run meanwhile.
    pub(crate) beside_slow: bool,
}

/// Every row, in the order of the report.
pub(crate) fn all() -> Vec<Row> {
    let echo = |name, title, target, body: &[u8]| Row {
        name,
        title,
        verb: "POST",
        body: Some(body.to_vec()),
        target,
        servers: ECHO,
        beside_slow: false,
    };
    let read = |name, title, target| Row {
        name,
        title,
        verb: "GET",
        body: None,
        target,
        servers: READ,
        beside_slow: false,
    };
    let (small, large) = (b"{}".as_slice(), large_body());
    let driver = "/v1/drivers/bench/vendor_passthru/echo";
    let node = "/v1/nodes/{}/vendor_passthru/echo_node";
    let deferred = "/v1/drivers/bench/vendor_passthru/echo_deferred";
    let places = |row: Row| Row {
        servers: PLACES,
        ..row
    };
    vec![
        echo("driver-2b", "driver passthru, 2 B", Target::Path(driver), small),
        echo(
            "driver-4k",
            "driver passthru, 4 KiB",
            Target::Path(driver),
            &large,
        ),
        echo(
            "boundary-4k",
            "driver passthru, 4 KiB, driver made without the SDK",
            Target::Path("/v1/drivers/plain/vendor_passthru/repeat"),
            &large,
        ),
        echo(
            "node-2b",
            "node passthru, exclusive lock, 1,000 nodes, 2 B",
            Target::EachNode(node),
            small,
        ),
        echo(
            "node-4k",
            "node passthru, exclusive lock, 1,000 nodes, 4 KiB",
            Target::EachNode(node),
            &large,
        ),
        echo(
            "deferred",
            "deferred driver passthru, 2 B",
            Target::Path(deferred),
            small,
        ),
        Row {
            servers: COMMIT,
            ..echo(
                "async",
                "async driver passthru, 2 B",
                Target::Path(ASYNC_PATH),
                small,
            )
        },
        read("drivers", "GET /v1/drivers", Target::Path("/v1/drivers")),
        read("node-show", "GET /v1/nodes/X", Target::OneNode("/v1/nodes/{}")),
        read(
            "page",
            "GET /v1/nodes, 1,000 of 100,000",
            Target::Path("/v1/nodes?limit=1000"),
        ),
        Row {
            beside_slow: true,
            ..echo(
                "beside",
                "driver passthru, 2 B, beside 200 calls of 50 ms",
                Target::Path(driver),
                small,
            )
        },
        places(echo(
            "worker-2b",
            "driver passthru through a worker process, 2 B",
            Target::Path(driver),
            small,
        )),
        places(echo(
            "worker-4k",
            "driver passthru through a worker process, 4 KiB",
            Target::Path(driver),
            &large,
        )),
        places(echo(
            "worker-node",
            "node passthru through a worker process, exclusive lock, 1,000 nodes, 2 B",
            Target::EachNode(node),
            small,
        )),
        places(echo(
            "worker-defer",
            "deferred driver passthru through a worker process, 2 B",
            Target::Path(deferred),
            small,
        )),
    ]
}

/// 4 KiB of JSON as devices answer it: small objects of texts and numbers.
pub(crate) fn large_body() -> Vec<u8> {
    let mut readings = Vec::new();
    for number in 0..61 {
        readings.push(format!(
            r#"{{"sensor":"temp-{number:03}","value":{}.5,"unit":"Cel","fine":true}}"#,
            20 + number % 10
        ));
    }
    let mut body = format!(r#"{{"readings":[{}]}}"#, readings.join(","));
    // Spaces between values are JSON as well.
    while body.len() < 4096 {
        body.insert(1, ' ');
    }
    body.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_large_body_is_4_kib_of_json() {
        let body = large_body();
        assert_eq!(body.len(), 4096);
        assert!(bench::is_fine(&body));
    }

    #[test]
    fn no_name_of_a_row_is_a_part_of_another() {
        let rows = all();
        for row in &rows {
            let with = rows.iter().filter(|other| other.name.contains(row.name)).count();
            assert_eq!(with, 1, "{}", row.name);
        }
    }
}
