//! The programs that the driver runs, found and tried once, when it is created.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use driver_sdk::Fault;

/// The program of util-linux that lets another die with its parent.
pub(crate) const SETPRIV: &str = "setpriv";
/// Its options for that, in front of the program's own words.
pub(crate) const DIE_WITH_PARENT: [&str; 3] = ["--pdeathsig", "KILL", "--"];

/// How long `ipmitool -V` may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the programs are.
#[derive(Debug, Clone)]
pub(crate) struct Installed {
    pub(crate) setpriv: PathBuf,
    pub(crate) ipmitool: PathBuf,
    /// Handed on to every child; nothing else of the host's environment is.
    pub(crate) path: OsString,
}

impl Installed {
    /// Finds both and has ipmitool say its version, which is the second value.
    ///
    /// # Errors
    /// One of them is missing or does not run; the message says what to install.
    pub(crate) fn find(ipmitool: &Path) -> Result<(Self, String), Fault> {
        let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
        let Some(found) = which(ipmitool, &path) else {
            return Err(Fault::internal(format!(
                "no program {} (drivers.ipmi.config.ipmitool): install ipmitool, on Debian with `apt install ipmitool`",
                ipmitool.display()
            )));
        };
        let Some(setpriv) = which(Path::new(SETPRIV), &path) else {
            return Err(Fault::internal(
                "no program setpriv in PATH: install util-linux, on Debian with `apt install util-linux`; \
                 it sees to it that no ipmitool outlives the host",
            ));
        };
        let installed = Installed {
            setpriv,
            ipmitool: found,
            path,
        };
        let version = installed.version()?;
        Ok((installed, version))
    }

    /// The words that start ipmitool so that it dies with the thread that started it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.setpriv);
        command
            .args(DIE_WITH_PARENT)
            .arg(&self.ipmitool)
            .env_clear()
            .env("PATH", &self.path)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .current_dir("/");
        command
    }

    fn version(&self) -> Result<String, Fault> {
        let refuse = |why: String| {
            Fault::internal(format!(
                "{} does not work (drivers.ipmi.config.ipmitool): {why}; it must be ipmitool",
                self.ipmitool.display()
            ))
        };
        let mut command = self.command();
        command
            .arg("-V")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| refuse(error.to_string()))?;
        let started = Instant::now();
        while child
            .try_wait()
            .map_err(|error| refuse(error.to_string()))?
            .is_none()
        {
            if started.elapsed() > PATIENCE {
                let _ended_meanwhile = child.kill();
                let _status = child.wait();
                return Err(refuse(format!(
                    "`-V` has not ended after {} s",
                    PATIENCE.as_secs()
                )));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let output = child
            .wait_with_output()
            .map_err(|error| refuse(error.to_string()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let line = said.lines().next().unwrap_or_default().trim();
        match output.status.success() && line.starts_with("ipmitool version ") {
            true => Ok(line.to_owned()),
            false => Err(refuse(format!(
                "`-V` says {line:?} and ends with {}",
                output.status
            ))),
        }
    }
}

/// The program's file: an absolute path as it stands, a name in the first folder of `path` that has it.
fn which(program: &Path, path: &OsString) -> Option<PathBuf> {
    let runs = |file: &Path| {
        std::fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    // Joined to a folder, an absolute path stays as it is.
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_absolute() && runs(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ipmitool: &str) -> String {
        Installed::find(Path::new(ipmitool))
            .unwrap_err()
            .message()
            .to_owned()
    }

    #[test]
    fn a_missing_ipmitool_is_refused_with_what_to_install() {
        for name in ["no-such-ipmitool", "/no/such/ipmitool", "/etc/passwd", "/"] {
            let text = refused(name);
            assert!(
                text.contains(name) && text.contains("apt install ipmitool"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_program_that_is_no_ipmitool_is_refused() {
        let text = refused("true");
        assert!(text.contains("it must be ipmitool"), "{text}");
    }

    #[test]
    fn ipmitool_is_found_and_says_its_version() {
        let (installed, version) = Installed::find(Path::new("ipmitool")).unwrap();
        assert!(installed.ipmitool.is_absolute() && installed.setpriv.is_absolute());
        assert!(version.starts_with("ipmitool version 1."), "{version}");
    }
}
