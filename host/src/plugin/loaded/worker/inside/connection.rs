//! The worker's end of the socket, read by one thread at a time and written by any.

use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;

use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;

use super::confine::Host;
use crate::plugin::loaded::wire::{self, Order, Report, WireError};

/// How much is read at once, if there is as much.
const READ: usize = 16 * 1024;
/// With less room nothing is read.
const LEAST: usize = 4 * 1024;

/// Where orders come from.
pub(super) struct Incoming {
    stream: UnixStream,
    /// What was read, and behind it room for more, which was cleared once and not again for each read.
    buffer: BytesMut,
    filled: usize,
}

impl Incoming {
    pub(super) fn new(stream: UnixStream) -> Self {
        Incoming {
            stream,
            buffer: BytesMut::new(),
            filled: 0,
        }
    }

    /// Waits for the next order; nothing when the host has closed its end.
    pub(super) fn next(&mut self) -> io::Result<Option<(Order, Bytes)>> {
        loop {
            // The host may send what it likes: what is too much for it is not read by it.
            let missing = wire::missing(&self.buffer[..self.filled], usize::MAX).map_err(io::Error::other)?;
            if missing == 0 {
                let room = self.buffer.split_off(self.filled);
                let frame = wire::decode(&mut self.buffer, usize::MAX).map_err(io::Error::other)?;
                self.filled = self.buffer.len();
                self.buffer.unsplit(room);
                return Ok(frame);
            }
            self.make_room(missing);
            match self.stream.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(None),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// For what is missing, and for what may follow it.
    fn make_room(&mut self, missing: usize) {
        if self.buffer.len() - self.filled < missing.max(LEAST) {
            let mut larger = BytesMut::zeroed(self.filled + missing.max(READ));
            larger[..self.filled].copy_from_slice(&self.buffer[..self.filled]);
            self.buffer = larger;
        }
    }
}

/// Where reports go.
pub(super) struct Outgoing {
    stream: Mutex<UnixStream>,
    host: Host,
}

impl Outgoing {
    pub(super) fn new(stream: UnixStream, host: Host) -> Self {
        Outgoing {
            stream: Mutex::new(stream),
            host,
        }
    }

    /// Sends a report and what follows it. When that cannot be, there is no host any more, or the driver has closed what was not its own: then
    /// nobody would ever answer the calls.
    ///
    /// # Errors
    /// The report is too long for a frame; nothing was sent.
    pub(super) fn send(&self, report: &Report, tail: Bytes) -> Result<(), WireError> {
        let head = wire::encode(report, tail.len())?;
        let mut frame = Bytes::from(head).chain(tail);
        self.host.end_copies();
        let mut stream = self.stream.lock();
        while frame.has_remaining() {
            let mut slices = [IoSlice::new(&[]); 2];
            let used = frame.chunks_vectored(&mut slices);
            match stream.write_vectored(&slices[..used]) {
                Ok(written @ 1..) => frame.advance(written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                _ => self.host.end(),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: u64, tail: &[u8]) -> Vec<u8> {
        let mut bytes = wire::encode(&Order::Cancel { id }, tail.len()).expect("a frame");
        bytes.extend_from_slice(tail);
        bytes
    }

    #[test]
    fn orders_arrive_whole_however_large_they_are_and_wherever_they_are_cut() {
        let (mut host, stream) = UnixStream::pair().expect("a socket pair");
        let sizes = [0, 1, LEAST, READ - 9, READ, 0, 5 * READ + 1, 3, 1 << 20, 0];
        let tail = |size: usize| vec![u8::try_from(size % 251).expect("less than 256"); size];
        let writing = std::thread::Builder::new().spawn(move || {
            let all: Vec<u8> = (0..)
                .zip(sizes)
                .flat_map(|(id, size)| order(id, &tail(size)))
                .collect();
            for piece in all.chunks(5_000) {
                host.write_all(piece).expect("a reader");
            }
        });
        let writer = writing.expect("a thread");
        let mut incoming = Incoming::new(stream);
        let mut kept = Vec::new();
        for (id, size) in (0..).zip(sizes) {
            let (order, found) = incoming.next().expect("an order").expect("one more");
            assert_eq!(order, Order::Cancel { id });
            kept.push((found, size));
        }
        assert_eq!(incoming.next().expect("an end"), None);
        for (found, size) in kept {
            assert!(found == tail(size), "{size} bytes are still what they were");
        }
        writer.join().expect("everything was written");
    }
}
