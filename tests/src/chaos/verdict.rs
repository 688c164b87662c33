//! What must have become of each call, after what was done to its host and to its driver's processes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::drivers::Places;
use super::trouble::Kill;
use crate::{Attempt, Random, Sent, Signal};

/// How long after a process has gone calls may still be given to it. Generous: the machine may be busy with other tests.
const NOTICE: Duration = Duration::from_secs(5);

/// One host, from its start to its end.
#[derive(Debug)]
pub(super) struct Life {
    /// The first request that was sent to it.
    pub(super) first: usize,
    pub(super) places: Places,
    /// Whether calls may exceed their deadline.
    pub(super) deadlines: bool,
    pub(super) kills: Vec<Kill>,
    /// When it was killed.
    pub(super) killed: Option<SystemTime>,
}

/// What is known of the calls of a phase.
pub(super) struct Known<'a> {
    pub(super) lives: &'a [Life],
    pub(super) sent: &'a [Sent],
    /// Every call that a driver has begun, as often as it has.
    pub(super) begun: &'a [String],
    /// The records of the phase.
    pub(super) records: &'a BTreeMap<String, Value>,
}

/// How many calls have ended in which way.
pub(super) type Ends = BTreeMap<String, u64>;

impl Known<'_> {
    /// How the calls have ended.
    ///
    /// # Errors
    /// What was lost, or done twice, or cannot be explained: a line for each call.
    pub(super) fn judge(&self) -> Result<Ends, Vec<String>> {
        let mut times: HashMap<&str, u64> = HashMap::new();
        for token in self.begun {
            *times.entry(token).or_default() += 1;
        }
        let mut wrong = Vec::new();
        let asked: BTreeSet<&str> = self.sent.iter().map(|sent| sent.token.as_str()).collect();
        for (token, times) in &times {
            if !asked.contains(token) {
                wrong.push(format!("{token} was begun, and nobody has asked for it"));
            }
            if *times > 1 {
                wrong.push(format!("{token} was begun {times} times"));
            }
        }
        let mut ends = Ends::new();
        let mut life = 0;
        for (index, sent) in self.sent.iter().enumerate() {
            while self.lives.get(life + 1).is_some_and(|next| next.first <= index) {
                life += 1;
            }
            let begun = times.contains_key(sent.token.as_str());
            match self.end(&self.lives[life], sent, begun) {
                Ok(end) => *ends.entry(end).or_default() += 1,
                Err(why) => wrong.push(format!("{} of {}: {why}", sent.token, sent.driver)),
            }
        }
        wrong.extend(self.unpromised(&times));
        if wrong.is_empty() { Ok(ends) } else { Err(wrong) }
    }

    /// How one call has ended.
    fn end(&self, life: &Life, sent: &Sent, begun: bool) -> Result<String, String> {
        let ended = sent.ended.ok_or("it was never known what became of it")?;
        let Some(answer) = &sent.answer else {
            let gone = life.killed.is_some_and(|at| at <= ended);
            return match (sent.left, gone) {
                (true, _) => Ok("the client left".to_owned()),
                (false, true) => Ok("the host was killed".to_owned()),
                (false, false) => Err("no answer, although the host lived".to_owned()),
            };
        };
        let has_begun = |wanted: bool, what: &str| match begun == wanted {
            true => Ok(()),
            false => Err(format!(
                "{what}, but it was {}begun: {}",
                if begun { "" } else { "not " },
                answer.text
            )),
        };
        match answer.status {
            200 if sent.kind.status == 200 => has_begun(true, "it succeeded")?,
            202 if sent.kind.status == 202 => {
                let state = self.record(life, sent, answer, begun)?;
                return Ok(format!("202, {state}"));
            }
            409 if life.deadlines => has_begun(false, "its node was locked")?,
            500 => {
                self.explained(life, sent, &answer.text, ended)?;
                if sent.kind.status == 202 {
                    has_begun(false, "it was not accepted")?;
                }
            }
            503 => {
                has_begun(false, "it was refused")?;
                let down = life.places.is_isolated(&sent.driver)
                    && answer.text.contains(&format!("'{}'", sent.driver));
                if !down && !answer.text.contains("lack of free conductor workers") {
                    return Err(format!("it was refused without a reason: {}", answer.text));
                }
                if !answer.text.to_ascii_lowercase().contains("\r\nretry-after: ") {
                    return Err(format!("it was refused without Retry-After: {}", answer.text));
                }
            }
            504 if life.deadlines => {
                if answer.location.is_none() {
                    has_begun(false, "its deadline passed before it")?;
                } else {
                    self.record(life, sent, answer, begun)?;
                }
            }
            _ => return Err(answer.text.clone()),
        }
        Ok(answer.status.to_string())
    }

    /// What the record says that a call was promised.
    fn record(&self, life: &Life, sent: &Sent, answer: &Attempt, begun: bool) -> Result<String, String> {
        let place = answer.location.as_deref().ok_or("accepted without a record")?;
        let record = self
            .records
            .get(place)
            .ok_or_else(|| format!("its record {place} is lost"))?;
        let state = record["state"].as_str().unwrap_or_default();
        let kind = record["error"]["kind"].as_str().unwrap_or_default();
        match state {
            "succeeded" if begun => {}
            "failed" if kind == "not-begun" && !begun => return Ok("not begun".to_owned()),
            "interrupted" => match record["error"]["message"].as_str() {
                Some(message) => self.explained(life, sent, message, SystemTime::now())?,
                None if life.killed.is_some() => {}
                None => {
                    return Err(format!(
                        "interrupted by the end of a host that lived on: {record}"
                    ));
                }
            },
            "timed_out" if life.deadlines && !record["late_outcome"].is_null() => {}
            _ => return Err(format!("begun: {begun}, and its record is {record}")),
        }
        Ok(state.to_owned())
    }

    /// Checks that `text` names what was done to a process of the call's driver while the call was made, until `ended`.
    fn explained(&self, life: &Life, sent: &Sent, text: &str, ended: SystemTime) -> Result<(), String> {
        let named = text.contains(&format!("the process of driver '{}'", sent.driver));
        let overdue = life.deadlines && text.contains("after its deadline");
        let killed = life.kills.iter().any(|kill| {
            let of_driver = kill.driver.is_none_or(|driver| driver == sent.driver);
            let meanwhile = kill.at <= ended && kill.gone.is_none_or(|gone| gone + NOTICE >= sent.at);
            let name = match kill.signal {
                Signal::SEGV => "SIGSEGV",
                Signal::ABORT => "SIGABRT",
                _ => "SIGKILL",
            };
            of_driver && meanwhile && (text.contains(name) || text.contains("closed its connection"))
        });
        if life.places.is_isolated(&sent.driver) && named && (overdue || killed) {
            return Ok(());
        }
        Err(format!(
            "it failed although nothing was done to its driver then: {text}"
        ))
    }

    /// Records that nobody was promised: each has ended, and they are not more than there are calls without a 202.
    fn unpromised(&self, times: &HashMap<&str, u64>) -> Vec<String> {
        let answers = self.sent.iter().filter_map(|sent| sent.answer.as_ref());
        let promised: BTreeSet<&str> = answers.filter_map(|answer| answer.location.as_deref()).collect();
        let unpromised: Vec<_> = self
            .records
            .iter()
            .filter(|(place, _)| !promised.contains(place.as_str()))
            .collect();
        let mut wrong = Vec::new();
        for (place, record) in &unpromised {
            if record["state"] == "running" {
                wrong.push(format!("{place} has not ended: {record}"));
            }
        }
        let is_async = |sent: &&Sent| sent.kind.status == 202;
        let unaccepted = self
            .sent
            .iter()
            .filter(is_async)
            .filter(|sent| sent.record().is_none())
            .count();
        if unpromised.len() > unaccepted {
            wrong.push(format!(
                "{} records that nobody has asked for",
                unpromised.len() - unaccepted
            ));
        }
        let mut unheard = self.sent.iter().filter(|sent| sent.is_unheard());
        let begun = unheard
            .by_ref()
            .filter(|sent| times.contains_key(sent.token.as_str()))
            .count();
        if begun > unpromised.len() {
            wrong.push(format!(
                "{} calls were begun before their records were kept",
                begun - unpromised.len()
            ));
        }
        wrong
    }

    /// Some calls with a 202, to be looked at one by one: where the record is, and the token.
    pub(super) fn some(&self, most: usize, random: &mut Random) -> Vec<(&str, &str)> {
        let mut accepted: Vec<_> = self
            .sent
            .iter()
            .filter_map(|sent| Some((sent.record()?, sent.token.as_str())))
            .collect();
        let mut some = Vec::new();
        while some.len() < most && !accepted.is_empty() {
            let index = random.below(accepted.len() as u64);
            some.push(accepted.swap_remove(usize::try_from(index).expect("an index")));
        }
        some
    }
}
