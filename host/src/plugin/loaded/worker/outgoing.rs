//! Orders on their way to a process: whole frames, first in, first out.
//!
//! What the socket does not take waits here, so there is at most what the driver's calls in flight bring: its `max_calls` times a body and
//! a node.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};

/// How many pieces are written at once.
pub(super) const PIECES: usize = 16;

/// One order.
#[derive(Debug)]
pub(super) struct Frame {
    /// The call that it begins, if it begins one.
    pub(super) call: Option<u64>,
    /// Its message, and what follows that.
    pub(super) parts: [Bytes; 3],
}

/// Orders that are not wholly written yet.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    frames: VecDeque<Frame>,
    /// Of the first frame some bytes are written.
    is_broken_into: bool,
    is_closed: bool,
}

impl Outgoing {
    /// Whether nothing more will be written.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn push(&mut self, frame: Frame) {
        self.frames.push_back(frame);
    }

    /// The next pieces to be written, and how many they are.
    pub(super) fn pieces(&self) -> ([IoSlice<'_>; PIECES], usize) {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let parts = self.frames.iter().flat_map(|frame| &frame.parts);
        let filled = parts.filter(|part| !part.is_empty());
        let count = pieces
            .iter_mut()
            .zip(filled)
            .map(|(piece, part)| *piece = IoSlice::new(part))
            .count();
        (pieces, count)
    }

    /// So many bytes are written.
    pub(super) fn advance(&mut self, mut written: usize) {
        while let Some(frame) = self.frames.front_mut() {
            for part in &mut frame.parts {
                let some = written.min(part.len());
                part.advance(some);
                written -= some;
                self.is_broken_into |= some > 0;
            }
            if frame.parts.iter().any(|part| !part.is_empty()) {
                return;
            }
            self.frames.pop_front();
            self.is_broken_into = false;
        }
    }

    /// Takes back the order that begins a call. Not if any of it is written.
    pub(super) fn withdraw(&mut self, call: u64) -> bool {
        let first = usize::from(self.is_broken_into);
        let mut waiting = self.frames.iter().skip(first);
        let found = waiting.position(|frame| frame.call == Some(call));
        found.is_some_and(|at| self.frames.remove(first + at).is_some())
    }

    /// Lets nothing follow. The calls whose orders were never wholly written: they have not begun.
    pub(super) fn close(&mut self) -> Vec<u64> {
        self.is_closed = true;
        self.frames.drain(..).filter_map(|frame| frame.call).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(call: u64, text: &'static str) -> Frame {
        Frame {
            call: Some(call),
            parts: [
                Bytes::from_static(text.as_bytes()),
                Bytes::new(),
                Bytes::from_static(b"!"),
            ],
        }
    }

    fn text(outgoing: &Outgoing) -> String {
        let (pieces, count) = outgoing.pieces();
        let bytes: Vec<u8> = pieces[..count].iter().flat_map(|piece| piece.to_vec()).collect();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn frames_are_written_in_their_order_from_where_the_last_write_has_ended() {
        let mut outgoing = Outgoing::default();
        outgoing.push(frame(1, "one"));
        outgoing.push(frame(2, "two"));
        assert_eq!(text(&outgoing), "one!two!");
        outgoing.advance(2);
        assert_eq!(text(&outgoing), "e!two!");
        outgoing.advance(3);
        assert_eq!(text(&outgoing), "wo!");
        outgoing.advance(3);
        assert!(outgoing.is_empty());
    }

    #[test]
    fn an_order_can_be_taken_back_until_its_first_byte_is_written() {
        let mut outgoing = Outgoing::default();
        for (call, text) in [(1, "one"), (2, "two"), (3, "three")] {
            outgoing.push(frame(call, text));
        }
        assert!(outgoing.withdraw(2));
        outgoing.advance(1);
        assert!(!outgoing.withdraw(1), "a part of it is on its way");
        assert!(!outgoing.withdraw(2), "it is gone already");
        assert_eq!(text(&outgoing), "ne!three!");
        outgoing.advance(3);
        assert!(outgoing.withdraw(3), "nothing of it is written");
        assert!(outgoing.is_empty());
    }

    #[test]
    fn what_was_not_wholly_written_when_the_process_ended_has_not_begun() {
        let mut outgoing = Outgoing::default();
        for (call, text) in [(1, "one"), (2, "two"), (3, "three")] {
            outgoing.push(frame(call, text));
        }
        outgoing.advance(5);
        assert_eq!(outgoing.close(), [2, 3]);
        assert!(outgoing.is_closed() && outgoing.is_empty());
    }
}
