//! Samples made ready by another thread while the network learns, always in the same order.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// Calls `make` for `from`, `from + 1`, … on a thread of its own, a few ahead, and hands the results to `take`.
pub fn ahead<T: Send, R>(
    from: u64,
    depth: usize,
    make: impl Fn(u64) -> T + Sync,
    take: impl FnOnce(Receiver<T>) -> R,
) -> R {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(depth);
        let make = &make;
        scope.spawn(move || {
            // Sending fails once the receiver is gone: then nobody wants more.
            (from..).map(make).try_for_each(|item| sender.send(item).ok())
        });
        take(receiver)
    })
}
