//! Work that a device does after it has answered 202: its monitor is asked until the work has ended (DSP0266, "Asynchronous operations").

use std::time::Duration;

use driver_sdk::{Fault, Value};
use hyper::{StatusCode, header};

use super::resource::location;
use super::{Client, extended, json_of};
use crate::connection::Answer;
use crate::device::Request;

/// The longest that a device may ask to be left alone between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Client<'_> {
    /// The outcome of a request: the answer itself, or that of the task that it began.
    pub(super) async fn done(&self, request: &Request, answer: Answer) -> Result<Answer, Fault> {
        let mut answer = self.success(request, answer)?;
        if answer.status() != StatusCode::ACCEPTED {
            return Ok(answer);
        }
        let Some(monitor) = location(&answer) else {
            self.call().warn(format_args!(
                "{} {} was accepted, but the device names no task: its outcome is not known",
                request.method, request.path
            ));
            return Ok(answer);
        };
        let monitor = Request::get(&self.path(&monitor)?);
        loop {
            let pause = self.pause(&answer);
            if !self.has_time_for(pause) {
                let fault = Fault::timeout(format!("{}: the call's time is over", self.endpoint()));
                return Err(left_alone(request, &monitor, &fault));
            }
            let looked = async {
                self.wait(pause).await?;
                self.send(monitor.clone()).await
            };
            answer = looked
                .await
                .map_err(|fault| left_alone(request, &monitor, &fault))?;
            if matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
                let fault = Fault::unavailable(format!(
                    "{} is gone; whether it succeeded is not known",
                    monitor.path
                ));
                return Err(self.task_failed(request, fault));
            }
            if !answer.status().is_success() {
                return Err(self.task_failed(request, self.refused(&monitor, &answer)));
            }
            let body = json_of(&answer).map_err(|reason| self.garbled(&monitor, &reason))?;
            match Progress::of(&answer, &body) {
                Progress::Working => {}
                Progress::Done => return Ok(answer),
                Progress::Failed(reason) => {
                    return Err(self.task_failed(request, Fault::unavailable(reason)));
                }
            }
        }
    }

    fn task_failed(&self, request: &Request, fault: Fault) -> Fault {
        let failed = Fault::new(
            fault.kind(),
            format!("{} {}: its task failed: {fault}", request.method, request.path),
        );
        match fault.details() {
            Some(details) => failed.with_details(details.clone()),
            None => failed,
        }
    }

    /// As long as the device asks for, within reason.
    fn pause(&self, answer: &Answer) -> Duration {
        let asked = answer.headers().get(header::RETRY_AFTER);
        let asked = asked.and_then(|seconds| seconds.to_str().ok()?.trim().parse().ok());
        asked
            .map_or(self.poll_interval(), Duration::from_secs)
            .clamp(Duration::from_millis(1), LONGEST_PAUSE)
    }
}

/// The fault for a task whose end this call does not see.
fn left_alone(request: &Request, monitor: &Request, fault: &Fault) -> Fault {
    let Request { method, path, .. } = request;
    let text = format!("{fault}; {method} {path} goes on as task {}", monitor.path);
    Fault::new(fault.kind(), text)
}

/// How far a task is.
enum Progress {
    Working,
    Done,
    Failed(String),
}

impl Progress {
    /// A monitor answers 202 until the work is done, and then as the request would have; some devices name the task itself instead.
    fn of(answer: &Answer, body: &Value) -> Self {
        let is_task = body
            .get("@odata.type")
            .and_then(Value::as_str)
            .is_some_and(|kind| kind.starts_with("#Task."));
        let state = body.get("TaskState").and_then(Value::as_str);
        match state.filter(|_| is_task) {
            Some("Completed") if !is_bad(body) => Progress::Done,
            Some(state @ ("Completed" | "Exception" | "Killed" | "Cancelled")) => {
                let said = extended::messages(body);
                Progress::Failed(match said.is_empty() {
                    true => format!("it ended as {state}"),
                    false => format!("it ended as {state}: {said}"),
                })
            }
            Some(_) => Progress::Working,
            None if answer.status() == StatusCode::ACCEPTED => Progress::Working,
            None => Progress::Done,
        }
    }
}

fn is_bad(task: &Value) -> bool {
    task.get("TaskStatus").and_then(Value::as_str) == Some("Critical")
}
