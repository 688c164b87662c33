//! A call through a worker process without HTTP, beside the same driver in this process and beside a bare socket pair.

pub(crate) mod idle;
pub(crate) mod pair;
mod pace;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use host::plugin::loaded::{CallState, Confinement, Isolation, LoadedDriver, OwnedCall};
use host::plugin::{CalledOn, EnabledDriver, survey};
use host::request_id::RequestId;
use host::threads;
use tokio::runtime::Runtime;

use crate::arguments::Arguments;
use crate::figures::{Spread, median, short};
use crate::place::Place;
use crate::rows::large_body;
use crate::table::Table;
use pace::{Pace, Turn};
use pair::Pair;

pub(crate) const NAME: &str = "worker-call";

/// Under this name the host starts its own program again, as a worker.
pub(crate) const STARTED_AS: &str = "host-worker";
/// Threads of the host's runtime and of the driver's share, as with the default configuration.
const THREADS: u32 = 300;
/// What an order and a report carry beyond the body: the socket pair's messages have as many bytes.
const ORDER: usize = 72;
/// How often a host is called that has little to do.
const RARELY: Duration = Duration::from_millis(20);

const DRIVER: &str = "bench";

/// One way to the same answer.
enum Way<'a> {
    Driver(&'a Arc<LoadedDriver>),
    Pair(&'a Pair),
}

struct Case {
    title: &'static str,
    method: &'static str,
    body: Vec<u8>,
    pace: Pace,
}

fn cases() -> Vec<Case> {
    let case = |title, method, body: &[u8], pace| Case {
        title,
        method,
        body: body.to_vec(),
        pace,
    };
    let (small, large) = (b"{}".as_slice(), large_body());
    vec![
        case("2 B, one after the other", "echo", small, Pace::Next),
        case("4 KiB, one after the other", "echo", &large, Pace::Next),
        case("2 B deferred, one after the other", "echo_deferred", small, Pace::Next),
        case("2 B, 64 at once", "echo", small, Pace::AtOnce(64)),
        case("4 KiB, 64 at once", "echo", &large, Pace::AtOnce(64)),
        case("2 B deferred, 64 at once", "echo_deferred", small, Pace::AtOnce(64)),
        case("2 B, one each 20 ms", "echo", small, Pace::Each(RARELY)),
        case("4 KiB, one each 20 ms", "echo", &large, Pace::Each(RARELY)),
    ]
}

/// Measures it.
pub(crate) fn measure(place: &Place, arguments: &Arguments) -> Result<Table> {
    let runtime = runtime()?;
    let here = Arc::new(LoadedDriver::load(&enabled(place, "call")?, &toml::Table::new())?);
    let worker = Arc::new(runtime.block_on(isolated(place, "call"))?);
    let pair = Pair::start()?;
    let ways = [
        ("in-process", Way::Driver(&here)),
        ("socket pair", Way::Pair(&pair)),
        ("worker", Way::Driver(&worker)),
    ];
    let head = [
        "calls, and their way",
        "calls/s",
        "p50 us",
        "p99 us",
        "CPU us/call",
        "p50 more than in-process, us (from, to)",
        "p99 more, us",
        "p50 more / socket pair's",
    ];
    let mut table = Table::new(NAME, "a call through a worker process, without HTTP", &head).noting(
        "From the choice of a process to the driver's answer, through `plugin/loaded`; both checks are in it. The socket pair is the limit: one thread writes and reads messages of the same sizes without any content, a process at the other end reads and writes them back, both blocking. CPU is that of both processes.",
    );
    let (rounds, turn) = if arguments.quick {
        (3, Duration::from_millis(500))
    } else {
        (arguments.rounds().max(5), Duration::from_secs(1))
    };
    for case in cases() {
        let mut turns: [Vec<Turn>; 3] = Default::default();
        for round in 0..=rounds {
            for ((_, way), turns) in ways.iter().zip(&mut turns) {
                let turn = case.turn(way, &runtime, turn)?;
                // The first round is there to grow what grows.
                if round > 0 {
                    turns.push(turn);
                }
            }
        }
        let pair_p50 = median(turns[1].iter().map(|turn| turn.p50_us));
        for (number, ((way, _), own)) in ways.iter().zip(&turns).enumerate() {
            let all = |value: fn(&Turn) -> f64| median(own.iter().map(value));
            let more = |value: fn(&Turn) -> f64| -> Spread {
                let differences = own.iter().zip(&turns[0]).map(|(own, here)| value(own) - value(here));
                Spread::of(&differences.collect::<Vec<f64>>())
            };
            let p50 = more(|turn| turn.p50_us);
            let beyond = |text: String| if number == 0 { String::new() } else { text };
            table.line([
                format!("{}: {way}", case.title),
                short(all(|turn| turn.per_second)),
                short(all(|turn| turn.p50_us)),
                short(all(|turn| turn.p99_us)),
                short(all(|turn| turn.cpu_us)),
                beyond(format!("{:.1} ({:.1} to {:.1})", p50.median, p50.low, p50.high)),
                beyond(format!("{:.1}", more(|turn| turn.p99_us).median)),
                if number == 2 { format!("{:.2}", p50.median / pair_p50) } else { String::new() },
            ]);
        }
    }
    runtime.block_on(async {
        worker.shut_down().await;
        here.shut_down().await;
    });
    // As the host does: its threads end with the process.
    std::mem::forget(runtime);
    Ok(table)
}

impl Case {
    fn turn(&self, way: &Way<'_>, runtime: &Runtime, time: Duration) -> Result<Turn> {
        match way {
            Way::Pair(pair) => pace::of_pair(self.pace, pair, ORDER + self.body.len(), time),
            Way::Driver(driver) => {
                let method = driver.method(CalledOn::Driver, self.method).context("the method")?;
                let body = Bytes::from(self.body.clone());
                let (driver, method) = (Arc::clone(driver), method.clone());
                let child = driver.standing().and_then(|standing| standing.processes.first().copied());
                let child = child.map(u32::try_from).transpose()?;
                pace::of_tasks(self.pace, runtime, child, time, move || {
                    let (driver, method, body) = (driver.clone(), method.clone(), body.clone());
                    async move {
                        let call = OwnedCall {
                            method,
                            http_method: "POST",
                            state: Arc::new(CallState::new(
                                driver.name().clone(),
                                RequestId::random(),
                                Duration::from_secs(60),
                            )),
                            body: body.clone(),
                            node: None,
                            seat: driver.seat().await?,
                        };
                        driver.validate(&call).await?;
                        let reply = driver.start(&call).outcome().await?;
                        ensure!(reply.body.len() == body.len(), "a reply that is none");
                        Ok(())
                    }
                })
            }
        }
    }
}

fn runtime() -> Result<Runtime> {
    Ok(threads::runtime(usize::try_from(THREADS)?)?)
}

/// The benchmark's driver, in a folder of its own.
fn enabled(place: &Place, user: &str) -> Result<EnabledDriver> {
    let folder = place.folder(&format!("worker-{user}"))?;
    let file = folder.join("driver.so");
    if !file.exists() {
        std::fs::copy(place.driver(DRIVER)?, file)?;
    }
    let mut selection = survey(&folder, &[DRIVER.to_owned()])?;
    let enabled = selection.enabled.pop();
    enabled.with_context(|| format!("{:?}", selection.faults))
}

/// The benchmark's driver in one process, with the default configuration.
async fn isolated(place: &Place, user: &str) -> Result<LoadedDriver> {
    let isolation = Isolation {
        processes: 1,
        threads: THREADS,
        confinement: Confinement::default(),
        max_deaths: 5,
        window: Duration::from_secs(60),
        create_timeout: Duration::from_secs(30),
        grace: Duration::from_secs(5),
        max_reply_bytes: 16 * 1024 * 1024,
    };
    let loaded = LoadedDriver::load_isolated(&enabled(place, user)?, &toml::Table::new(), isolation);
    loaded.await.map_err(anyhow::Error::msg)
}
