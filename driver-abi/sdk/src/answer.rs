//! What a method may answer, and how it is written into the reply.

use driver_abi::Reply;
use serde::Serialize;

use crate::{Fault, RawJson};

/// Raw bytes with a media type: the answer of a method that is declared with `attach`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The media type, such as `image/png`.
    pub content_type: String,
    /// The body, sent as it is.
    pub bytes: Vec<u8>,
}

/// What a method may answer: anything that serialises, as JSON, a [`RawJson`], or an [`Attachment`].
pub trait Answer {
    /// Writes the answer.
    #[doc(hidden)]
    fn into_reply(self) -> Result<Reply, Fault>;
}

impl<T: Serialize> Answer for T {
    fn into_reply(self) -> Result<Reply, Fault> {
        let body = serde_json::to_vec(&self)
            .map_err(|error| Fault::internal(format!("the answer cannot be written as JSON: {error}")))?;
        Ok(Reply {
            body: body.into(),
            content_type: Default::default(),
        })
    }
}

impl Answer for RawJson {
    fn into_reply(self) -> Result<Reply, Fault> {
        Ok(Reply {
            body: self.into_vec().into(),
            content_type: Default::default(),
        })
    }
}

impl Answer for Attachment {
    fn into_reply(self) -> Result<Reply, Fault> {
        Ok(Reply {
            body: self.bytes.into(),
            content_type: self.content_type.into(),
        })
    }
}

/// The reply to what a method returned.
#[doc(hidden)]
pub fn reply<R: Answer, E: Into<Fault>>(result: Result<R, E>) -> Result<Reply, Fault> {
    result.map_err(Into::into)?.into_reply()
}
