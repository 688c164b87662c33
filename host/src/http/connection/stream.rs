//! A client's stream as the HTTP library reads it: one checked message after the other.
//!
//! A head is handed on when it is whole and [`head::check`] has nothing against it. In place of one that is refused the
//! library gets [`STAND_IN`], which the service answers with the refusal: so it has its place behind the answers that
//! are still owed, and looks like every other error. Nothing behind it is read as a request.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::chunks::Chunks;
use super::clock::Clock;
use super::head::{self, Body, HeadError};

/// What the service sees of a request that was refused.
const STAND_IN: &[u8] = b"REFUSED * HTTP/1.1\r\nconnection: close\r\n\r\n";
/// How much is thrown away of what a client still sends when nothing more of it is read.
const MAX_THROWN_AWAY: usize = 8 * 1024 * 1024;

/// What the next byte belongs to.
enum Next {
    Head,
    Length(u64),
    Chunked(Chunks),
    /// Whatever comes now is no request.
    Nothing,
}

/// The stream of one connection.
pub(super) struct Stream {
    tcp: TcpStream,
    clock: Arc<Clock>,
    next: Next,
    /// Read from the client and not handed on yet; empty most of the time.
    held: BytesMut,
    /// So many bytes of `held` may be handed on.
    approved: usize,
    /// Whether `held` was looked at since it grew.
    looked: bool,
    thrown_away: usize,
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, clock: Arc<Clock>) -> Self {
        Stream {
            tcp,
            clock,
            next: Next::Head,
            held: BytesMut::new(),
            approved: 0,
            looked: true,
            thrown_away: 0,
        }
    }

    fn refuse(&mut self, error: HeadError) {
        self.clock.refuse(error);
        self.next = Next::Nothing;
        self.held = BytesMut::from(STAND_IN);
        self.approved = STAND_IN.len();
    }

    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.approved.min(buf.remaining());
        buf.put_slice(&self.held[..count]);
        self.held.advance(count);
        self.approved -= count;
        if self.held.is_empty() {
            self.held = BytesMut::new();
        }
    }

    /// Reads into the library's own buffer, and takes back what is not to be handed on yet.
    fn poll_direct(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<Read>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(cx, buf))?;
        let read = &buf.filled()[before..];
        if read.is_empty() {
            return Poll::Ready(Ok(Read::HandedOn));
        }
        let approved = match self.next.admit(read) {
            Ok(approved) => approved,
            Err(error) => {
                buf.set_filled(before);
                self.refuse(error);
                return Poll::Ready(Ok(Read::Held));
            }
        };
        if approved < read.len() {
            self.held.extend_from_slice(&read[approved..]);
            // Nothing approved: that was the beginning of a head. Else a request behind this one, not looked at yet.
            self.looked = approved == 0;
            buf.set_filled(before + approved);
        }
        if approved == 0 {
            self.clock.head_began();
            return Poll::Ready(Ok(Read::Held));
        }
        self.clock.head_came();
        Poll::Ready(Ok(Read::HandedOn))
    }

    /// Looks at what is held, or reads more of the head whose beginning it is. False at the end of the stream.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool>> {
        if self.looked {
            let mut space = [MaybeUninit::uninit(); 4096];
            let mut more = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut more))?;
            let more = more.filled();
            if more.is_empty() {
                return Poll::Ready(Ok(false));
            }
            self.held.extend_from_slice(more);
            // Looking again at every byte of a head that comes byte by byte would be work for nothing.
            self.looked = !more.contains(&b'\n') && self.held.len() <= head::MAX_TARGET;
            return Poll::Ready(Ok(true));
        }
        self.looked = true;
        let blank = self.held.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        self.held.advance(blank);
        match self.next.admit(&self.held) {
            Ok(0) => self.clock.head_began(),
            Ok(approved) => {
                self.approved = approved;
                self.looked = false;
                self.clock.head_came();
            }
            Err(error) => self.refuse(error),
        }
        Poll::Ready(Ok(true))
    }

    fn wrote<T: Copy + TryInto<u64>>(&self, result: &Poll<Result<T>>) {
        match result {
            Poll::Ready(Ok(bytes)) => self.clock.wrote((*bytes).try_into().unwrap_or(0)),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.clock.is_not_read(),
        }
    }
}

/// Where the bytes of one read went.
enum Read {
    HandedOn,
    Held,
}

impl Next {
    /// How many of `bytes` may be handed on: at most to the end of this message, none if a head is not whole.
    fn admit(&mut self, bytes: &[u8]) -> std::result::Result<usize, HeadError> {
        let mut at = 0;
        if matches!(self, Next::Head) {
            let Some((length, body)) = head::check(bytes)? else {
                return Ok(0);
            };
            at = length;
            *self = match body {
                Body::Length(0) => Next::Head,
                Body::Length(bytes) => Next::Length(bytes),
                Body::Chunked(chunks) => Next::Chunked(chunks),
            };
        }
        match self {
            Next::Length(left) => {
                let there = bytes.len() - at;
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(there);
                at += taken;
                *left -= u64::try_from(taken).unwrap_or(0);
                if *left == 0 {
                    *self = Next::Head;
                }
            }
            Next::Chunked(chunks) => {
                at += chunks.advance(&bytes[at..]);
                if chunks.ended() {
                    *self = Next::Head;
                }
            }
            Next::Head | Next::Nothing => {}
        }
        Ok(at)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let stream = self.get_mut();
        loop {
            if stream.approved > 0 {
                stream.hand_on(buf);
                return Poll::Ready(Ok(()));
            }
            match &stream.next {
                Next::Nothing => return Poll::Pending,
                Next::Chunked(chunks) => {
                    if let Some(reason) = chunks.broken() {
                        return Poll::Ready(Err(Error::new(ErrorKind::InvalidData, reason)));
                    }
                }
                Next::Head => {
                    if let Some(error) = stream.clock.overdue() {
                        stream.refuse(error);
                        continue;
                    }
                }
                Next::Length(_) => {}
            }
            if stream.held.is_empty() {
                if let Read::HandedOn = ready!(stream.poll_direct(cx, buf))? {
                    return Poll::Ready(Ok(()));
                }
            } else if !ready!(stream.poll_held(cx))? {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let result = Pin::new(&mut self.tcp).poll_write(cx, buf);
        self.wrote(&result);
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let result = Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs);
        self.wrote(&result);
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    /// Says that no more answers come. If the client is still sending, what it sends is thrown away for a while: closing
    /// at once would make its system throw away the answer.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        ready!(Pin::new(&mut self.tcp).poll_shutdown(cx))?;
        if matches!(self.next, Next::Head) && self.held.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.clock.closing();
        while self.thrown_away < MAX_THROWN_AWAY {
            let mut space = [MaybeUninit::uninit(); 16 * 1024];
            let mut rest = ReadBuf::uninit(&mut space);
            match ready!(Pin::new(&mut self.tcp).poll_read(cx, &mut rest)) {
                Ok(()) if !rest.filled().is_empty() => self.thrown_away += rest.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}
