//! What the database promises, whatever is in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// A folder for one database.
struct Place {
    _folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("host.db");
        Place {
            _folder: folder,
            path,
        }
    }

    fn open(&self) -> Database {
        Database::open(&self.path, "host-1").unwrap()
    }

    fn refusal(&self) -> String {
        let text = Database::open(&self.path, "host-2")
            .expect_err("must not open")
            .to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(self.path.to_str().unwrap()), "{text}");
        text
    }

    fn sql(&self, statements: &str) {
        Connection::open(&self.path)
            .unwrap()
            .execute_batch(statements)
            .unwrap();
    }
}

#[tokio::test]
async fn a_database_that_refuses_writes_is_reported_as_not_writable() {
    let place = Place::new();
    let database = place.open();
    let read_only = |connection: &Connection| {
        connection.execute_batch("PRAGMA query_only = ON")?;
        Ok::<(), StoreError>(())
    };
    database.run(read_only, |()| {}).await.unwrap();
    let error = database.writable().await.unwrap_err();
    assert!(
        error.to_string().starts_with("the database cannot be written: "),
        "{error}"
    );
}

#[tokio::test]
async fn every_commit_waits_until_it_is_on_the_disk() {
    let place = Place::new();
    let database = place.open();
    let settings = |connection: &Connection| {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok::<_, StoreError>((journal, number("synchronous")?))
    };
    let found = database.run(settings, |_| {}).await.unwrap();
    assert_eq!(found, ("wal".to_owned(), 2), "2 is FULL");
}

#[tokio::test]
async fn files_that_are_taken_away_are_noticed_before_the_next_write_and_again_when_they_are_back() {
    for name in ["host.db", "host.db-wal"] {
        let place = Place::new();
        let database = place.open();
        let write = || {
            let sql = "INSERT INTO secret_properties VALUES ('d', hex(randomblob(8)))";
            let statements = move |c: &Connection| Ok::<_, StoreError>(c.execute(sql, [])?);
            database.run(statements, |_| {})
        };
        write().await.unwrap();
        let (path, aside) = (
            place.path.with_file_name(name),
            place.path.with_file_name("aside"),
        );
        fs::rename(&path, &aside).unwrap();
        let error = write().await.unwrap_err();
        assert!(matches!(error, StoreError::Moved { .. }), "{error:?}");
        let text = error.to_string();
        for words in [
            name,
            "removed or replaced",
            "No such file",
            "put the same file back",
        ] {
            assert!(text.contains(words), "{text}");
        }
        fs::copy(&aside, &path).unwrap();
        let error = write().await.unwrap_err().to_string();
        assert!(error.contains("another file is there"), "{error}");
        fs::rename(&aside, &path).unwrap();
        write().await.unwrap();
        let count = |c: &Connection, _: &Path| {
            Ok(c.query_row("SELECT count(*) FROM secret_properties", [], |row| {
                row.get::<_, i64>(0)
            })?)
        };
        assert_eq!(
            database.read(count).unwrap(),
            2,
            "only what was accepted is there"
        );
    }
}

#[tokio::test]
async fn a_closed_database_refuses_changes_and_another_host_can_have_it() {
    let place = Place::new();
    let database = place.open();
    database.writable().await.unwrap();
    database.close();
    let error = database
        .run(|_| Ok::<(), StoreError>(()), |()| {})
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Closed), "{error:?}");
    let log = place.path.with_extension("db-wal");
    assert!(
        fs::metadata(log).map_or(0, |log| log.len()) == 0,
        "the log is folded into the database"
    );
    place.open();
}

#[test]
fn a_second_host_is_told_who_has_the_database() {
    let place = Place::new();
    let _database = place.open();
    let text = place.refusal();
    let owner = format!("in use by host \"host-1\", process {};", std::process::id());
    assert!(text.contains(&owner) && text.contains("database.path"), "{text}");

    let link = place.path.with_file_name("link.db");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    let error = Database::open(&link, "host-2").unwrap_err();
    assert!(
        matches!(error, StoreError::InUse { .. }),
        "by another name it is the same database: {error:?}"
    );
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    let place = Place::new();
    fs::write(&place.path, "").unwrap();
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o644)).unwrap();
    let database = place.open();
    database.writable().await.unwrap();
    let files: Vec<_> = fs::read_dir(place.path.parent().unwrap())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(files.len(), 4, "database, log, index of the log, lock: {files:?}");
    for file in files {
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
    }
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let place = Place::new();
    drop(place.open());
    let newest = schema::MIGRATIONS.len();
    place.sql("PRAGMA user_version = 99");
    let text = place.refusal();
    assert!(
        text.contains("schema version 99")
            && text.contains(&format!("up to {newest};"))
            && text.contains("newer host"),
        "{text}"
    );
    place.sql(&format!("PRAGMA user_version = {newest}"));
    place.open();
}

/// What a start must not change: the content and the mode of every file in the folder.
fn everything(place: &Place) -> Vec<(PathBuf, Vec<u8>, u32)> {
    let mut files: Vec<_> = fs::read_dir(place.path.parent().unwrap())
        .unwrap()
        .map(|file| {
            let file = file.unwrap();
            let metadata = file.metadata().unwrap();
            let content = if metadata.is_file() {
                fs::read(file.path()).unwrap()
            } else {
                Vec::new()
            };
            (file.path(), content, metadata.permissions().mode())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn files_that_are_something_else_are_refused_and_left_alone() {
    type Make = fn(&Place);
    let letter = |place: &Place| {
        fs::write(&place.path, "hello, this is a text of some length\n").unwrap();
        fs::set_permissions(&place.path, fs::Permissions::from_mode(0o644)).unwrap();
    };
    let cut_short = |place: &Place| fs::write(&place.path, "SQLite format 3\0\x10").unwrap();
    let tables = |place: &Place| place.sql("CREATE TABLE nodes (id INTEGER)");
    let many_tables = |place: &Place| {
        let all: String = (0..1000)
            .map(|n| format!("CREATE TABLE t{n} (id INTEGER);"))
            .collect();
        place.sql(&format!("BEGIN; {all} COMMIT"));
    };
    let application = |place: &Place| place.sql("PRAGMA application_id = 7");
    let version = |place: &Place| place.sql("PRAGMA user_version = 7");
    let folder = |place: &Place| fs::create_dir(&place.path).unwrap();
    let pipe = |place: &Place| {
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mkfifoat(rustix::fs::CWD, &place.path, mode).unwrap();
    };
    let socket = |place: &Place| drop(std::os::unix::net::UnixListener::bind(&place.path).unwrap());
    let cases: [(Make, &str); 9] = [
        (letter, "found a file that begins with \"hello, this is a\""),
        (cut_short, "found the first 17 bytes of an SQLite database"),
        (tables, "found the SQLite database of another program"),
        (many_tables, "found the SQLite database of another program"),
        (application, "found the SQLite database of another program"),
        (version, "found the SQLite database of another program"),
        (folder, "Is a directory"),
        (pipe, "found a device or a pipe"),
        (socket, "No such device or address"),
    ];
    for (make, words) in cases {
        let place = Place::new();
        make(&place);
        let before = everything(&place);
        assert_eq!(before.len(), 1);
        let text = place.refusal();
        assert!(text.contains(words), "{text}");
        assert!(everything(&place) == before, "{text}");
    }
}

#[test]
fn a_database_of_another_program_whose_content_is_all_in_its_log_is_refused() {
    let place = Place::new();
    let other = Connection::open(&place.path).unwrap();
    other.pragma_update(None, "journal_mode", "wal").unwrap();
    other.execute_batch("CREATE TABLE t (a TEXT)").unwrap();
    assert!(place.refusal().contains("the SQLite database of another program"));
}

#[test]
fn of_hosts_that_start_at_once_in_an_empty_folder_one_gets_the_database() {
    let place = Place::new();
    let results: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| Database::open(&place.path, "host-1")))
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let opened = results.iter().filter(|result| result.is_ok()).count();
    assert_eq!(opened, 1, "{results:?}");
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/host.db");
    let text = Database::open(&path, "h").unwrap_err().to_string();
    assert!(
        text.contains("missing/host.db") && text.contains("No such file or directory"),
        "{text}"
    );
    assert!(text.contains("folder that it may write to"), "{text}");
}

#[test]
fn damage_is_refused() {
    let place = Place::new();
    drop(place.open());
    let mut bytes = fs::read(&place.path).unwrap();
    bytes[100..].fill(0xAA);
    fs::write(&place.path, bytes).unwrap();
    assert!(place.refusal().contains("is damaged"), "{}", place.refusal());
}

#[tokio::test]
async fn commits_their_requests_and_their_failures_are_counted() {
    let place = Place::new();
    let database = place.open();
    let before = database.commits().times.read().count;
    database.writable().await.unwrap();
    let commits = database.commits();
    let times = commits.times.read();
    assert_eq!((times.count, commits.failures.get()), (before + 1, 0));
    assert!(commits.requests.get() >= 1 && times.sum > std::time::Duration::ZERO);
    let end = |connection: &Connection| Ok::<_, StoreError>(connection.execute_batch("ROLLBACK")?);
    database.run(end, |()| {}).await.unwrap_err();
    assert_eq!(
        (commits.times.read().count, commits.failures.get()),
        (before + 2, 1)
    );
}
