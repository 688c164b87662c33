//! What must hold of what is looked at before the HTTP library sees it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rule that is broken panics"
)]

use std::cell::RefCell;
use std::io::Cursor;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use axum::http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::chunks::Chunks;
use super::head::{self, Body, MAX_HEAD};

/// Any bytes as the beginning of a request.
pub(crate) fn request_head(bytes: &[u8]) {
    match head::check(bytes) {
        Ok(Some((length, body))) => {
            assert!(length <= bytes.len() && length <= MAX_HEAD);
            assert_eq!(
                head::check(&bytes[..length]),
                Ok(Some((length, body))),
                "what follows does not matter"
            );
            for end in (0..length).step_by(length / 64 + 1) {
                assert_eq!(
                    head::check(&bytes[..end]),
                    Ok(None),
                    "{end} of {length} bytes are a part"
                );
            }
        }
        Ok(None) => {
            let half = head::check(&bytes[..bytes.len() / 2]);
            assert_eq!(half, Ok(None), "a part of a part is one");
        }
        Err(error) => {
            let more = head::check(&[bytes, b"\r\n\r\n"].concat());
            assert!(
                more.is_err(),
                "{error}: nothing that follows can mend it, {more:?}"
            );
        }
    }
}

/// A byte that says how it arrives, and any bytes as a chunked body.
pub(crate) fn chunked_body(bytes: &[u8]) {
    let Some((&size, bytes)) = bytes.split_first() else {
        return;
    };
    let whole = walked(bytes, bytes.len());
    assert_eq!(
        whole,
        walked(bytes, size.into()),
        "it does not matter in which pieces it comes"
    );
    let (done, chunks) = whole;
    assert!(!chunks.ended() || chunks.broken().is_none());
    if !chunks.ended() && chunks.broken().is_none() {
        assert_eq!(done, bytes.len(), "it goes on");
    }
}

fn walked(bytes: &[u8], size: usize) -> (usize, Chunks) {
    let (mut chunks, mut done) = (Chunks::new(), 0);
    for piece in bytes.chunks(size.max(1)) {
        let here = chunks.advance(piece);
        done += here;
        if here < piece.len() {
            break;
        }
    }
    (done, chunks)
}

/// Any bytes as all that a client sends: the HTTP library must find the same requests in them, and answer none by itself.
pub(crate) fn request_stream(bytes: &[u8]) {
    let (messages, admitted) = admitted(bytes);
    let seen: Rc<RefCell<Vec<Result<usize, ()>>>> = Rc::default();
    let mut answers = Vec::new();
    let service = service_fn(|request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            let body = request.into_body().collect().await;
            seen.borrow_mut()
                .push(body.map(|body| body.to_bytes().len()).map_err(drop));
            Response::builder().status(404).body(Empty::<Bytes>::new())
        }
    });
    let ended = {
        let io = TokioIo::new(tokio::io::join(Cursor::new(admitted), &mut answers));
        let mut http = Builder::new();
        http.header_read_timeout(None).half_close(true);
        let mut connection = pin!(http.serve_connection(io, service));
        let mut polled = 0;
        loop {
            match connection.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(ended) => break ended,
                Poll::Pending => polled += 1,
            }
            assert!(polled < 10_000, "it comes to an end");
        }
    };
    let seen = seen.take();
    for (n, length) in seen.iter().enumerate() {
        match (length, messages.get(n)) {
            (Ok(length), Some(expected)) => assert_eq!(length, &expected.body, "the body of request {n}"),
            // Trailers that it does not take: the service is told, and answers.
            (Err(()), Some(expected)) => assert!(expected.trailers && n + 1 == seen.len(), "request {n}"),
            (_, None) => panic!("request {n} was never admitted"),
        }
    }
    let broken = seen.last().is_some_and(Result::is_err);
    assert!(ended.is_ok() || broken, "{ended:?}");
    let answered = memchr::memmem::find_iter(&answers, b"HTTP/1.1 ").count()
        + memchr::memmem::find_iter(&answers, b"HTTP/1.0 ").count();
    let interim = memchr::memmem::find_iter(&answers, b" 100 Continue").count();
    assert_eq!(
        answered - interim,
        seen.len(),
        "{}",
        String::from_utf8_lossy(&answers)
    );
}

/// A whole request.
struct Message {
    body: usize,
    trailers: bool,
}

/// The whole requests at the beginning of `bytes`, and the bytes that they are.
fn admitted(bytes: &[u8]) -> (Vec<Message>, &[u8]) {
    let (mut messages, mut end) = (Vec::new(), 0);
    while let Ok(Some((length, body))) = head::check(&bytes[end..]) {
        let rest = &bytes[end + length..];
        let (taken, message) = match body {
            Body::Length(size) => {
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                let message = Message {
                    body: size,
                    trailers: false,
                };
                (size, message)
            }
            Body::Chunked(mut chunks) => {
                let taken = chunks.advance(rest);
                if !chunks.ended() {
                    break;
                }
                (taken, unchunked(&rest[..taken]))
            }
        };
        if taken > rest.len() {
            break;
        }
        end += length + taken;
        messages.push(message);
    }
    (messages, &bytes[..end])
}

/// What is in a chunked body that was found to be whole.
fn unchunked(mut bytes: &[u8]) -> Message {
    let mut body = 0;
    loop {
        let line = memchr::memmem::find(bytes, b"\r\n").unwrap();
        let digits = bytes[..line].split(|byte| *byte == b';').next().unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        bytes = &bytes[line + 2..];
        if size == 0 {
            let trailers = bytes != b"\r\n";
            return Message { body, trailers };
        }
        body += size;
        bytes = &bytes[size + 2..];
    }
}
