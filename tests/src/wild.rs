//! Copies of the driver that misbehaves on command, each with a name of its own.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{HostBuilder, Library};

const WILD: Library = Library::of_fixtures("wild-000", "wild-driver");
/// What stands in the file, and is replaced by a text of the same length.
const NAME: &[u8] = br#""name":"wild-000""#;
/// What the constructor's order stands behind: nothing but NULs, as built.
const CONSTRUCTOR: &[u8] = b"wild constructor order: \0\0\0\0";
/// How many bytes there are for it.
const ROOM: usize = 1024 - CONSTRUCTOR.len();

impl HostBuilder {
    /// Puts a copy of the wild driver into the folder, under the name `wild-NUMBER`, and enables it. Its constructor does what the order says.
    pub fn wild(self, number: usize, constructor: Option<&Value>) -> Self {
        let name = wild_name(number);
        let file = self.folder().join("drivers").join(format!("{name}.so"));
        write_copy(&file, &name, constructor);
        self.enable(&name)
    }
}

/// The name of a copy.
pub fn wild_name(number: usize) -> String {
    format!("wild-{number:03}")
}

/// The built file, and where in it what differs between copies stands.
struct Original {
    bytes: Vec<u8>,
    names: Vec<usize>,
    constructor: usize,
}

fn original() -> &'static Original {
    static ORIGINAL: OnceLock<Original> = OnceLock::new();
    ORIGINAL.get_or_init(|| {
        let bytes = std::fs::read(WILD.path()).expect("the built driver");
        let places = |text: &[u8]| -> Vec<usize> {
            let windows = bytes.windows(text.len()).enumerate();
            windows
                .filter_map(|(at, window)| (window == text).then_some(at))
                .collect()
        };
        let (names, constructor) = (places(NAME), places(CONSTRUCTOR));
        assert!(!names.is_empty(), "the driver's name in its file");
        assert_eq!(constructor.len(), 1, "the room for the constructor's order");
        Original {
            constructor: constructor[0] + CONSTRUCTOR.len() - 4,
            names,
            bytes,
        }
    })
}

fn write_copy(file: &Path, name: &str, constructor: Option<&Value>) {
    let original = original();
    let mut bytes = original.bytes.clone();
    let own = format!(r#""name":"{name}""#);
    assert_eq!(own.len(), NAME.len(), "{name}");
    for at in &original.names {
        bytes[*at..at + own.len()].copy_from_slice(own.as_bytes());
    }
    if let Some(order) = constructor {
        let order = order.to_string();
        assert!(order.len() < ROOM, "{order}");
        bytes[original.constructor..][..order.len()].copy_from_slice(order.as_bytes());
    }
    std::fs::write(file, bytes).expect("a copy of the driver");
}
