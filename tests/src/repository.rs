//! The source tree, as a clone has it.

use std::path::Path;

/// The top level of the repository.
pub fn repository_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the repository")
}

/// A text file of the source tree.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path, relative to the top level, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Every text file of the tree, without build output and without the version control's own files.
pub fn repository_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    walk(repository_root(), &mut files);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn walk(folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("a readable entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("an entry's type");
        if kind.is_dir() {
            if !["target", ".git"].contains(&name.as_str()) {
                walk(&entry.path(), files);
            }
        } else if kind.is_file()
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            files.push(SourceFile {
                path: relative(&entry.path()),
                text,
            });
        }
    }
}

fn relative(path: &Path) -> String {
    path.strip_prefix(repository_root())
        .expect("a path inside")
        .to_string_lossy()
        .into_owned()
}
