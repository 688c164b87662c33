//! The host is killed in the middle of its work, again and again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;
use suite::{HostProcess, Load, Random, Signal, Witness, eventually, records};

const SOON: Duration = Duration::from_secs(30);
const KILLS: u32 = 200;

#[test]
fn killed_200_times_in_the_middle_of_its_work_the_host_loses_no_call_and_repeats_none() {
    let mut random = Random::new();
    let witness = Witness::new();
    let mut host = witness.watch(HostProcess::builder()).start();
    let load = Load::new(&host);
    let mut checked = 0;
    let mut interrupted = 0;
    for round in 0..KILLS {
        let enough = load.accepted() + 1 + usize::try_from(random.below(6)).expect("small");
        let then = Duration::from_micros(random.below(8000));
        load.run(&host.address, &mut random.fork(), || {
            eventually("some calls are accepted", SOON, || {
                (load.accepted() >= enough).then_some(())
            });
            // The moment is what is random here; nothing is waited for.
            let seen = Instant::now();
            while seen.elapsed() < then {
                std::thread::yield_now();
            }
            host.send(Signal::KILL);
        });
        host = host.crash_and_restart();

        let nodes = host.get("/v1/nodes?fields=uuid,reservation").expect(200).json();
        for node in nodes["nodes"].as_array().expect("a list") {
            assert_eq!(node["reservation"], Value::Null, "round {round}: {node}");
        }
        let running = host.get("/v1/calls?state=running").expect(200).json();
        assert_eq!(running["calls"], Value::Array(Vec::new()), "round {round}");
        let begun: BTreeSet<String> = witness.tokens().into_iter().collect();
        let sent = load.sent_from(checked);
        checked += sent.len();
        for sent in &sent {
            sent.as_asked();
            let Some(location) = sent.record() else { continue };
            let record = host.get(location).expect(200).json();
            match record["state"].as_str() {
                Some("succeeded") => {
                    assert_eq!(record["result"], sent.token.as_str(), "round {round}");
                    assert!(begun.contains(&sent.token), "round {round}: {record}");
                }
                Some("interrupted") => interrupted += 1,
                _ => panic!("round {round}: {record}"),
            }
        }
    }

    let begun = witness.tokens();
    let once: BTreeSet<&String> = begun.iter().collect();
    assert_eq!(once.len(), begun.len(), "no call is made twice");
    let sent = load.sent_from(0);
    let tokens: BTreeSet<&String> = sent.iter().map(|sent| &sent.token).collect();
    assert!(once.is_subset(&tokens), "no call is made that nobody asked for");

    let all = records(&host);
    let promised: BTreeSet<&str> = sent.iter().filter_map(|sent| sent.record()).collect();
    assert!(
        promised.iter().all(|record| all.contains_key(*record)),
        "every promised record is still there after all restarts"
    );
    let unpromised = all.len() - promised.len();
    let unanswered = sent.iter().filter(|sent| sent.is_unheard()).count();
    assert!(
        unpromised <= unanswered,
        "{unpromised} records for {unanswered} requests that got no answer"
    );
    let begun_unpromised = sent
        .iter()
        .filter(|sent| sent.is_unheard() && once.contains(&sent.token))
        .count();
    assert!(
        begun_unpromised <= unpromised,
        "no call is begun before its record is kept: {begun_unpromised} begun, {unpromised} records"
    );
    println!(
        "{} requests, {} accepted, {interrupted} of them interrupted, {unpromised} records for {unanswered} unanswered requests",
        sent.len(),
        promised.len()
    );
    assert!(interrupted > 0, "no kill came in the middle of a call");
}
