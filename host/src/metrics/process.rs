//! What the operating system knows of this process.

use std::fs;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Figures of this process, each of them only if the system tells it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ProcessFigures {
    /// Processor time of all threads, in user and in system mode.
    pub cpu: Option<Duration>,
    /// Memory that is in RAM, drivers included.
    pub resident_bytes: Option<u64>,
    /// Threads, those of drivers included.
    pub threads: Option<u64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// How many there may be; nothing if there is no limit.
    pub max_fds: Option<u64>,
}

/// Asks now. A few microseconds.
pub fn figures() -> ProcessFigures {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    ProcessFigures {
        open_fds: open_fds(),
        max_fds: getrlimit(Resource::Nofile).current,
        ..of_stat(&stat).unwrap_or_default()
    }
}

/// The figures in a line of `/proc/PID/stat`, proc(5).
fn of_stat(line: &str) -> Option<ProcessFigures> {
    // The second field is the program's name in brackets, which may hold anything. The next one is the third.
    let (_, rest) = line.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = number(14)? + number(15)?;
    let milliseconds = ticks.saturating_mul(1000).checked_div(clock_ticks_per_second())?;
    Some(ProcessFigures {
        cpu: Some(Duration::from_millis(milliseconds)),
        threads: number(20),
        resident_bytes: number(24)?.checked_mul(u64::try_from(page_size()).ok()?),
        ..ProcessFigures::default()
    })
}

fn open_fds() -> Option<u64> {
    // Since Linux 6.2 the folder's size is the number of descriptors; before, it is zero, and they have to be listed.
    let folder = "/proc/self/fd";
    match fs::metadata(folder).ok()?.len() {
        // Listing takes one itself.
        0 => u64::try_from(fs::read_dir(folder).ok()?.count().saturating_sub(1)).ok(),
        size => Some(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_s_name_with_brackets_and_spaces_moves_no_field() {
        let line = "1 (a) b) c) S 2 3 4 5 6 7 8 9 10 11 100 23 16 17 18 19 42 21 22 23 24 25";
        let figures = of_stat(line).unwrap();
        let per_second = clock_ticks_per_second();
        assert_eq!(figures.cpu, Some(Duration::from_millis(123_000 / per_second)));
        assert_eq!(figures.threads, Some(42));
        assert_eq!(figures.resident_bytes, Some(24 * page_size() as u64));
        assert_eq!(of_stat("1 (cut) S 2"), None);
    }

    #[test]
    fn this_process_has_threads_memory_and_descriptors() {
        let before = figures();
        let _more = [
            fs::File::open("/dev/null").unwrap(),
            fs::File::open("/dev/null").unwrap(),
        ];
        let now = figures();
        assert!(now.resident_bytes.unwrap() > 100_000, "{now:?}");
        assert!(now.threads.unwrap() >= 1, "{now:?}");
        assert!(
            now.open_fds.unwrap() >= 5 && before.open_fds.unwrap() >= 3,
            "{now:?}"
        );
        assert!(
            now.max_fds.is_none_or(|max| max > now.open_fds.unwrap()),
            "{now:?}"
        );
    }
}
