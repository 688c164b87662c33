//! The worker's end of the socket, read by one thread at a time and written by any.

use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;

use bytes::{Buf, Bytes, BytesMut};
use parking_lot::Mutex;

use super::confine::Host;
use crate::plugin::loaded::wire::{self, Order, Report, WireError};

/// How much is read at once.
const READ: usize = 16 * 1024;

/// Where orders come from.
pub(super) struct Incoming {
    stream: UnixStream,
    read: BytesMut,
}

impl Incoming {
    pub(super) fn new(stream: UnixStream) -> Self {
        Incoming {
            stream,
            read: BytesMut::new(),
        }
    }

    /// Waits for the next order; nothing when the host has closed its end.
    pub(super) fn next(&mut self) -> io::Result<Option<(Order, Bytes)>> {
        loop {
            // The host may send what it likes: what is too much for it is not read by it.
            if let Some(frame) = wire::decode(&mut self.read, usize::MAX).map_err(io::Error::other)? {
                return Ok(Some(frame));
            }
            let filled = self.read.len();
            let room = (self.read.capacity() - filled).max(READ);
            self.read.resize(filled + room, 0);
            let outcome = self.stream.read(&mut self.read[filled..]);
            let read = match &outcome {
                Ok(read) => *read,
                Err(_) => 0,
            };
            self.read.truncate(filled + read);
            match outcome {
                Ok(0) => return Ok(None),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
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
