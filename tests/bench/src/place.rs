//! Where things are: what was built, and the run's own folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::arguments::Arguments;

/// How old the folder of a run is when its run cannot be going on any more.
const LEFT_OVER: Duration = Duration::from_secs(24 * 3600);

/// The places of one run.
pub(crate) struct Place {
    programs: PathBuf,
    drivers: PathBuf,
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(arguments: &Arguments) -> Result<Place> {
        let absolute = |path: &Path| path.canonicalize().with_context(|| path.display().to_string());
        let programs = absolute(&arguments.programs)?;
        // On the disk that the build is on: the system's temporary folder may be memory, which commits in no time.
        let kept = programs.join("bench-files");
        std::fs::create_dir_all(&kept)?;
        remove_leftovers(&kept)?;
        Ok(Place {
            drivers: absolute(&arguments.drivers)?,
            folder: tempfile::Builder::new().prefix("run-").tempdir_in(kept)?,
            programs,
        })
    }

    /// A built program.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf> {
        let path = self.programs.join(name);
        ensure!(path.exists(), "{} is not built", path.display());
        Ok(path)
    }

    /// A built driver.
    pub(crate) fn driver(&self, name: &str) -> Result<PathBuf> {
        let path = self.drivers.join(format!("lib{name}_driver.so"));
        ensure!(path.exists(), "{} is not built", path.display());
        Ok(path)
    }

    /// A file or folder of this run, gone with it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder of this run, which is made.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let path = self.file(name);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// A file that later runs use again.
    pub(crate) fn kept(&self, name: &str) -> PathBuf {
        self.programs.join("bench-files").join(name)
    }
}

/// A run that was interrupted leaves its folder behind, with a thousand drivers in it.
fn remove_leftovers(kept: &Path) -> Result<()> {
    for entry in std::fs::read_dir(kept)? {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if entry.file_name().as_encoded_bytes().starts_with(b"run-") && age > LEFT_OVER {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
