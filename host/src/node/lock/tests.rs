//! What the lock of a node promises.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::task::yield_now;

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn locks(wait: Duration, max_waiters: usize) -> NodeLocks {
    NodeLocks::new("host-1", wait, max_waiters)
}

fn holder(what: &str) -> Holder {
    Holder {
        what: what.into(),
        request_id: RequestId::random(),
    }
}

type Waiting = Pin<Box<dyn Future<Output = Result<NodeGuard, LockError>> + Send>>;

/// A caller that has joined the queue, and is polled by hand.
fn queued(locks: &NodeLocks, node: Uuid, what: &str) -> Waiting {
    let (locks, holder) = (locks.clone(), holder(what));
    let mut waiting: Waiting = Box::pin(async move { locks.acquire(node, holder).await });
    assert!(
        poll(&mut waiting).is_none(),
        "the lock is held, so {what} has to wait"
    );
    waiting
}

fn poll(waiting: &mut Waiting) -> Option<Result<NodeGuard, LockError>> {
    match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_held_node_names_its_holder_and_a_free_one_has_no_lock_object() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    assert!(locks.holder(&node).is_none());
    let reset = holder("reset");
    let guard = locks.acquire(node, reset.clone()).await.unwrap();
    assert_eq!(guard.node(), node);
    assert_eq!(&*locks.holder(&node).unwrap().holder.what, "reset");
    assert_eq!(guard.holder().unwrap().holder.request_id, reset.request_id);
    assert_eq!(locks.len(), 1);
    drop(guard);
    assert!(locks.is_empty() && locks.holder(&node).is_none());
}

#[tokio::test]
async fn two_nodes_do_not_wait_for_each_other() {
    let locks = locks(Duration::ZERO, 10);
    let _first = locks.acquire(Uuid::new_v4(), holder("a")).await.unwrap();
    locks.acquire(Uuid::new_v4(), holder("b")).await.unwrap();
}

#[tokio::test]
async fn callers_get_the_lock_in_the_order_in_which_they_came() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    let mut guard = locks.acquire(node, holder("first")).await.unwrap();
    let names = ["second", "third", "fourth"];
    let mut waiting: VecDeque<_> = names.iter().map(|name| queued(&locks, node, name)).collect();
    for name in names {
        drop(guard);
        let next = waiting.pop_front().unwrap();
        assert!(
            waiting.iter_mut().all(|later| poll(later).is_none()),
            "nobody overtakes {name}"
        );
        assert_eq!(&*locks.holder(&node).unwrap().holder.what, name);
        guard = next.await.unwrap();
    }
    drop(guard);
    assert!(locks.is_empty());
}

#[tokio::test]
async fn a_newcomer_does_not_overtake_a_caller_that_has_been_handed_the_lock_but_not_yet_run() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    let guard = locks.acquire(node, holder("first")).await.unwrap();
    let second = queued(&locks, node, "second");
    drop(guard);
    let third = queued(&locks, node, "third");
    drop(second.await.unwrap());
    third.await.unwrap();
}

#[tokio::test]
async fn waiting_ends_with_ironics_sentence_and_the_holder() {
    let (locks, node) = (locks(Duration::from_millis(50), 10), Uuid::new_v4());
    let guard = locks.acquire(node, holder("sleep_async")).await.unwrap();
    let started = Instant::now();
    let error = locks.acquire(node, holder("update")).await.unwrap_err();
    assert!(started.elapsed() >= Duration::from_millis(50));
    let text = error.to_string();
    let held = guard.holder().unwrap();
    let (since, id) = (held.since, held.holder.request_id);
    assert_eq!(
        text,
        format!(
            "Node {node} is locked by host host-1, please retry after the current operation is completed. \
             It is held for sleep_async since {since:.3} ({id})."
        )
    );
    drop(guard);
    assert!(locks.is_empty(), "the caller that gave up left nothing behind");
}

#[tokio::test]
async fn a_wait_of_zero_tries_once() {
    let (locks, node) = (locks(Duration::ZERO, 10), Uuid::new_v4());
    let guard = locks.acquire(node, holder("a")).await.unwrap();
    let mut second: Waiting = Box::pin({
        let locks = locks.clone();
        async move { locks.acquire(node, holder("b")).await }
    });
    assert!(
        matches!(poll(&mut second), Some(Err(LockError::Locked { .. }))),
        "answered at the first poll"
    );
    drop(guard);
    locks.acquire(node, holder("c")).await.unwrap();
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_a_place_that_is_given_up_is_free_again() {
    let (locks, node) = (locks(LONG, 2), Uuid::new_v4());
    let guard = locks.acquire(node, holder("a")).await.unwrap();
    let second = queued(&locks, node, "b");
    let _third = queued(&locks, node, "c");
    let error = locks.acquire(node, holder("d")).await.unwrap_err();
    assert!(error.to_string().contains("It is held for a since"), "{error}");
    drop(second);
    let _fourth = queued(&locks, node, "d");
    drop(guard);
}

#[tokio::test]
async fn a_caller_that_leaves_the_queue_is_skipped() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    let guard = locks.acquire(node, holder("a")).await.unwrap();
    let gone = queued(&locks, node, "gone");
    let mut stays = queued(&locks, node, "stays");
    drop(gone);
    drop(guard);
    assert!(
        matches!(poll(&mut stays), Some(Ok(_))),
        "handed over without a turn for the one that left"
    );
    drop(stays);
    assert!(locks.is_empty());
}

#[tokio::test]
async fn a_caller_that_leaves_after_it_was_handed_the_lock_hands_it_on() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    let guard = locks.acquire(node, holder("a")).await.unwrap();
    let handed = queued(&locks, node, "handed");
    let next = queued(&locks, node, "next");
    drop(guard);
    assert_eq!(&*locks.holder(&node).unwrap().holder.what, "handed");
    drop(handed);
    assert_eq!(&*locks.holder(&node).unwrap().holder.what, "next");
    drop(next.await.unwrap());
    assert!(locks.is_empty());
}

#[tokio::test]
async fn a_guard_may_be_dropped_outside_the_runtime_and_wakes_the_next_caller() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    let guard = locks.acquire(node, holder("a")).await.unwrap();
    let next = tokio::spawn(queued(&locks, node, "b"));
    let dropper = std::thread::Builder::new()
        .name("outside".into())
        .spawn(move || drop(guard))
        .unwrap();
    dropper.join().unwrap();
    drop(next.await.unwrap().unwrap());
    assert!(locks.is_empty());
}

#[tokio::test]
async fn a_revoked_guard_is_lost_and_its_drop_does_not_touch_the_next_holder() {
    let (locks, node) = (locks(LONG, 10), Uuid::new_v4());
    let lost = locks.acquire(node, holder("a")).await.unwrap();
    let next = queued(&locks, node, "b");
    assert!(!lost.is_lost());
    locks.revoke(&node);
    assert!(lost.is_lost() && lost.holder().is_none());
    let next = next.await.unwrap();
    drop(lost);
    assert_eq!(&*locks.holder(&node).unwrap().holder.what, "b");
    assert!(!next.is_lost());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_tasks_on_one_node_are_never_two_at_once() {
    let (locks, node) = (locks(LONG, usize::MAX), Uuid::new_v4());
    let (inside, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let tasks: Vec<_> = (0..10_000)
        .map(|_| {
            let (locks, inside, done) = (locks.clone(), Arc::clone(&inside), Arc::clone(&done));
            tokio::spawn(async move {
                let guard = locks.acquire(node, holder("x")).await.unwrap();
                assert!(!inside.swap(true, Ordering::SeqCst), "two holders at once");
                yield_now().await;
                inside.store(false, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                drop(guard);
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(done.load(Ordering::SeqCst), 10_000);
    assert!(locks.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_give_up_at_any_moment_never_lose_the_lock_for_the_others() {
    let (locks, nodes) = (locks(LONG, usize::MAX), [Uuid::new_v4(), Uuid::new_v4()]);
    let order = Arc::new(Mutex::new(0_usize));
    let tasks: Vec<_> = (0..4_000_u64)
        .map(|n| {
            let (locks, order) = (locks.clone(), Arc::clone(&order));
            let node = nodes[usize::try_from(n % 2).unwrap()];
            tokio::spawn(async move {
                // Every third caller is cancelled somewhere between its first poll and the hand-over, or after it.
                let patience = if n % 3 == 0 {
                    Duration::from_micros(n % 700)
                } else {
                    LONG
                };
                if let Ok(guard) = timeout(patience, locks.acquire(node, holder("x"))).await {
                    let guard = guard.unwrap();
                    *order.lock() += 1;
                    yield_now().await;
                    drop(guard);
                }
            })
        })
        .collect();
    for task in tasks {
        timeout(LONG, task).await.expect("a wake-up was lost").unwrap();
    }
    assert!(*order.lock() >= 4_000 * 2 / 3);
    assert!(locks.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn time_running_out_at_the_moment_of_the_hand_over_loses_nothing() {
    let (locks, node) = (locks(Duration::from_millis(1), usize::MAX), Uuid::new_v4());
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let locks = locks.clone();
            tokio::spawn(async move {
                let (mut taken, mut refused) = (0_u32, 0_u32);
                for _ in 0..200 {
                    match locks.acquire(node, holder("x")).await {
                        Ok(guard) => {
                            taken += 1;
                            yield_now().await;
                            drop(guard);
                        }
                        Err(LockError::Locked { .. }) => refused += 1,
                    }
                }
                (taken, refused)
            })
        })
        .collect();
    let (mut taken, mut refused) = (0, 0);
    for task in tasks {
        let own = timeout(LONG, task).await.expect("a wake-up was lost").unwrap();
        (taken, refused) = (taken + own.0, refused + own.1);
    }
    assert!(taken > 0 && taken + refused == 50 * 200, "taken {taken} times");
    assert!(locks.is_empty());
}

#[tokio::test]
async fn waits_are_timed_waiters_and_refusals_counted_and_a_free_node_is_neither() {
    let (locks, node) = (locks(LONG, 1), Uuid::new_v4());
    let guard = locks.acquire(node, holder("first")).await.unwrap();
    assert_eq!((locks.waits().read().count, locks.waiters()), (0, 0));
    let mut waiting = queued(&locks, node, "second");
    assert_eq!(locks.waiters(), 1);
    locks.acquire(node, holder("third")).await.unwrap_err();
    assert_eq!((locks.refusals(), locks.waits().read().count), (1, 0));
    drop(guard);
    let guard = poll(&mut waiting).unwrap().unwrap();
    assert_eq!((locks.waits().read().count, locks.waiters()), (1, 0));
    let gone = queued(&locks, node, "gone");
    drop((gone, guard));
    assert_eq!((locks.waits().read().count, locks.refusals()), (2, 1));
}

#[tokio::test]
async fn one_whose_time_is_over_has_waited_and_was_refused_once() {
    let (locks, node) = (locks(Duration::from_millis(20), 1), Uuid::new_v4());
    let _guard = locks.acquire(node, holder("first")).await.unwrap();
    locks.acquire(node, holder("second")).await.unwrap_err();
    let waits = locks.waits().read();
    assert_eq!((waits.count, locks.refusals()), (1, 1));
    assert!(waits.sum >= Duration::from_millis(20), "{waits:?}");
}
