//! Names that a person may have meant.

use std::path::Path;

/// At most three of `names` that look like `name`, the most similar first.
pub(super) fn similar<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, candidate);
            let contains = lower.len() >= 3 && (candidate.contains(&lower) || lower.contains(candidate));
            (distance <= 1 + lower.len() / 4 || contains).then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
        .into_iter()
        .take(3)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

/// Whether a file is called as cargo would call the library of this driver: `lib<name>.so`, with or without `lib` and
/// a word `driver`, dashes as underscores.
pub(super) fn is_file_of(file: &Path, name: &str) -> bool {
    let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else {
        return false;
    };
    let stem = stem.strip_prefix("lib").unwrap_or(stem).replace('-', "_");
    let name = name.replace('-', "_");
    let bare = stem
        .strip_suffix("_driver")
        .or_else(|| stem.strip_prefix("driver_"))
        .unwrap_or(&stem);
    !name.is_empty() && (stem == name || bare == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        let names = ["fake", "ipmi", "redfish", "snmp", "ipmi-lan"];
        let similar = |name| similar(name, names.into_iter());
        assert_eq!(similar("ipmo"), ["ipmi"]);
        assert_eq!(similar("IPMI"), ["ipmi", "ipmi-lan"]);
        assert_eq!(similar("refdish"), ["redfish"]);
        assert_eq!(similar("libfake"), ["fake"]);
        assert!(similar("nosuch").is_empty());
        assert!(similar("").is_empty());
    }

    #[test]
    fn a_file_is_known_by_the_name_that_cargo_gives_it() {
        for file in [
            "libmy_bmc.so",
            "my-bmc.so",
            "libmy_bmc_driver.so",
            "/x/libdriver_my_bmc.so",
        ] {
            assert!(is_file_of(Path::new(file), "my-bmc"), "{file}");
        }
        for file in ["libmy_bmc2.so", "libother.so", ".so"] {
            assert!(!is_file_of(Path::new(file), "my-bmc"), "{file}");
        }
    }
}
