//! One connection: what is read as a request, in what order it is answered, and when it is over.
//!
//! The HTTP library parses and answers. What it would take although others read it differently, and what it would answer
//! by itself, is caught before it ([`head`]); how long a client may take for what is watched beside it ([`clock`]).

mod chunks;
mod clock;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzing;
mod head;
mod stream;

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

use super::error::ApiError;
pub(super) use clock::Pace;
use clock::{Clock, Late};
pub(super) use head::HeadError;
use stream::Stream;

/// The method of a request that stands for one that was refused; no client gets anywhere with it.
const STAND_IN: &str = "REFUSED";

/// Serves one connection to its end. `answer` gets each request, and why it is refused if it is.
pub(super) async fn serve<A, F>(tcp: TcpStream, pace: Pace, shutdown: Watcher, answer: A)
where
    A: Fn(Request<Incoming>, Option<ApiError>) -> F,
    F: Future<Output = Response<Body>>,
{
    let clock = Arc::new(Clock::new(pace));
    let stream = Stream::new(tcp, clock.clone());
    let service = service_fn(|request: Request<Incoming>| {
        let refusal = clock.begin(request.method().as_str() == STAND_IN);
        let answer = answer(request, refusal.map(ApiError::from));
        let clock = &clock;
        async move {
            let response = answer.await;
            clock.end();
            Ok::<_, Infallible>(response)
        }
    });
    let mut http = Builder::new();
    http.header_read_timeout(None);
    let mut http = pin!(shutdown.watch(http.serve_connection(TokioIo::new(stream), service)));
    let mut sleep = pin!(sleep_until(Instant::now() + pace.first()));
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(ended) = http.as_mut().poll(cx) {
                if let Err(error) = ended {
                    tracing::debug!("a connection ended: {error}");
                }
                return Poll::Ready(());
            }
            // Asked after the connection has done what it could, so that what has come counts, however late this is.
            let late = loop {
                let Some((until, late)) = clock.deadline() else {
                    return Poll::Pending;
                };
                // The timer is not moved with every request: it may ring too early, but never too late.
                if until < sleep.deadline() || sleep.is_elapsed() {
                    sleep.as_mut().reset(until);
                }
                if sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if sleep.deadline() >= until {
                    break late;
                }
            };
            // A late head is refused, everything else ends the connection.
            if late != Late::Head || !clock.give_head_up() {
                tracing::debug!("a connection was closed: it waited too long ({late:?})");
                return Poll::Ready(());
            }
        }
    })
    .await;
}
