//! What is looked at before the HTTP library sees a request's head: that nobody can read it in two ways, and where its
//! message ends. RFC 9112 lets a server be lenient with several of these; whoever stands in front of this one may be
//! lenient in another way, and then one of the two sees a request that the other does not.

use std::mem::MaybeUninit;

use axum::http::Uri;

use super::chunks::Chunks;

/// The largest head of a request, in bytes. Many connections may hold one that is not complete yet.
pub(super) const MAX_HEAD: usize = 16 * 1024;
/// The longest target of a request, in bytes. RFC 9112 wants 8000 at least.
pub(super) const MAX_TARGET: usize = 8 * 1024;
/// How many fields a head may have: what the HTTP library takes.
const MAX_FIELDS: usize = 100;

/// Why a request is refused before anything is done with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::http) enum HeadError {
    /// Not the head of an HTTP request.
    #[error("The request could not be understood: {0}")]
    Malformed(&'static str),
    /// Another version of HTTP.
    #[error("This version of HTTP is not served: expected HTTP/1.1 or HTTP/1.0")]
    Version,
    /// The target is too long.
    #[error("The request's target is too long: at most {MAX_TARGET} bytes are taken")]
    LongTarget,
    /// The head is too large.
    #[error("The request's head is too large: at most {MAX_HEAD} bytes are taken")]
    Large,
    /// Too many fields.
    #[error("The request has too many header fields: at most {MAX_FIELDS} are taken")]
    ManyFields,
    /// It did not come in time.
    #[error("The request's head did not come within {ms} ms")]
    Overdue {
        /// The time that it had.
        ms: u64,
    },
}

/// What follows a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes; often none.
    Length(u64),
    /// Chunks.
    Chunked(Chunks),
}

/// Looks for a whole head at the start of `bytes`: its length and what follows it, or nothing if it is not complete.
///
/// # Errors
/// What is wrong with it, as soon as that is seen.
pub(super) fn check(bytes: &[u8]) -> Result<Option<(usize, Body)>, HeadError> {
    let mut fields = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let length = match request.parse_with_uninit_headers(bytes, &mut fields) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return incomplete(bytes),
        Err(error) => return Err(error.into()),
    };
    let target = request.path.unwrap_or("");
    if target.len() > MAX_TARGET {
        return Err(HeadError::LongTarget);
    }
    if length > MAX_HEAD {
        return Err(HeadError::Large);
    }
    if has_bare_line_feed(&bytes[..length]) {
        return Err(HeadError::Malformed("a line does not end with CR LF"));
    }
    if !is_target(target, request.method) {
        return Err(HeadError::Malformed("the target is neither a path nor a URI"));
    }
    framing(&request).map(|body| Some((length, body)))
}

fn incomplete(bytes: &[u8]) -> Result<Option<(usize, Body)>, HeadError> {
    // A method, a version and the spaces between them need far less than what is added here.
    if bytes.len() > MAX_TARGET + 64 && memchr::memchr(b'\n', bytes).is_none() {
        return Err(HeadError::LongTarget);
    }
    if bytes.len() > MAX_HEAD {
        return Err(HeadError::Large);
    }
    Ok(None)
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    memchr::memchr_iter(b'\n', head).any(|at| at == 0 || head[at - 1] != b'\r')
}

/// Whether the target has one of the four forms of RFC 9112. The HTTP library takes a bare word for the name of a host.
fn is_target(target: &str, method: Option<&str>) -> bool {
    if target.starts_with('/') && target.bytes().all(is_plain) {
        return true;
    }
    Uri::try_from(target).is_ok_and(|uri| {
        target.starts_with('/') || target == "*" || uri.scheme().is_some() || method == Some("CONNECT")
    })
}

/// What every parser of URIs takes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/?=&%-._~:,".contains(&byte)
}

/// Where the message ends, if there is only one way to read that.
fn framing(request: &httparse::Request<'_, '_>) -> Result<Body, HeadError> {
    let refuse = |reason| Err(HeadError::Malformed(reason));
    let (mut hosts, mut length, mut coded) = (0, None, false);
    for field in request.headers.iter() {
        match field.name.len() {
            4 if field.name.eq_ignore_ascii_case("host") => hosts += 1,
            14 if field.name.eq_ignore_ascii_case("content-length") => {
                if length.is_some() {
                    return refuse("Content-Length is there more than once");
                }
                let Some(bytes) = decimal(field.value) else {
                    return refuse("Content-Length is not a number of bytes");
                };
                length = Some(bytes);
            }
            17 if field.name.eq_ignore_ascii_case("transfer-encoding") => {
                if coded || !field.value.eq_ignore_ascii_case(b"chunked") {
                    return refuse("Transfer-Encoding is not chunked and nothing else");
                }
                coded = true;
            }
            _ => {}
        }
    }
    let latest = request.version == Some(1);
    if coded && !latest {
        return refuse("HTTP/1.0 has no Transfer-Encoding");
    }
    if coded && length.is_some() {
        return refuse("Content-Length and Transfer-Encoding exclude each other");
    }
    if hosts > 1 || (latest && hosts == 0) {
        return refuse("HTTP/1.1 wants exactly one Host");
    }
    Ok(if coded {
        Body::Chunked(Chunks::new())
    } else {
        Body::Length(length.unwrap_or(0))
    })
}

fn decimal(value: &[u8]) -> Option<u64> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

impl From<httparse::Error> for HeadError {
    fn from(error: httparse::Error) -> Self {
        match error {
            httparse::Error::TooManyHeaders => HeadError::ManyFields,
            httparse::Error::Version => HeadError::Version,
            httparse::Error::HeaderName => HeadError::Malformed("the name of a header field is broken"),
            httparse::Error::HeaderValue => HeadError::Malformed("the value of a header field is broken"),
            httparse::Error::NewLine => HeadError::Malformed("a line does not end with CR LF"),
            httparse::Error::Token | httparse::Error::Status => {
                HeadError::Malformed("its first line is not METHOD TARGET HTTP/1.1")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(fields: &str) -> Result<Option<(usize, Body)>, HeadError> {
        check(format!("POST /v1 HTTP/1.1\r\nHost: h\r\n{fields}\r\n").as_bytes())
    }

    #[test]
    fn a_whole_head_says_what_follows_it() {
        let head = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        let found = check(format!("{head}GET").as_bytes()).unwrap();
        assert_eq!(found, Some((head.len(), Body::Length(0))));
        let body = |fields| of(fields).unwrap().map(|(_, body)| body);
        assert_eq!(body("content-length: 12 \r\n"), Some(Body::Length(12)));
        assert_eq!(body("CONTENT-LENGTH:0\r\n"), Some(Body::Length(0)));
        assert_eq!(
            body("Transfer-Encoding: Chunked\r\n"),
            Some(Body::Chunked(Chunks::new()))
        );
    }

    #[test]
    fn every_part_of_a_head_is_incomplete() {
        let head = b"\r\nPOST /v1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n";
        for end in 0..head.len() {
            assert_eq!(check(&head[..end]), Ok(None), "{end}");
        }
        assert!(check(head).unwrap().is_some());
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Transfer-Encoding: \x0bchunked\r\n",
            "X: a\nTransfer-Encoding: chunked\r\n",
            "X: a\r\n b\r\n",
            "Host: other\r\n",
        ] {
            assert!(matches!(of(fields), Err(HeadError::Malformed(_))), "{fields:?}");
        }
    }
}
