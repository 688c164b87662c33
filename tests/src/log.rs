//! What a host has written so far, line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use serde_json::Value;

/// A host's output, collected while it runs.
#[derive(Debug, Clone, Default)]
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    closing: Arc<AtomicBool>,
}

impl Log {
    /// Collects every line of `stream` from now on, on a thread that ends with the stream.
    pub fn collect(&self, stream: impl Read + Send + 'static) -> JoinHandle<()> {
        let log = self.clone();
        let collect = move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                log.lock().push(String::from_utf8_lossy(&line).into_owned());
                if log.closing.load(Ordering::Relaxed) {
                    break;
                }
            }
        };
        Builder::new()
            .name("host log".into())
            .spawn(collect)
            .expect("a thread for the log")
    }

    /// Reads one line more of each stream and closes it, as a reader does that has ended.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything so far.
    pub fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// Everything so far, as one text.
    pub fn text(&self) -> String {
        self.lock().join("\n")
    }

    /// The lines that hold all of `pieces`.
    pub fn lines_with(&self, pieces: &[&str]) -> Vec<String> {
        self.lines()
            .into_iter()
            .filter(|line| pieces.iter().all(|piece| line.contains(piece)))
            .collect()
    }

    /// The address in the line that says that the host is listening, in either format.
    pub fn address(&self) -> Option<String> {
        self.lines_with(&["listening"])
            .iter()
            .find_map(|line| match serde_json::from_str::<Value>(line) {
                Ok(line) => field(&line, "address").and_then(Value::as_str).map(str::to_owned),
                Err(_) => {
                    let rest = line.split_once("address=")?.1;
                    Some(rest.split_whitespace().next()?.trim_matches('"').to_owned())
                }
            })
    }
}

/// A field of a log line in JSON, wherever the line's shape has it.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    object
        .get(name)
        .or_else(|| object.values().find_map(|inner| field(inner, name)))
}
