//! Walks: every object below one, in pages, and never without end.

use driver_sdk::prelude::*;

use crate::error::SnmpError;
use crate::oid::ObjectId;
use crate::session::Session;
use crate::value::{Binding, Value};

/// The objects of a walk, when the client does not say.
const USUAL: u32 = 100;
/// The objects of a walk at most.
const MOST: u32 = 1000;
/// The bytes of a walk's answer, about.
const MOST_BYTES: usize = 1024 * 1024;
/// The objects that are asked for at once: about what fits into one datagram.
const PAGE: u32 = 20;

/// The arguments of `walk`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walk {
    oid: ObjectId,
    #[serde(default)]
    limit: Limit,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct Limit(u32);

/// What a walk has found.
#[derive(Debug, Serialize)]
pub(crate) struct Walked {
    objects: Vec<Binding>,
    /// Whether that is all of it.
    complete: bool,
}

impl Default for Limit {
    fn default() -> Self {
        Limit(USUAL)
    }
}

impl TryFrom<u32> for Limit {
    type Error = String;

    fn try_from(limit: u32) -> Result<Self, String> {
        match limit {
            1..=MOST => Ok(Limit(limit)),
            _ => Err(format!("expected 1 to {MOST}, found {limit}")),
        }
    }
}

impl Walk {
    /// Walks.
    pub(crate) async fn run(&self, session: &mut Session<'_>) -> Result<Walked, SnmpError> {
        let mut objects: Vec<Binding> = Vec::new();
        let (mut at, mut bytes) = (self.oid.clone(), 0);
        loop {
            let found = u32::try_from(objects.len()).unwrap_or(MOST);
            let page = session.next(&at, PAGE.min(self.limit.0 - found + 1)).await?;
            if page.is_empty() {
                return self.ended(objects, session).await;
            }
            for binding in page {
                if matches!(binding.value, Value::Missing(_)) || !binding.oid.is_under(&self.oid) {
                    return self.ended(objects, session).await;
                }
                if binding.oid <= at {
                    return Err(SnmpError::Circle(binding.oid));
                }
                bytes += binding.value.weight();
                if objects.len() == self.limit.0 as usize || bytes > MOST_BYTES {
                    return Ok(Walked {
                        objects,
                        complete: false,
                    });
                }
                at = binding.oid.clone();
                objects.push(binding);
            }
        }
    }

    /// Below a single object is nothing, so a walk of it is the object itself.
    async fn ended(&self, mut objects: Vec<Binding>, session: &mut Session<'_>) -> Result<Walked, SnmpError> {
        if objects.is_empty() {
            match session.get(&self.oid).await {
                Ok(value) => objects.push(Binding {
                    oid: self.oid.clone(),
                    value,
                }),
                Err(SnmpError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Walked {
            objects,
            complete: true,
        })
    }
}
