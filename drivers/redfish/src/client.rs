//! One call's conversation with its device: attempts, logins, redirects, and the end of the call's time.

mod answer;
mod extended;
mod resource;
mod task;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use driver_sdk::{Call, Fault};
use hyper::{Method, StatusCode, header};
use tokio::time::{Instant, sleep, timeout_at};

use crate::connection::{Answer, ExchangeError};
use crate::device::{AskError, Device, LoginError, Request, is_unauthorized};
use crate::path::PathError;
use answer::json_of;
pub(crate) use resource::{Resource, location};

/// How often a call looks whether anybody waits for it still.
const GLANCE: Duration = Duration::from_millis(500);
/// How many redirects are followed.
const REDIRECTS: u32 = 5;

/// A device, as one call speaks with it.
pub(crate) struct Client<'a> {
    device: Arc<Device>,
    call: &'a Call<'a>,
    /// A little before the call's own, so that the fault can still say what was waited for.
    deadline: Instant,
}

/// Why a request has no answer.
enum Trouble {
    Login(LoginError),
    Ask(AskError),
}

impl<'a> Client<'a> {
    pub(crate) fn new(device: Arc<Device>, call: &'a Call<'a>) -> Self {
        let remaining = call.remaining();
        let margin = (remaining / 10).min(Duration::from_millis(500));
        Client {
            device,
            call,
            deadline: Instant::now() + (remaining - margin),
        }
    }

    /// The call, for its log.
    pub(crate) fn call(&self) -> &Call<'a> {
        self.call
    }

    /// The device's address, for messages.
    pub(crate) fn endpoint(&self) -> &crate::address::Endpoint {
        &self.device.target().endpoint
    }

    /// How often a device is looked at that is at work.
    pub(crate) fn poll_interval(&self) -> Duration {
        self.device.settings().poll_interval
    }

    /// The path that the device names, if it is one of its own.
    pub(crate) fn path(&self, named: &str) -> Result<crate::path::ServicePath, Fault> {
        self.endpoint().path(named).map_err(|error| self.astray(&error))
    }

    /// Sends a request until it is answered, as often as that is safe, and gives the answer, whatever its status.
    ///
    /// A request that the device may have begun with is sent again only if it is a GET; one that it cannot have begun with, because there was no
    /// connection or because the session was gone, always.
    pub(crate) async fn send(&self, mut request: Request) -> Result<Answer, Fault> {
        let (mut attempt, mut redirects, mut renewed) = (1, 0, false);
        loop {
            self.still_wanted()?;
            let (outcome, proof) = self.once(&request).await?;
            let fault = match outcome {
                Ok(answer) if is_unauthorized(&answer) && !renewed && self.device.forget(&proof).await => {
                    renewed = true;
                    continue;
                }
                Ok(answer) if answer.status().is_redirection() && redirects < REDIRECTS => {
                    redirects += 1;
                    request.path = self.redirected(&request, &answer)?;
                    continue;
                }
                Ok(answer) if request.is_safe() && is_passing(answer.status()) => {
                    if attempt >= self.device.settings().attempts {
                        return Ok(answer);
                    }
                    self.refused(&request, &answer)
                }
                Ok(answer) => return Ok(answer),
                Err(trouble) => {
                    let again = trouble.may_pass() && (request.is_safe() || trouble.is_unsent());
                    let fault = self.unanswered(&request, &trouble, attempt);
                    if !again || attempt >= self.device.settings().attempts {
                        return Err(fault);
                    }
                    fault
                }
            };
            let pause = self.device.settings().pause;
            if Instant::now() + pause >= self.deadline {
                return Err(fault);
            }
            self.call.debug(format_args!("{fault}; again in {pause:?}"));
            self.wait(pause).await?;
            attempt += 1;
        }
    }

    /// One attempt, and what it carried to prove who asks. Fails when the call's time is over, or nobody waits any more.
    async fn once(
        &self,
        request: &Request,
    ) -> Result<
        (
            Result<Answer, Trouble>,
            Option<(header::HeaderName, header::HeaderValue)>,
        ),
        Fault,
    > {
        let exchange = async {
            let proof = match self.proof().await {
                Ok(proof) => proof,
                Err(trouble) => return (Err(trouble), None),
            };
            let answer = self.device.ask(request, proof.as_ref()).await;
            (answer.map_err(Trouble::Ask), proof)
        };
        let what = format!("{} {}", request.method, request.path);
        let (answer, proof) = if request.is_safe() {
            self.while_wanted(&what, exchange).await?
        } else {
            // What has been sent is waited for: somebody may want to know what became of it.
            let known = "whether it took effect is not known";
            let sent = self.in_time(&what, exchange).await;
            sent.map_err(|fault| Fault::new(fault.kind(), format!("{fault}; {known}")))?
        };
        if let Ok(answer) = &answer {
            self.call.debug(format_args!("{what}: {}", answer.status()));
        }
        Ok((answer, proof))
    }

    async fn proof(&self) -> Result<Option<(header::HeaderName, header::HeaderValue)>, Trouble> {
        let mut root = self.device.root();
        if root.is_none() && self.device.needs_root().await {
            root = self.unauthenticated_root().await?;
        }
        let proof = self.device.proof(root.as_deref()).await;
        proof.map_err(Trouble::Login)
    }

    /// The service root, as anybody may read it. None if this device tells nobody anything.
    async fn unauthenticated_root(&self) -> Result<Option<Arc<driver_sdk::Value>>, Trouble> {
        let request = Request::get(&self.device.target().endpoint.root().top());
        let answer = self.device.ask(&request, None).await.map_err(Trouble::Ask)?;
        let root = match answer.status() {
            StatusCode::OK => driver_sdk::serde_json::from_slice(answer.body())
                .ok()
                .map(Arc::new),
            _ => None,
        };
        if let Some(root) = &root {
            self.device.remember_root(root);
        }
        Ok(root)
    }

    /// Waits between two requests.
    pub(crate) async fn wait(&self, pause: Duration) -> Result<(), Fault> {
        self.while_wanted("a pause", sleep(pause)).await?;
        self.still_wanted()
    }

    /// Whether there is time for a pause and a request after it.
    pub(crate) fn has_time_for(&self, pause: Duration) -> bool {
        Instant::now() + pause < self.deadline
    }

    async fn while_wanted<T>(&self, what: &str, work: impl Future<Output = T>) -> Result<T, Fault> {
        let unwanted = async {
            loop {
                sleep(GLANCE).await;
                if let Err(fault) = self.still_wanted() {
                    return fault;
                }
            }
        };
        tokio::select! {
            done = self.in_time(what, work) => done,
            fault = unwanted => Err(fault),
        }
    }

    async fn in_time<T>(&self, what: &str, work: impl Future<Output = T>) -> Result<T, Fault> {
        timeout_at(self.deadline, work).await.map_err(|_| {
            Fault::timeout(format!(
                "{}: the call's time was over before {what} was done",
                self.device.target().endpoint
            ))
        })
    }

    fn still_wanted(&self) -> Result<(), Fault> {
        if self.call.cancelled() {
            return Err(Fault::timeout("stopped: nobody waits for the answer any more"));
        }
        Ok(())
    }

    /// Where a redirect leads, if it is to this device and may be followed.
    fn redirected(&self, request: &Request, answer: &Answer) -> Result<crate::path::ServicePath, Fault> {
        let keeps_the_method = matches!(
            answer.status(),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        );
        let location = answer.headers().get(header::LOCATION);
        match location.and_then(|location| location.to_str().ok()) {
            Some(location) if keeps_the_method || request.method == Method::GET => self.path(location),
            _ => Err(self.refused(request, answer)),
        }
    }

    /// The fault for a link that leads away from the device.
    fn astray(&self, error: &PathError) -> Fault {
        let endpoint = &self.device.target().endpoint;
        Fault::unavailable(format!(
            "{endpoint}: it names a place that is not followed: {error}"
        ))
    }

    fn unanswered(&self, request: &Request, trouble: &Trouble, attempt: u64) -> Fault {
        let endpoint = &self.device.target().endpoint;
        let mut text = format!("{endpoint}: {trouble}");
        if let Trouble::Ask(AskError::Tls(_)) | Trouble::Login(LoginError::Ask(AskError::Tls(_))) = trouble {
            return Fault::invalid_parameter(text);
        }
        if attempt > 1 {
            text.push_str(&format!(" ({attempt} attempts)"));
        }
        if !request.is_safe() && !trouble.is_unsent() {
            text.push_str(&format!(
                "; whether {} {} took effect is not known",
                request.method, request.path
            ));
        }
        if trouble.exchange().is_some_and(ExchangeError::is_silence) {
            return Fault::timeout(text);
        }
        Fault::unavailable(text)
    }
}

/// Whether a device that answers so may answer better in a moment.
fn is_passing(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::INTERNAL_SERVER_ERROR
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

impl Trouble {
    fn exchange(&self) -> Option<&ExchangeError> {
        match self {
            Trouble::Ask(AskError::Exchange(error))
            | Trouble::Login(LoginError::Ask(AskError::Exchange(error))) => Some(error),
            _ => None,
        }
    }

    fn may_pass(&self) -> bool {
        self.exchange().is_some_and(ExchangeError::may_pass)
    }

    /// Before it is sent comes the login: if that has failed, the request has not been sent.
    fn is_unsent(&self) -> bool {
        matches!(self, Trouble::Login(_)) || self.exchange().is_some_and(ExchangeError::is_unsent)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Trouble::Login(error) => error.fmt(f),
            Trouble::Ask(error) => error.fmt(f),
        }
    }
}
