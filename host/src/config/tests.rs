use super::*;

fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(text, Path::new("plugins.toml"), Path::new("/etc/host"), variables)
        .map_err(|error| error.to_string())
}

const ENABLED: &str = "enabled_drivers = [\"fake\"]\n";

#[test]
fn defaults_are_those_of_the_sample() {
    let config = parse(ENABLED, &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:6385");
    assert_eq!(
        (config.calls.max, config.workers.max, config.locks.wait_ms),
        (10_000, 300, 2_000)
    );
    assert_eq!(config.limits.max_json_depth, 25);
}

#[test]
fn paths_are_relative_to_the_file() {
    let config = parse("enabled_drivers = [\"fake\"]\nplugin_dir = \"drivers\"\n", &[]).unwrap();
    assert_eq!(config.plugin_dir, Path::new("/etc/host/drivers"));
    assert_eq!(config.database.path, Path::new("/etc/host/host.db"));
}

#[test]
fn an_unknown_key_is_named_with_the_known_ones() {
    let error = parse("enabled_drivers = [\"fake\"]\n[locks]\nwait = 3\n", &[]).unwrap_err();
    assert!(
        error.starts_with("plugins.toml: locks.wait = 3: unknown field `wait`, expected"),
        "{error}"
    );
    assert!(error.contains("wait_ms"), "{error}");
}

#[test]
fn a_wrong_type_names_key_and_value() {
    let error = parse("enabled_drivers = [\"fake\"]\n[workers]\nmax = \"many\"\n", &[]).unwrap_err();
    assert!(
        error.starts_with("plugins.toml: workers.max = \"many\": invalid type: string \"many\""),
        "{error}"
    );
}

#[test]
fn every_value_out_of_range_is_named_with_its_range() {
    let error = parse(
        "enabled_drivers = [\"fake\"]\n[workers]\nmax = 0\n[limits]\nmax_json_depth = 1000\n",
        &[],
    );
    let error = error.unwrap_err();
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(
        lines[0],
        "plugins.toml: workers.max = 0: out of range, expected 1 to 10000"
    );
    assert_eq!(
        lines[1],
        "plugins.toml: limits.max_json_depth = 1000: out of range, expected 1 to 100"
    );
}

#[test]
fn a_syntax_error_says_where() {
    let error = parse("enabled_drivers = [\n\"fake\"\nlisten = 3", &[]).unwrap_err();
    assert!(error.starts_with("plugins.toml:3:1: not TOML:"), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_variable_overrides_a_key_and_is_named_when_it_is_wrong() {
    let config = parse(
        ENABLED,
        &[
            ("HOST__WORKERS__MAX", "7"),
            ("HOST__HOST_NAME", "rack 1".trim_end_matches(" 1")),
        ],
    );
    let config = config.unwrap();
    assert_eq!(
        (config.workers.max, config.host_name.as_deref()),
        (7, Some("rack"))
    );
    let error = parse(ENABLED, &[("HOST__WORKERS__MAX", "0")]).unwrap_err();
    assert!(
        error.starts_with("environment variable HOST__WORKERS__MAX: workers.max = 0: out of range"),
        "{error}"
    );
    let error = parse(ENABLED, &[("HOST__WORKERS__MAXX", "1")]).unwrap_err();
    assert!(
        error.starts_with("environment variable HOST__WORKERS__MAXX: workers.maxx = 1: unknown"),
        "{error}"
    );
}

#[test]
fn a_variable_reaches_a_driver_whose_name_has_a_hyphen() {
    let text = "enabled_drivers = [\"my-pdu\"]\n[drivers.my-pdu]\nmax_calls = 3\n";
    let config = parse(text, &[("HOST__DRIVERS__MY_PDU__MAX_CALLS", "4")]).unwrap();
    assert_eq!(config.drivers["my-pdu"].max_calls, Some(4));
}

#[test]
fn an_address_that_others_reach_needs_to_be_allowed() {
    let error = parse("enabled_drivers = [\"fake\"]\nlisten = \"0.0.0.0:6385\"\n", &[]).unwrap_err();
    assert!(
        error.contains("listen = \"0.0.0.0:6385\"") && error.contains("allow_unauthenticated = true"),
        "{error}"
    );
    let allowed = "allow_unauthenticated = true\nenabled_drivers = [\"fake\"]\nlisten = \"0.0.0.0:6385\"\n";
    assert!(parse(allowed, &[]).is_ok());
}

#[test]
fn drivers_run_in_the_host_s_process_unless_a_driver_or_the_default_says_otherwise() {
    let config = parse(ENABLED, &[]).unwrap();
    assert_eq!(config.isolation.default, Place::InProcess);
    let seen = (
        config.isolation.create_timeout_ms,
        config.isolation.kill_grace_ms,
        config.isolation.max_deaths,
        config.isolation.window_s,
    );
    assert_eq!(seen, (10_000, 5_000, 5, 60));
    let text =
        "enabled_drivers = [\"fake\"]\n[isolation]\ndefault = \"process\"\n[drivers.fake]\nworkers = 2\n";
    let config = parse(text, &[]).unwrap();
    assert_eq!(config.isolation.default, Place::Process);
    assert_eq!(config.drivers["fake"].workers, Some(2));
    let error = parse(text, &[("HOST__DRIVERS__FAKE__ISOLATION", "in-process")]).unwrap_err();
    assert_eq!(
        error,
        "plugins.toml: drivers.fake.workers = 2: has no effect on a driver in the host's own process; \
         set isolation = \"process\" as well"
    );
}

#[test]
fn what_the_machine_does_not_allow_is_told_with_where_the_value_came_from() {
    let config = parse(
        ENABLED,
        &[
            ("HOST__DRIVERS__FAKE__USER", "nobody"),
            ("HOST__ISOLATION__DEFAULT", "process"),
        ],
    );
    let refused = config
        .unwrap()
        .refuse("drivers.fake.user", "\"nobody\"".to_owned(), "no".to_owned());
    assert_eq!(
        refused.to_string(),
        "environment variable HOST__DRIVERS__FAKE__USER: drivers.fake.user = \"nobody\": no"
    );
    let refused = parse(ENABLED, &[])
        .unwrap()
        .refuse("workers.max", "1".to_owned(), "no".to_owned());
    assert_eq!(refused.to_string(), "plugins.toml: workers.max = 1: no");
}
