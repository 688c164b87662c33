//! A thousand drivers: copies of one file, each with a name of its own in its manifest.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::place::Place;

/// What stands in the file of the benchmark's driver, and is replaced by a text of the same length.
const NAME: &[u8] = br#""name":"bench""#;

/// The name of a copy.
pub(crate) fn name(number: usize) -> String {
    format!("b{number:04}")
}

/// Puts `count` drivers into `folder`, numbered from 0.
pub(crate) fn write(place: &Place, folder: &Path, count: usize) -> Result<()> {
    let mut bytes = std::fs::read(place.driver("bench")?)?;
    let places: Vec<usize> = bytes
        .windows(NAME.len())
        .enumerate()
        .filter_map(|(at, window)| (window == NAME).then_some(at))
        .collect();
    places.first().context("the driver's name in its file")?;
    std::fs::create_dir_all(folder)?;
    for number in 0..count {
        let own = format!(r#""name":"{}""#, name(number));
        for at in &places {
            bytes[*at..*at + own.len()].copy_from_slice(own.as_bytes());
        }
        std::fs::write(folder.join(format!("{}.so", name(number))), &bytes)?;
    }
    // Until it is on the disk, what is only read of these files would count as written by whoever maps it.
    Ok(rustix::fs::syncfs(std::fs::File::open(folder)?)?)
}

/// A folder with the first `count` drivers of `folder`, as links to the same files.
pub(crate) fn first(place: &Place, folder: &Path, count: usize) -> Result<PathBuf> {
    let part = place.folder(&format!("first-{count}"))?;
    for number in 0..count {
        let file = format!("{}.so", name(number));
        std::fs::hard_link(folder.join(&file), part.join(&file))?;
    }
    Ok(part)
}
