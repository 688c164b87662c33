//! Step 3 of flow one: one verdict per file, and which drivers are to be loaded.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use semver::Version;

use super::manifest::{Claim, DriverManifest, FileIdentity, ReadFile, Unfit};

mod error;
mod near;

pub use error::{SelectError, SelectWarning};

/// What `plugin_dir` and `enabled_drivers` amount to.
#[derive(Debug)]
pub struct Selection {
    /// One per file, in the order of their names.
    pub verdicts: Vec<Verdict>,
    /// What is to be loaded, in the order of `enabled_drivers`.
    pub enabled: Vec<EnabledDriver>,
    /// What an operator should look at.
    pub warnings: Vec<SelectWarning>,
    /// What forbids a start; all of it, in the order of `enabled_drivers`.
    pub faults: Vec<SelectError>,
}

/// What this host makes of one file.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// The file: `plugin_dir`, as it was given, and its name.
    pub file: PathBuf,
    /// The driver's name, as far as the file tells it.
    pub name: Option<String>,
    /// The driver's version, as far as the file tells it.
    pub version: Option<Version>,
    /// What becomes of it.
    pub state: State,
    /// A word for programs, which never changes: `enabled`, `available`, or why it is refused.
    pub code: &'static str,
    /// The same as a sentence.
    pub reason: String,
    /// What the operator can do about it, if it is refused.
    pub remedy: Option<String>,
    /// Whether `enabled_drivers` names it, whatever its state.
    pub enabled: bool,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A driver that will be loaded.
    Enabled,
    /// A driver that could be.
    Available,
    /// Not a driver that could be loaded.
    Refused,
}

impl State {
    /// The word for people and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Enabled => "enabled",
            State::Available => "available",
            State::Refused => "refused",
        }
    }
}

/// A driver that is to be loaded. Only [`select`] makes one.
#[derive(Debug, Clone)]
pub struct EnabledDriver {
    manifest: DriverManifest,
    file: PathBuf,
    identity: FileIdentity,
}

impl EnabledDriver {
    /// What it says about itself.
    pub fn manifest(&self) -> &DriverManifest {
        &self.manifest
    }

    /// Where it is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The file whose manifest was read.
    pub(super) fn identity(&self) -> FileIdentity {
        self.identity
    }
}

/// Matches what is there with what the operator wants. Of a file that nobody wants only its verdict is kept.
pub fn select(
    plugin_dir: &Path,
    files: impl IntoIterator<Item = ReadFile>,
    enabled_drivers: &[String],
) -> Selection {
    let wanted: HashSet<&str> = enabled_drivers.iter().map(String::as_str).collect();
    let mut verdicts = Vec::new();
    let mut fit: HashMap<String, Vec<PathBuf>> = HashMap::new();
    let mut drivers: HashMap<String, EnabledDriver> = HashMap::new();
    for ReadFile { file, outcome } in files {
        match outcome {
            Ok((manifest, identity)) => {
                let file = file.path().to_owned();
                let enabled = wanted.contains(manifest.name.as_str());
                verdicts.push(Verdict::fit(&manifest, &file, enabled));
                fit.entry(manifest.name.clone()).or_default().push(file.clone());
                if enabled {
                    let driver = EnabledDriver {
                        manifest,
                        file,
                        identity,
                    };
                    drivers.insert(driver.manifest.name.clone(), driver);
                }
            }
            Err(unfit) => verdicts.push(Verdict::unfit(file.path(), *unfit, &wanted)),
        }
    }
    for verdict in &mut verdicts {
        let same = verdict
            .name
            .as_ref()
            .filter(|_| verdict.state != State::Refused)
            .and_then(|name| fit.get(name));
        if let Some(same) = same.filter(|same| same.len() > 1) {
            verdict.refuse_duplicate(same);
        }
    }

    let mut selection = Selection {
        verdicts,
        enabled: Vec::new(),
        warnings: Vec::new(),
        faults: Vec::new(),
    };
    if enabled_drivers.is_empty() {
        let available = fit.keys().cloned().collect();
        selection.faults.push(SelectError::no_drivers_enabled(available));
    }
    let mut seen = HashSet::new();
    let mut repeated = HashSet::new();
    for name in enabled_drivers {
        if !seen.insert(name) {
            if repeated.insert(name) {
                selection
                    .warnings
                    .push(SelectWarning::Repeated { name: name.clone() });
            }
            continue;
        }
        match fit.remove(name) {
            Some(files) if files.len() > 1 => selection.faults.push(SelectError::Duplicate {
                name: name.clone(),
                files,
            }),
            Some(_) => selection.enabled.extend(drivers.remove(name)),
            None => selection
                .faults
                .push(absent(plugin_dir, name, &selection.verdicts)),
        }
    }
    selection
}

/// Why no driver of this name can be loaded: a refused file that claims the name or is called so, or none at all.
fn absent(plugin_dir: &Path, name: &str, verdicts: &[Verdict]) -> SelectError {
    let refused = |verdict: &&Verdict| verdict.state == State::Refused;
    let claims = |verdict: &&Verdict| verdict.name.as_deref() == Some(name);
    let is_called = |verdict: &&Verdict| verdict.name.is_none() && near::is_file_of(&verdict.file, name);
    let mut candidates = verdicts.iter().filter(refused);
    let found = candidates
        .clone()
        .find(claims)
        .or_else(|| candidates.find(is_called));
    if let Some(verdict) = found {
        return SelectError::Refused {
            name: name.to_owned(),
            file: verdict.file.clone(),
            code: verdict.code,
            reason: verdict.reason.clone(),
            remedy: verdict.remedy.clone().unwrap_or_default(),
        };
    }
    let names = verdicts.iter().filter_map(|verdict| verdict.name.as_deref());
    SelectError::Missing {
        name: name.to_owned(),
        plugin_dir: plugin_dir.to_owned(),
        files: verdicts.len(),
        similar: near::similar(name, names),
    }
}

impl Verdict {
    fn fit(manifest: &DriverManifest, file: &Path, enabled: bool) -> Self {
        let (state, reason) = if enabled {
            (State::Enabled, "named in enabled_drivers")
        } else {
            (State::Available, "not named in enabled_drivers")
        };
        Verdict {
            file: file.to_owned(),
            name: Some(manifest.name.clone()),
            version: Some(manifest.version.clone()),
            state,
            code: state.as_str(),
            reason: reason.to_owned(),
            remedy: None,
            enabled,
        }
    }

    fn unfit(file: &Path, unfit: Unfit, wanted: &HashSet<&str>) -> Self {
        let Unfit {
            error,
            claim: Claim { name, version },
        } = unfit;
        Verdict {
            file: file.to_owned(),
            enabled: name.as_deref().is_some_and(|name| wanted.contains(name)),
            name,
            version,
            state: State::Refused,
            code: error.code(),
            reason: error.to_string(),
            remedy: Some(error.remedy().to_owned()),
        }
    }

    fn refuse_duplicate(&mut self, same: &[PathBuf]) {
        let others = same
            .iter()
            .map(PathBuf::as_path)
            .filter(|other| *other != self.file);
        self.state = State::Refused;
        self.code = "duplicate-name";
        self.reason = format!(
            "expected one file with this driver's name, found also {}",
            error::quoted(others)
        );
        self.remedy = Some("leave one of them in plugin_dir".to_owned());
    }
}

#[cfg(test)]
mod tests;
