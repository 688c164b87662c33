//! One command at a time for each BMC, with a pause between two: BMCs are small computers that fall over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as Guarded, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::Instant;

use crate::access::Place;

/// From how many BMCs on the forgotten ones are looked for.
const FEW: usize = 64;

/// The queues of all BMCs. One that nobody waits in is forgotten after the pause.
pub(crate) struct Queues {
    pause: Duration,
    places: Guarded<Places>,
}

struct Places {
    queues: HashMap<Place, Arc<Mutex<LastCommand>>>,
    sweep_at: usize,
}

/// When the last command to a BMC ended.
type LastCommand = Option<Instant>;

/// The right to send one command to one BMC. The pause begins when it is dropped.
pub(crate) struct Turn(OwnedMutexGuard<LastCommand>);

impl Queues {
    pub(crate) fn new(pause: Duration) -> Self {
        Queues {
            pause,
            places: Guarded::new(Places {
                queues: HashMap::new(),
                sweep_at: FEW,
            }),
        }
    }

    /// Waits behind those who came first, then for the end of the pause. Dropping the future leaves the queue.
    pub(crate) async fn turn(&self, place: &Place) -> Turn {
        let queue = self.queue(place);
        let last = queue.lock_owned().await;
        if let Some(end) = *last {
            tokio::time::sleep_until(end + self.pause).await;
        }
        Turn(last)
    }

    fn queue(&self, place: &Place) -> Arc<Mutex<LastCommand>> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.queues.len() >= places.sweep_at {
            places.queues.retain(|_, queue| self.in_use(queue));
            places.sweep_at = FEW.max(2 * places.queues.len());
        }
        Arc::clone(places.queues.entry(place.clone()).or_default())
    }

    fn in_use(&self, queue: &Arc<Mutex<LastCommand>>) -> bool {
        let pausing = |last: LastCommand| last.is_some_and(|end| end + self.pause > Instant::now());
        Arc::strong_count(queue) > 1 || queue.try_lock().map_or(true, |last| pausing(*last))
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.places.lock().unwrap().queues.len()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    fn place(number: u16) -> Place {
        Place {
            address: "192.0.2.7".to_owned(),
            port: number,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_with_a_pause_between() {
        let queues = Arc::new(Queues::new(PAUSE));
        let started = Instant::now();
        let turns = (0..3).map(|_| {
            let queues = Arc::clone(&queues);
            tokio::spawn(async move {
                let turn = queues.turn(&place(1)).await;
                let began = started.elapsed().as_secs();
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(turn);
                began
            })
        });
        let mut began = Vec::new();
        for turn in turns.collect::<Vec<_>>() {
            began.push(turn.await.unwrap());
        }
        assert_eq!(began, [0, 6, 12], "first come, first served");
    }

    #[tokio::test(start_paused = true)]
    async fn bmcs_do_not_wait_for_each_other() {
        let queues = Queues::new(PAUSE);
        let started = Instant::now();
        let _one = queues.turn(&place(1)).await;
        let _other = queues.turn(&place(2)).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_leaves_the_queue_holds_nobody_up() {
        let queues = Queues::new(PAUSE);
        let first = queues.turn(&place(1)).await;
        let same = place(1);
        let impatient = tokio::time::timeout(Duration::from_secs(1), queues.turn(&same));
        assert!(impatient.await.is_err());
        drop(first);
        let _next = queues.turn(&place(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_used_any_more_is_forgotten() {
        let queues = Queues::new(PAUSE);
        let _held = queues.turn(&place(0)).await;
        for number in 1..1_000 {
            drop(queues.turn(&place(number)).await);
            tokio::time::advance(PAUSE).await;
        }
        assert!(queues.remembered() <= FEW, "{}", queues.remembered());
        assert!(
            queues.places.lock().unwrap().queues.contains_key(&place(0)),
            "it is held"
        );
    }
}
