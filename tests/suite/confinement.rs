//! What a worker process has and may do: nothing of the host's that is not its business.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use suite::{FAKE, HostBuilder, HostProcess, UNRULY, eventually};

const SOON: Duration = Duration::from_secs(30);
/// Nobody but the host may know it.
const CANARY: &str = "canary-in-the-environment";

fn builder() -> HostBuilder {
    HostProcess::builder()
        .driver(UNRULY)
        .set("drivers.unruly.isolation", "process")
}

/// The only process of a driver.
fn process(host: &HostProcess, driver: &str) -> u64 {
    let shown = host.get(&format!("/v1/drivers/{driver}")).expect(200).json();
    shown["isolation"]["processes"][0].as_u64().expect("a process")
}

fn proc_file(process: u64, name: &str) -> String {
    let bytes = fs::read(format!("/proc/{process}/{name}")).expect("a running process");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A line of `/proc/PID/status` or `/proc/PID/limits`, its name taken off.
fn line_of(text: &str, name: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.split_whitespace().map(str::to_owned).collect()
}

/// What each descriptor of a process leads to.
fn descriptors(process: u64) -> BTreeSet<String> {
    let listed = fs::read_dir(format!("/proc/{process}/fd")).expect("a running process");
    let targets = listed.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets
        .map(|target| target.to_string_lossy().into_owned())
        .collect()
}

#[test]
fn a_worker_has_no_descriptor_of_the_hosts_and_none_but_its_own_few() {
    let host = builder().driver(FAKE).set("isolation.default", "process").start();
    let of_host = descriptors(host.pid().into());
    for driver in ["unruly", "fake"] {
        let own = descriptors(process(&host, driver));
        let kind = |target: &String| {
            target
                .trim_end_matches(|c: char| "[]".contains(c) || c.is_ascii_digit())
                .to_owned()
        };
        let kinds: BTreeSet<String> = own.iter().map(kind).collect();
        let expected = [
            "/dev/null",
            "anon_inode:[eventfd",
            "anon_inode:[eventpoll",
            "pipe:",
            "socket:",
        ];
        assert_eq!(kinds, expected.map(str::to_owned).into(), "{driver}: {own:?}");
        // Its ends of pipes are the same object as the host's; sockets have an inode for each end.
        let shared: Vec<_> = own
            .intersection(&of_host)
            .filter(|target| target.starts_with("socket"))
            .collect();
        assert!(shared.is_empty(), "{driver}: {shared:?}");
        assert_eq!(
            own.iter().filter(|target| target.starts_with("pipe")).count(),
            2,
            "{own:?}"
        );
    }
    let both = [process(&host, "unruly"), process(&host, "fake")].map(descriptors);
    let shared: Vec<_> = both[0]
        .intersection(&both[1])
        .filter(|target| target.starts_with("socket") || target.starts_with("pipe"))
        .collect();
    assert!(shared.is_empty(), "one worker has what is another's: {shared:?}");
}

#[test]
fn a_worker_gets_a_few_named_variables_and_no_secret_of_the_host() {
    let host = builder()
        .env("DATABASE_PASSWORD", CANARY)
        .env("HOST__CALLS__MAX", "77")
        .env("LANG", "C.UTF-8")
        .env("TZ", "UTC")
        .start();
    let environment = proc_file(process(&host, "unruly"), "environ");
    let names: BTreeSet<&str> = environment
        .split('\0')
        .filter_map(|variable| Some(variable.split_once('=')?.0))
        .collect();
    let allowed = [
        "HOST_WORKER",
        "LANG",
        "LC_ALL",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TZ",
    ];
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
    for name in ["HOST_WORKER", "LANG", "PATH", "TZ"] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    assert!(!environment.contains(CANARY));
    // Nor is it on a command line, which everybody can read.
    let command = proc_file(process(&host, "unruly"), "cmdline");
    assert_eq!(command, "host-worker\0worker\0");
}

#[test]
fn a_worker_is_limited_as_the_config_says_and_can_gain_no_rights() {
    let host = builder()
        .set("drivers.unruly.memory_max_bytes", 300_000_000)
        .set("drivers.unruly.open_files_max", 99)
        .start();
    let process = process(&host, "unruly");
    let status = proc_file(process, "status");
    assert_eq!(line_of(&status, "NoNewPrivs:"), ["1"]);
    assert_eq!(line_of(&status, "PPid:"), [host.pid().to_string()]);
    let limits = proc_file(process, "limits");
    assert_eq!(line_of(&limits, "Max open files"), ["99", "99", "files"]);
    assert_eq!(
        line_of(&limits, "Max data size"),
        ["300000000", "300000000", "bytes"]
    );
    // At one byte the kernel writes no core file, and starts no program that would take one; 0 does not stop that program.
    assert_eq!(line_of(&limits, "Max core file size"), ["1", "1", "bytes"]);
    assert_eq!(
        fs::read_link(format!("/proc/{process}/cwd")).expect("a folder"),
        Path::new("/")
    );
    let stat = proc_file(process, "stat");
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let group = fields.split_whitespace().nth(2).expect("a group");
    assert_eq!(group, process.to_string(), "it leads a group of its own");
}

#[test]
fn memory_without_end_costs_the_driver_its_process_and_says_which_key_bounds_it() {
    let host = builder()
        .driver(FAKE)
        .set("drivers.unruly.memory_max_bytes", 300_000_000)
        .start();
    let before = process(&host, "unruly");
    let reply = host.post("/v1/drivers/unruly/vendor_passthru/answer", json!("allocate"));
    reply.refused(
        500,
        "the process of driver 'unruly' could get no more memory than memory_max_bytes = 300000000 allows, and was killed by signal 6 (SIGABRT)",
    );
    host.logged(&[
        "memory allocation of",
        "bytes failed",
        "\"stream\":\"stderr\"",
        "unruly",
    ]);
    host.post("/v1/drivers/fake/vendor_passthru/echo", json!({}))
        .expect(200);
    eventually("it answers again", SOON, || {
        let reply = host.post("/v1/drivers/unruly/vendor_passthru/answer", json!("fine"));
        (reply.status == 200).then_some(())
    });
    assert_ne!(process(&host, "unruly"), before);
}

/// Everybody may look into the host's folder, or nobody but its owner.
fn open_folder(builder: &HostBuilder, mode: u32) {
    for folder in [builder.folder().to_owned(), builder.folder().join("drivers")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("a folder of this test");
    }
}

#[test]
fn a_worker_runs_as_the_user_that_the_config_names_and_is_in_no_other_group() {
    let builder = builder().set("drivers.unruly.user", "nobody");
    open_folder(&builder, 0o755);
    if !rustix::process::geteuid().is_root() {
        let text = "only a host that is started as root can run drivers as another user";
        builder.serve_to_end().failed(4, text);
        return;
    }
    let host = builder.start();
    let status = proc_file(process(&host, "unruly"), "status");
    let nobody = fs::read_to_string("/etc/passwd").expect("the users");
    let nobody = nobody
        .lines()
        .find(|line| line.starts_with("nobody:"))
        .expect("nobody");
    let ids: Vec<&str> = nobody.split(':').collect();
    assert_eq!(line_of(&status, "Uid:"), [ids[2]; 4]);
    assert_eq!(line_of(&status, "Gid:"), [ids[3]; 4]);
    assert_eq!(line_of(&status, "Groups:"), Vec::<String>::new());
    assert_eq!(line_of(&status, "CapEff:"), ["0000000000000000"]);
    host.post("/v1/drivers/unruly/vendor_passthru/answer", json!("fine"))
        .expect(200);
}

#[test]
fn a_library_that_its_user_cannot_read_is_one_clear_line() {
    if !rustix::process::geteuid().is_root() {
        // Nobody can be made to run as somebody else here; the test above shows what is answered then.
        return;
    }
    let builder = builder().set("drivers.unruly.user", "nobody");
    open_folder(&builder, 0o700);
    let output = builder.serve_to_end().failed(4, "Permission denied");
    assert!(output.everything().contains("unruly"), "{output:?}");
}
