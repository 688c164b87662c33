//! What must hold of frames, in both directions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{HEAD, MAX_MESSAGE, Order, Report, WireError, decode, encode};

/// Any bytes as what the host says.
pub(crate) fn orders(bytes: &[u8]) {
    stream::<Order>(bytes);
}

/// Any bytes as what a worker process says.
pub(crate) fn reports(bytes: &[u8]) {
    stream::<Report>(bytes);
}

/// Two bytes that say how the rest arrives and how long a tail may be, and the rest.
fn stream<T: Serialize + for<'a> Deserialize<'a> + Debug + PartialEq>(bytes: &[u8]) {
    let Some((&[size, most], stream)) = bytes.split_first_chunk() else {
        return;
    };
    let max_tail = usize::from(most) * 16;
    let whole = frames::<T>(stream, stream.len(), max_tail);
    assert_eq!(
        whole,
        frames::<T>(stream, size.into(), max_tail),
        "it does not matter in which pieces they come"
    );
    for (message, tail) in whole.0 {
        assert!(tail.len() <= max_tail);
        let mut sent = BytesMut::from(&encode(&message, tail.len()).unwrap()[..]);
        sent.extend_from_slice(&tail);
        let arrived = decode::<T>(&mut sent, max_tail).unwrap();
        assert_eq!(arrived, Some((message, tail)), "what is sent arrives");
        assert!(sent.is_empty());
    }
}

/// The frames of a stream that comes in pieces, and what ended it.
fn frames<T: for<'a> Deserialize<'a>>(
    stream: &[u8],
    size: usize,
    max_tail: usize,
) -> (Vec<(T, Bytes)>, Option<WireError>) {
    let mut read = BytesMut::new();
    let mut frames = Vec::new();
    for piece in stream.chunks(size.max(1)) {
        read.extend_from_slice(piece);
        loop {
            match decode(&mut read, max_tail) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        // Twice, because a buffer grows by doubling.
        let most = 2 * (HEAD + MAX_MESSAGE + max_tail + stream.len());
        assert!(read.capacity() <= most, "{} bytes are kept", read.capacity());
    }
    (frames, None)
}
