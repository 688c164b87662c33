//! How calls follow each other, and what one turn of them took.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;

use super::pair::Pair;
use crate::load::as_f64;
use crate::process::cpu_time;

/// How calls follow each other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// Each when the one before it is answered.
    Next,
    /// So many such sequences at once.
    AtOnce(usize),
    /// One each time so much has passed, so that everybody sleeps in between.
    Each(Duration),
}

/// One way's turn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) per_second: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) cpu_us: f64,
}

/// What is looked at before and after a turn.
struct Clocks {
    started: Instant,
    cpu: Duration,
    child: Option<u32>,
}

impl Clocks {
    fn now(child: Option<u32>) -> Result<Clocks> {
        Ok(Clocks {
            cpu: used(child)?,
            started: Instant::now(),
            child,
        })
    }

    fn turn(self, mut took: Vec<u32>) -> Result<Turn> {
        let elapsed = self.started.elapsed();
        let cpu = used(self.child)?.saturating_sub(self.cpu);
        took.sort_unstable();
        let calls = as_f64(u64::try_from(took.len())?);
        let part = |of: usize| took.get(took.len() * of / 100).map(|ns| f64::from(*ns) / 1000.0);
        Ok(Turn {
            per_second: calls / elapsed.as_secs_f64(),
            p50_us: part(50).context("a turn without a call")?,
            p99_us: part(99).context("a turn without a call")?,
            cpu_us: cpu.as_secs_f64() * 1e6 / calls,
        })
    }
}

/// CPU time of this process and of the one at the other end.
fn used(child: Option<u32>) -> Result<Duration> {
    let own = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime))?;
    Ok(own + child.map(cpu_time).transpose()?.unwrap_or_default())
}

fn nanoseconds(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_nanos()).unwrap_or(u32::MAX)
}

/// Calls from tasks of the host's runtime.
pub(super) fn of_tasks<F: Future<Output = Result<()>> + Send + 'static>(
    pace: Pace,
    runtime: &Runtime,
    child: Option<u32>,
    time: Duration,
    call: impl Fn() -> F + Clone + Send + 'static,
) -> Result<Turn> {
    let (sequences, pause) = match pace {
        Pace::Next => (1, None),
        Pace::AtOnce(sequences) => (sequences, None),
        Pace::Each(pause) => (1, Some(pause)),
    };
    let clocks = Clocks::now(child)?;
    let end = clocks.started + time;
    let took: Result<Vec<u32>> = runtime.block_on(async {
        let mut running = Vec::new();
        for _ in 0..sequences {
            let call = call.clone();
            running.push(tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    if let Some(pause) = pause {
                        tokio::time::sleep(pause).await;
                    }
                    let started = Instant::now();
                    call().await?;
                    took.push(nanoseconds(started));
                }
                anyhow::Ok(took)
            }));
        }
        let mut all = Vec::new();
        for sequence in running {
            all.extend(sequence.await??);
        }
        Ok(all)
    });
    clocks.turn(took?)
}

/// Messages through a socket pair, from this thread.
pub(super) fn of_pair(pace: Pace, pair: &Pair, bytes: usize, time: Duration) -> Result<Turn> {
    let clocks = Clocks::now(Some(pair.process()))?;
    let end = clocks.started + time;
    let (at_once, pause) = match pace {
        Pace::Next => (1, None),
        Pace::AtOnce(at_once) => (at_once, None),
        Pace::Each(pause) => (1, Some(pause)),
    };
    let mut took = Vec::new();
    let mut sent = VecDeque::new();
    let message = vec![b' '; bytes * at_once];
    let mut buffer = vec![0; bytes * at_once];
    // So many messages are to be written, and so many bytes of one have come.
    let (mut due, mut begun) = (at_once, 0);
    loop {
        if let Some(pause) = pause {
            std::thread::sleep(pause);
        }
        if Instant::now() < end && due > 0 {
            sent.extend(std::iter::repeat_n(Instant::now(), due));
            pair.write(&message[..bytes * due])?;
        }
        if sent.is_empty() {
            return clocks.turn(took);
        }
        begun += pair.read(&mut buffer)?;
        due = begun / bytes;
        begun %= bytes;
        took.extend(sent.drain(..due).map(nanoseconds));
    }
}
