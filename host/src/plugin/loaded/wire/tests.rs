//! Frames, whole and broken.

use super::*;

fn answered() -> Report {
    Report::Answered {
        id: 7,
        content_type: Some("text/plain".to_owned()),
    }
}

fn framed(message: &Report, tail: &[u8]) -> BytesMut {
    let mut bytes = BytesMut::from(&encode(message, tail.len()).unwrap()[..]);
    bytes.extend_from_slice(tail);
    bytes
}

#[test]
fn a_frame_arrives_as_it_was_sent_and_leaves_the_next_one() {
    let mut bytes = framed(&answered(), b"hello");
    bytes.extend_from_slice(&framed(&Report::Created, b""));
    let (message, tail) = decode::<Report>(&mut bytes, 100).unwrap().unwrap();
    assert_eq!((message, &tail[..]), (answered(), &b"hello"[..]));
    let (message, tail) = decode::<Report>(&mut bytes, 100).unwrap().unwrap();
    assert_eq!((message, tail.len(), bytes.len()), (Report::Created, 0, 0));
}

#[test]
fn a_frame_that_is_cut_anywhere_is_waited_for() {
    let whole = framed(&answered(), b"hello");
    for end in 0..whole.len() {
        let mut part = BytesMut::from(&whole[..end]);
        assert_eq!(decode::<Report>(&mut part, 100).unwrap(), None, "{end}");
        assert_eq!(part, whole[..end]);
        let known = if end < HEAD { HEAD } else { whole.len() };
        assert_eq!(missing(&part, 100), Ok(known - end), "{end}");
    }
}

#[test]
fn lengths_that_may_not_be_are_refused_before_anything_is_kept_for_them() {
    let mut long = BytesMut::from(&[0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0][..]);
    let error = decode::<Report>(&mut long, 100).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2147483647 bytes of message are announced, at most 65536 are allowed"
    );
    let mut long = framed(&answered(), &[0; 101]);
    let error = decode::<Report>(&mut long, 100).unwrap_err();
    assert_eq!(
        error.to_string(),
        "101 bytes of data are announced, at most 100 are allowed"
    );
}

#[test]
fn what_is_no_message_is_an_error_and_not_a_panic() {
    for byte in 7..=255 {
        let mut bytes = BytesMut::from(&[1, 0, 0, 0, 0, 0, 0, 0, byte][..]);
        assert!(decode::<Report>(&mut bytes, 100).is_err(), "{byte}");
    }
}

#[test]
fn a_message_that_nobody_would_read_is_not_sent() {
    let report = |bytes| Report::Refused("x".repeat(bytes));
    assert!(encode(&report(MAX_MESSAGE - 4), 0).is_ok());
    let error = encode(&report(MAX_MESSAGE), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "65540 bytes of message are announced, at most 65536 are allowed"
    );
}

#[test]
fn what_follows_a_message_inside_its_length_is_an_error() {
    let mut bytes = BytesMut::from(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 9][..]);
    let error = decode::<Report>(&mut bytes, 100).unwrap_err();
    assert_eq!(error.to_string(), "a message with 1 bytes too many");
}
