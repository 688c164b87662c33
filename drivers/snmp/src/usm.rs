//! Why a PDU refuses a user of version 3. The protocol's library says that a message was refused and not why; this asks again, in the
//! clear and without any key, and reads the report that the PDU answers with (RFC 3414, section 3.2).

use std::net::SocketAddr;
use std::time::Duration;

use snmp2::{AsnReader, Varbinds};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::oid::ObjectId;
use crate::pdu::User;

/// usmStatsUnknownUserNames.0
const UNKNOWN_USER: &str = "1.3.6.1.6.3.15.1.1.3.0";
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const GET: u8 = 0xa0;
const REPORT: u8 = 0xa8;
const REPORTABLE: u8 = 4;

/// What a PDU says to a user without keys.
#[derive(PartialEq)]
pub(crate) enum Report {
    UnknownUser,
    /// It knows the user: it answers, or finds something else wrong.
    Known,
}

/// A message, as far as it can be read without keys.
struct Heard {
    engine_id: Vec<u8>,
    boots: i64,
    time: i64,
    /// The counter that has grown.
    counter: Option<ObjectId>,
}

/// What the PDU says to this user without keys; nothing if it does not answer.
pub(crate) async fn report(address: SocketAddr, user: &User, patience: Duration) -> Option<Report> {
    let local = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(local).await.ok()?;
    socket.connect(address).await.ok()?;
    // An empty engine ID makes the PDU report its own.
    let engine = read(&exchange(&socket, &message(&[], 0, 0, ""), patience).await?)?;
    let question = message(&engine.engine_id, engine.boots, engine.time, &user.name);
    let heard = read(&exchange(&socket, &question, patience).await?)?;
    Some(
        match heard.counter.map(|counter| counter.to_string()).as_deref() {
            Some(UNKNOWN_USER) => Report::UnknownUser,
            _ => Report::Known,
        },
    )
}

async fn exchange(socket: &UdpSocket, message: &[u8], patience: Duration) -> Option<Vec<u8>> {
    socket.send(message).await.ok()?;
    let mut buffer = vec![0; 2048];
    let length = timeout(patience, socket.recv(&mut buffer)).await.ok()?.ok()?;
    buffer.truncate(length);
    Some(buffer)
}

/// A GET of nothing by `user`, neither authenticated nor encrypted.
fn message(engine_id: &[u8], boots: i64, time: i64, user: &str) -> Vec<u8> {
    let header = tlv(
        SEQUENCE,
        &[
            integer(1),
            integer(65_507),
            tlv(OCTETS, &[vec![REPORTABLE]]),
            integer(3),
        ],
    );
    let security = tlv(
        SEQUENCE,
        &[
            octets(engine_id),
            integer(boots),
            integer(time),
            octets(user.as_bytes()),
            octets(&[]),
            octets(&[]),
        ],
    );
    let get = tlv(GET, &[integer(1), integer(0), integer(0), tlv(SEQUENCE, &[])]);
    let scoped = tlv(SEQUENCE, &[octets(engine_id), octets(&[]), get]);
    tlv(SEQUENCE, &[integer(3), header, octets(&security), scoped])
}

/// A message that is neither authenticated nor encrypted.
fn read(message: &[u8]) -> Option<Heard> {
    let mut message = AsnReader::from_bytes(AsnReader::from_bytes(message).read_raw(SEQUENCE).ok()?);
    message.read_asn_integer().ok()?;
    message.read_raw(SEQUENCE).ok()?;
    let security = message.read_asn_octetstring().ok()?;
    let mut security = AsnReader::from_bytes(AsnReader::from_bytes(security).read_raw(SEQUENCE).ok()?);
    let engine_id = security.read_asn_octetstring().ok()?.to_vec();
    let (boots, time) = (
        security.read_asn_integer().ok()?,
        security.read_asn_integer().ok()?,
    );
    Some(Heard {
        engine_id,
        boots,
        time,
        counter: message.read_raw(SEQUENCE).ok().and_then(counter),
    })
}

fn counter(scoped: &[u8]) -> Option<ObjectId> {
    let mut scoped = AsnReader::from_bytes(scoped);
    scoped.read_asn_octetstring().ok()?;
    scoped.read_asn_octetstring().ok()?;
    let mut report = AsnReader::from_bytes(scoped.read_raw(REPORT).ok()?);
    for _ in 0..3 {
        report.read_asn_integer().ok()?;
    }
    let (name, _) = Varbinds::from_bytes(report.read_raw(SEQUENCE).ok()?).next()?;
    ObjectId::of_wire(&name)
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(OCTETS, &[bytes.to_vec()])
}

pub(crate) fn integer(number: i64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    // As few bytes as keep the sign.
    let spare = bytes
        .windows(2)
        .take_while(|pair| matches!((pair[0], pair[1]), (0, 0..=0x7f) | (0xff, 0x80..=0xff)))
        .count();
    tlv(INTEGER, &[bytes[spare..].to_vec()])
}

/// An element of these parts (X.690, section 8.1).
pub(crate) fn tlv(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let mut element = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => element.push(short),
        Ok(long) => element.extend([0x81, long]),
        Err(_) => {
            let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
            element.push(0x82);
            element.extend(length.to_be_bytes());
        }
    }
    element.extend(content);
    element
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_as_short_as_their_sign_allows() {
        for (number, bytes) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (-1, &[2, 1, 255]),
            (65_507, &[2, 3, 0, 0xff, 0xe3]),
            (2_147_483_647, &[2, 4, 0x7f, 0xff, 0xff, 0xff]),
        ] {
            assert_eq!(integer(number), bytes, "{number}");
        }
    }

    #[test]
    fn lengths_are_written_in_all_their_forms() {
        for (length, head) in [
            (0x7f, &[4, 0x7f][..]),
            (0x80, &[4, 0x81, 0x80]),
            (0x100, &[4, 0x82, 1, 0]),
        ] {
            let element = octets(&vec![0; length]);
            assert_eq!(&element[..head.len()], head);
            assert_eq!(element.len(), head.len() + length);
        }
    }

    #[test]
    fn what_is_written_can_be_read_and_garbage_cannot() {
        let read_back = read(&message(b"\x80\0\0\0\x01", 7, 300, "operator")).unwrap();
        assert_eq!(
            (read_back.engine_id.as_slice(), read_back.boots, read_back.time),
            (&b"\x80\0\0\0\x01"[..], 7, 300)
        );
        assert!(read_back.counter.is_none(), "a GET reports nothing");
        for garbage in [&b""[..], b"\x30", b"\x30\x84\xff\xff\xff\xff", b"HTTP/1.1 400"] {
            assert!(read(garbage).is_none());
        }
    }
}
