//! What the documents say is there, is there.

use std::path::Path;

use suite::{SourceFile, repository_files, repository_root};

fn documents() -> Vec<SourceFile> {
    repository_files()
        .into_iter()
        .filter(|file| file.path.ends_with(".md"))
        .collect()
}

/// The targets of a document's links, without those to other places on the net.
fn links(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for (at, _) in line.match_indices("](") {
            let rest = &line[at + 2..];
            let Some(end) = rest.find(')') else { continue };
            let target = rest[..end].trim();
            let file = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:") || target.contains("::");
            if !file.is_empty() && !elsewhere {
                targets.push(file.to_owned());
            }
        }
    }
    targets
}

#[test]
fn links_between_documents_and_files_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let folder = Path::new(&document.path).parent().unwrap().to_owned();
        for link in links(&document.text) {
            let rustdoc = !link.contains('.') && !link.contains('/');
            let target = repository_root().join(&folder).join(&link);
            if !rustdoc && !target.exists() {
                broken.push(format!("{}: {link}", document.path));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_document_that_a_reader_is_promised_is_there_and_not_empty() {
    for path in [
        "README.md",
        "host/ARCHITECTURE.md",
        "host/METRICS.md",
        "host/ISOLATION.md",
        "driver-abi/README.md",
        "driver-abi/CHANGELOG.md",
        "driver-abi/sdk/README.md",
        "drivers/README.md",
        "examples/hello-driver/README.md",
        "tests/bench/README.md",
        "tests/bench/REPORT.md",
    ] {
        let text =
            std::fs::read_to_string(repository_root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(
            text.starts_with("# ") && text.len() > 300,
            "{path}: {} characters",
            text.len()
        );
    }
}

#[test]
fn the_readme_names_the_commands_and_the_one_test_command() {
    let readme = std::fs::read_to_string(repository_root().join("README.md")).expect("README.md");
    for piece in [
        "tests/run",
        "tests/bench/run",
        "host serve",
        "host list-available",
        "host inspect",
        "host driver-list",
        "host driver-reset",
        "host check-config",
        "host openapi",
        "rename",
    ] {
        assert!(readme.contains(piece), "{piece}");
    }
}

#[test]
fn paths_in_the_map_of_the_architecture_exist() {
    let text = std::fs::read_to_string(repository_root().join("host/ARCHITECTURE.md"))
        .expect("host/ARCHITECTURE.md");
    let mut missing = Vec::new();
    for piece in text.split('`').skip(1).step_by(2) {
        let is_path = piece.ends_with(".rs") && piece.contains('/') && !piece.contains([' ', '{', '*', '<']);
        let candidates = [
            repository_root().join(piece),
            repository_root().join("host/src").join(piece),
            repository_root().join("host").join(piece),
        ];
        if is_path && !candidates.iter().any(|path| path.exists()) {
            missing.push(piece.to_owned());
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
