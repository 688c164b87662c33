use std::fs;
use std::future::pending;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;

/// A script in the place of ipmitool, for what an ipmitool does that hangs or has gone mad.
struct Script {
    folder: TempDir,
    installed: Installed,
}

impl Script {
    /// Its `$1` is its folder, its `$2` is `second`.
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script"), text).unwrap();
        let (found, _) = Installed::find("ipmitool".as_ref()).unwrap();
        Script {
            folder,
            // The shell reads the script: a file that was written a moment ago cannot always be run.
            installed: Installed {
                ipmitool: "/bin/sh".into(),
                ..found
            },
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn run(&self, run_out: impl Future<Output = Ended>) -> Result<Output, Failure> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let line = CommandLine {
            arguments: vec![
                text(self.file("script")),
                text(self.file("")),
                "second".to_owned(),
            ],
            environment: vec![("IPMI_KGKEY", "key".into())],
            input: b"password".to_vec(),
        };
        run(&self.installed, line, run_out).await
    }
}

async fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "not within 30 s: {what}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn it_gets_its_words_its_input_and_an_environment_without_the_hosts() {
    let script = Script::new("cat; echo; echo \"$2\"; env >&2; exit 3");
    let output = script.run(pending()).await.unwrap();
    assert!(!output.succeeded);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "password\nsecond\n");
    let environment = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut names: Vec<&str> = environment
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    names.sort_unstable();
    // The shell adds its own folder.
    assert_eq!(names, ["IPMI_KGKEY", "LC_ALL", "PATH", "PWD", "TZ"]);
}

#[tokio::test]
async fn it_is_killed_with_all_that_it_has_started_when_nobody_waits() {
    let script = Script::new(
        "cat >\"$1/input\"; sleep 3600 & echo $! >\"$1/child.new\"; mv \"$1/child.new\" \"$1/child\"; wait",
    );
    let child = script.file("child");
    let started = eventually("it has started another", || fs::read_to_string(&child).ok());
    let run_out = async {
        started.await;
        Ended::Cancelled
    };
    let failure = script.run(run_out).await.unwrap_err();
    assert!(
        matches!(
            failure,
            Failure::Ended {
                ended: Ended::Cancelled,
                begun: true
            }
        ),
        "{failure:?}"
    );
    let pid = fs::read_to_string(&child).unwrap();
    let name = format!("/proc/{}/comm", pid.trim());
    // Whoever takes in orphans may leave a dead one unburied for a while.
    let dead = |state: String| state.contains(") Z ");
    eventually("the other is gone too", || {
        let state = fs::read_to_string(name.replace("comm", "stat"));
        state.map_or(Some(()), |state| dead(state).then_some(()))
    })
    .await;
}

#[tokio::test]
async fn an_output_without_end_is_cut_off_and_its_writer_killed() {
    // It does not notice by itself that nobody reads any more.
    let script = Script::new(
        "cat >/dev/null; trap '' PIPE; echo $$ >\"$1/pid\"; head -c 9000000 /dev/zero; sleep 3600",
    );
    let failure = script.run(pending()).await.unwrap_err();
    assert!(matches!(failure, Failure::TooMuch), "{failure:?}");
    let pid = fs::read_to_string(script.file("pid")).unwrap();
    assert!(
        !PathBuf::from(format!("/proc/{}", pid.trim())).exists(),
        "it has been waited for"
    );
}

#[tokio::test]
async fn one_that_does_not_read_its_password_is_heard_all_the_same() {
    let script = Script::new("exec <&-; echo no >&2; exit 1");
    let output = script.run(pending()).await.unwrap();
    assert_eq!(output.stderr, b"no\n");
}

#[tokio::test]
async fn one_that_cannot_be_started_says_so() {
    let script = Script::new("");
    let missing = Installed {
        setpriv: script.file("missing"),
        ..script.installed.clone()
    };
    let line = CommandLine {
        arguments: Vec::new(),
        environment: Vec::new(),
        input: Vec::new(),
    };
    let failure = run(&missing, line, pending()).await.unwrap_err();
    assert!(matches!(failure, Failure::NotRun(_)), "{failure:?}");
}
