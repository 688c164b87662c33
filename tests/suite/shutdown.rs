//! How a host ends: what runs may finish, what hangs is named and left behind.

use serde_json::json;
use suite::{FAKE, Gate, HostBuilder, HostProcess, Pending, SLOW};

/// Longer than any test takes.
const LONG_MS: i64 = 600_000;

fn blocked(host: &HostProcess, gate: &Gate) -> Pending {
    let call = host
        .request("POST", "/v1/drivers/slow/vendor_passthru/block")
        .json(&gate.arguments())
        .start();
    gate.wait_for(1);
    call
}

fn with_grace(ms: i64) -> HostBuilder {
    HostProcess::builder()
        .driver(FAKE)
        .driver(SLOW)
        .set("limits.shutdown_grace_ms", ms)
}

#[test]
fn sigterm_ends_the_host_with_code_0_after_finishing_what_runs() {
    let mut host = with_grace(LONG_MS).start();
    let gate = Gate::closed();
    let running = blocked(&host, &gate);
    host.terminate();
    host.logged(&["stopping"]);
    assert!(!running.is_answered());
    gate.open();
    running.wait().expect(200);
    assert_eq!(host.wait().code(), Some(0));
    assert!(host.log.lines_with(&["still running"]).is_empty());
}

#[test]
fn a_call_that_outlasts_the_grace_period_is_named_and_left_behind() {
    let mut host = with_grace(200).start();
    let gate = Gate::closed();
    let running = blocked(&host, &gate);
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    let named = host.log.lines_with(&["still running", "\"block\"", "\"slow\""]);
    assert_eq!(named.len(), 1, "{}", host.log.text());
    running.go_away();
}

#[test]
fn a_second_signal_ends_the_host_at_once() {
    let mut host = with_grace(LONG_MS).start();
    let gate = Gate::closed();
    let running = blocked(&host, &gate);
    host.terminate();
    host.logged(&["stopping"]);
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    for words in ["ending at once", "still running"] {
        let lines = host.log.lines_with(&[words]);
        assert_eq!(lines.len(), 1, "{words}: {}", host.log.text());
    }
    running.go_away();
}

#[test]
fn a_driver_that_hangs_while_it_ends_does_not_keep_the_host() {
    let hanging = || {
        with_grace(2000)
            .set("drivers.slow.config.hang_at_end", true)
            .start()
    };
    let mut host = hanging();
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
    let named = host.log.lines_with(&["did not shut down in time", "slow"]);
    assert_eq!(named.len(), 1, "{}", host.log.text());

    // A second signal cuts its time short. On a busy machine that signal may come when the time is over.
    let cut_short = (0..20).any(|_| {
        let mut host = hanging();
        host.terminate();
        host.logged(&["stopping"]);
        host.terminate();
        assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
        let named = host.log.lines_with(&["did not shut down in time", "slow"]);
        named.is_empty() && host.log.lines_with(&["ending at once"]).len() == 1
    });
    assert!(cut_short, "the second signal never made a difference");
}

#[test]
fn with_nothing_to_finish_the_host_ends_although_the_grace_period_is_long() {
    let mut host = with_grace(LONG_MS).start();
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
    host.terminate();
    assert_eq!(host.wait().code(), Some(0), "{}", host.log.text());
}
