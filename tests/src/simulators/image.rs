//! A small HTTP server with an image for virtual media, which the emulator really fetches.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// It answers every request with the same image, until the test's process ends.
#[derive(Debug)]
pub struct ImageServer {
    port: u16,
    served: Arc<AtomicUsize>,
}

impl ImageServer {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = ImageServer {
            port: listener.local_addr().expect("an address").port(),
            served: Arc::default(),
        };
        let served = Arc::clone(&server.served);
        let serve = move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(&stream);
                let mut line = String::new();
                // A reader that leaves early is none of the test's business.
                while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nimage";
                let _left = (&stream).write_all(head.as_bytes());
                served.fetch_add(1, Ordering::SeqCst);
            }
        };
        std::thread::Builder::new()
            .name("images".into())
            .spawn(serve)
            .expect("a thread");
        server
    }

    /// Where an image is.
    pub fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// How often somebody has fetched one.
    pub fn served(&self) -> usize {
        self.served.load(Ordering::SeqCst)
    }
}
