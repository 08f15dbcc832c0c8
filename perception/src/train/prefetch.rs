//! Samples made ready by other threads while the network learns, always in the same order.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// What other threads make ready.
pub struct Ready<T> {
    /// One a thread; they take turns.
    made: Vec<Receiver<T>>,
    turn: usize,
}

impl<T> Iterator for Ready<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let item = self.made[self.turn].recv().ok();
        self.turn = (self.turn + 1) % self.made.len();
        item
    }
}

/// Calls `make` for `from`, `from + 1`, … on threads of their own, each up to `depth` ahead, and hands the results to
/// `take`.
pub fn ahead<T: Send, R>(
    from: u64,
    threads: usize,
    depth: usize,
    make: impl Fn(u64) -> T + Sync,
    take: impl FnOnce(Ready<T>) -> R,
) -> R {
    thread::scope(|scope| {
        let make = &make;
        let start = |thread: u64| {
            let (sender, receiver) = sync_channel(depth);
            scope.spawn(move || {
                let mut mine = (from + thread..).step_by(threads).map(make);
                // Sending fails once the receiver is gone: then nobody wants more.
                mine.try_for_each(|item| sender.send(item).ok())
            });
            receiver
        };
        take(Ready { made: (0..threads as u64).map(start).collect(), turn: 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::ahead;

    #[test]
    fn what_threads_make_comes_in_order() {
        let slow = |index: u64| {
            std::thread::sleep(std::time::Duration::from_micros(100 * (index % 3)));
            index
        };
        let made: Vec<u64> = ahead(5, 3, 2, slow, |ready| ready.take(50).collect());
        assert_eq!(made, (5..55).collect::<Vec<_>>());
    }
}
