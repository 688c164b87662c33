//! Where a chunked body ends. The HTTP library decodes it; this only walks along, and takes nothing that could be read
//! in two ways, so that both see the same end.

/// How many bytes may stand between a chunk's size and the end of its line, and in all trailers together.
const MAX_EXTRA: u32 = 4 * 1024;

/// A place in a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    at: Place,
    size: u64,
    extra: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FirstDigit,
    Digits,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerEnd,
    LastLf,
    Ended,
    Broken(&'static str),
}

impl Chunks {
    pub(super) fn new() -> Self {
        Chunks {
            at: Place::FirstDigit,
            size: 0,
            extra: 0,
        }
    }

    /// Walks over as much of `bytes` as belongs to the body, and says how much that was.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut done = 0;
        while done < bytes.len() && !matches!(self.at, Place::Ended | Place::Broken(_)) {
            if self.at == Place::Data {
                let there = bytes.len() - done;
                let taken = usize::try_from(self.size).unwrap_or(usize::MAX).min(there);
                self.size -= u64::try_from(taken).unwrap_or(0);
                done += taken;
                if self.size == 0 {
                    self.at = Place::DataCr;
                }
            } else {
                self.at = self.step(bytes[done]);
                // What breaks it is not part of it: nobody else is to find out by reading on.
                done += usize::from(self.broken().is_none());
            }
        }
        done
    }

    /// Whether the last byte of the body was passed.
    pub(super) fn ended(&self) -> bool {
        self.at == Place::Ended
    }

    /// What is wrong with it, if something is.
    pub(super) fn broken(&self) -> Option<&'static str> {
        match self.at {
            Place::Broken(reason) => Some(reason),
            _ => None,
        }
    }

    fn step(&mut self, byte: u8) -> Place {
        const SIZE: Place = Place::Broken("the size of a chunk is not a hexadecimal number");
        const LINE: Place = Place::Broken("a line of its framing does not end with CR LF");
        const END: Place = Place::Broken("a chunk is not as long as its size says");
        match (self.at, byte) {
            (Place::FirstDigit | Place::Digits, digit) if digit.is_ascii_hexdigit() => self.digit(digit),
            (Place::FirstDigit, _) => SIZE,
            (Place::Digits | Place::Extension, b'\r') => Place::SizeEnd,
            (Place::Digits, b';') => Place::Extension,
            (Place::Digits, _) => SIZE,
            (Place::Extension, byte) => self.extra(byte, Place::Extension),
            (Place::SizeEnd, b'\n') if self.size == 0 => Place::TrailerStart,
            (Place::SizeEnd, b'\n') => Place::Data,
            (Place::DataCr, b'\r') => Place::DataLf,
            (Place::DataLf, b'\n') => Place::FirstDigit,
            (Place::DataCr | Place::DataLf, _) => END,
            (Place::TrailerStart, b'\r') => Place::LastLf,
            (Place::Trailer, b'\r') => Place::TrailerEnd,
            (Place::TrailerEnd, b'\n') => Place::TrailerStart,
            (Place::TrailerStart | Place::Trailer, byte) => self.extra(byte, Place::Trailer),
            (Place::LastLf, b'\n') => Place::Ended,
            (Place::SizeEnd | Place::TrailerEnd | Place::LastLf, _) => LINE,
            (place @ (Place::Data | Place::Ended | Place::Broken(_)), _) => place,
        }
    }

    fn digit(&mut self, digit: u8) -> Place {
        let value = char::from(digit).to_digit(16).map_or(0, u64::from);
        match self.size.checked_mul(16) {
            Some(size) => {
                self.size = size + value;
                Place::Digits
            }
            None => Place::Broken("the size of a chunk is too large"),
        }
    }

    fn extra(&mut self, byte: u8, place: Place) -> Place {
        self.extra += 1;
        if self.extra > MAX_EXTRA {
            return Place::Broken("its extensions and trailers are too long");
        }
        if byte.is_ascii_control() && byte != b'\t' {
            return Place::Broken("a line of its framing holds a control character");
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        for size in 1..=BODY.len() {
            let mut chunks = Chunks::new();
            let mut done = 0;
            for piece in BODY.chunks(size) {
                done += chunks.advance(piece);
            }
            assert_eq!(
                (done, chunks.ended(), chunks.broken()),
                (BODY.len(), true, None),
                "{size}"
            );
        }
        let mut chunks = Chunks::new();
        assert_eq!(chunks.advance(b"0\r\n\r\nGET /"), 5);
        assert!(chunks.ended());
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_broken() {
        for body in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "0x1\r\n",
            "1 \r\na\r\n",
            "1\na\r\n",
            "1\r\nab\r\n",
            "1\r\na\n",
            "1;\n\r\na\r\n",
            "1;\0\r\n",
            "0\r\nA: b\n\r\n",
            "0\r\n\r\r",
            "10000000000000000\r\n",
            "fffffffffffffffff\r\n",
        ] {
            let mut chunks = Chunks::new();
            chunks.advance(body.as_bytes());
            assert!(chunks.broken().is_some(), "{body:?}: {chunks:?}");
        }
        let mut chunks = Chunks::new();
        chunks.advance(format!("1;{}", "e".repeat(5000)).as_bytes());
        assert_eq!(chunks.broken(), Some("its extensions and trailers are too long"));
    }
}
