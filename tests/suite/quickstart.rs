//! The README's quick start, run as it is written.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use suite::{Built, Log, eventually, repository_root};

/// The fenced blocks that follow `<!-- test: NAME -->`.
fn blocks(readme: &str, name: &str) -> Vec<String> {
    let marker = format!("<!-- test: {name} -->");
    let mut blocks = Vec::new();
    for (at, _) in readme.match_indices(&marker) {
        let rest = &readme[at + marker.len()..];
        let fence = rest.find("```").expect("a fenced block after the marker");
        assert!(rest[..fence].trim().is_empty(), "the block follows its marker");
        let body = &rest[fence..];
        let start = body.find('\n').expect("a line") + 1;
        let end = body[start..].find("```").expect("the end of the block") + start;
        blocks.push(body[start..end].to_owned());
    }
    blocks
}

/// The command lines of a block, without `$ ` and without what they print.
fn commands(block: &str) -> Vec<String> {
    let lines: Vec<&str> = block
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    let prompted = lines.iter().any(|line| line.starts_with("$ "));
    let joined = lines.join("\n").replace("\\\n", " ");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    lines
        .filter_map(|line| {
            if prompted {
                line.strip_prefix("$ ").map(str::to_owned)
            } else {
                Some(line.to_owned())
            }
        })
        .collect()
}

/// Kills what the test started, with all that it started.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap_or(0)) {
            let _ended_meanwhile = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        }
        let _status = self.0.wait();
    }
}

#[test]
fn the_quick_start_serves_the_fake_driver_and_its_three_calls_work() {
    use std::os::unix::process::CommandExt;
    let readme = std::fs::read_to_string(repository_root().join("README.md")).expect("README.md");
    let blocks = blocks(&readme, "quick-start");
    assert!(
        blocks.len() >= 2,
        "a block that serves and a block with the three calls; found {}",
        blocks.len()
    );
    let serve = commands(&blocks[0]).join("\n");
    let calls = commands(&blocks[1]);
    assert!(serve.contains("cargo build --release"), "{serve}");
    assert!(serve.contains("target/release/host serve"), "{serve}");
    // where this run's artifacts go, which need not be the clone's own folder
    let release = Built::target_folder().join("release");
    let serve = serve.replace("target/release/host", &format!("\"{}/host\"", release.display()));
    assert_eq!(calls.len(), 3, "{calls:?}");

    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let mut serving = Command::new("bash");
    // its own port, so that tests can run beside each other; its own database, so that the tree stays clean
    serving
        .args(["-euc", &serve])
        .current_dir(repository_root())
        .process_group(0);
    serving.env("CARGO_TARGET_DIR", Built::target_folder());
    serving
        .env("HOST__LISTEN", "127.0.0.1:0")
        .env("HOST__DATABASE__PATH", folder.path().join("host.db"));
    serving.env("HOST__PLUGIN_DIR", &release);
    serving
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut serving = Serving(serving.spawn().expect("bash"));
    log.collect(serving.0.stdout.take().unwrap());
    log.collect(serving.0.stderr.take().unwrap());
    let address = eventually("the quick start serves", Duration::from_secs(3600), || {
        if let Some(status) = serving.0.try_wait().unwrap() {
            panic!("the quick start ended with {status}:\n{}", log.text());
        }
        log.address()
    });
    for call in calls {
        let call = call
            .replace("127.0.0.1:6385", &address)
            .replace("localhost:6385", &address);
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &call])
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{call}\n{out}\n{err}");
        assert!(!out.contains("error_message"), "{call}\n{out}");
    }
    assert!(log.lines_with(&["panicked"]).is_empty(), "{}", log.text());
}
