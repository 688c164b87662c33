//! The record of one call, from its begin to its end.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::rows::Part;
use super::{Ending, PAUSE, RecordState, RecordStore, RecordedError, ending};
use crate::database::StoreError;

/// The record of a call that a driver is busy with. It is to be [`end`](OpenRecord::end)ed; one that is only dropped stays running
/// until the host's next start.
#[derive(Debug)]
pub struct OpenRecord {
    pub(super) records: Arc<RecordStore>,
    pub(super) id: Uuid,
    pub(super) sequence: i64,
}

impl OpenRecord {
    /// The record's id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Says how the call has ended: with JSON, or nothing that can be kept, or an error. Queued at once; the future tries until it is on the disk, or the
    /// host ends.
    pub fn end(
        &self,
        outcome: Result<Option<Bytes>, RecordedError>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (ending, result) = match outcome {
            Ok(result) => (ending(RecordState::Succeeded, None), result),
            Err(error) if error.interrupted => (ending(RecordState::Interrupted, Some(&error)), None),
            Err(error) => (ending(RecordState::Failed, Some(&error)), None),
        };
        self.close();
        let written = self.written(ending, result);
        async move {
            written.await;
        }
    }

    /// Says that the deadline has passed. Queued at once, tried as in [`end`](Self::end); answers whether the call had not ended
    /// before.
    pub fn time_out(&self, error: &RecordedError) -> impl Future<Output = bool> + Send + use<> {
        let written = self.written(ending(RecordState::TimedOut, Some(error)), None);
        async move { written.await == Part::Ending }
    }

    /// The driver is done: there is nothing to cancel or to interrupt any more.
    fn close(&self) {
        self.records.live.lock().remove(&self.id);
    }

    fn written(&self, ending: Ending, result: Option<Bytes>) -> impl Future<Output = Part> + Send + use<> {
        let (records, id, sequence) = (Arc::clone(&self.records), self.id, self.sequence);
        let mut written = records.queue(id, sequence, ending.clone(), result.clone());
        async move {
            loop {
                match written.await {
                    Ok(part) => return part,
                    Err(StoreError::Closed) => return Part::Nothing,
                    Err(error) => {
                        tracing::error!(call = %id, "the end of a call could not be recorded, trying again: {error}")
                    }
                }
                tokio::time::sleep(PAUSE).await;
                written = records.queue(id, sequence, ending.clone(), result.clone());
            }
        }
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        self.close();
    }
}
