//! One thread that owns the engine, and handles by which any thread or task asks it.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::engine::{End, Engine, Event, ImageKey, Refused, Request, RequestId, Usage};

/// A running engine. Its thread makes pass after pass while there is work, and sleeps otherwise.
///
/// Dropping it ends the thread with the pass that it is in; requests on their way end with [`Failure::Stopped`].
#[derive(Debug)]
pub struct Service {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Asks a [`Service`], from wherever it is sent or cloned to.
#[derive(Debug, Clone)]
pub struct Handle {
    orders: mpsc::UnboundedSender<Order>,
    room: usize,
}

/// An answer on its way. Dropping it cancels the request before the next pass.
///
/// Its pieces wait for whoever takes them, as many as the answer has: a slow reader keeps nobody waiting, and what is
/// kept for it is no more than an answer.
#[derive(Debug)]
pub struct Answer {
    pieces: mpsc::Receiver<Result<Piece, Refused>>,
}

/// An image that the engine keeps at least until this is dropped; a request about it that was made before keeps it longer.
#[derive(Debug)]
pub struct Shown {
    first: u32,
    orders: mpsc::UnboundedSender<Order>,
}

/// What a pass brought to an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// What was said.
    pub tokens: Vec<u32>,
    /// Why the answer ends here, if it does; no piece comes after it.
    pub end: Option<End>,
    /// What the request has taken so far.
    pub usage: Usage,
    /// How long it has taken so far.
    pub times: Times,
}

/// How long a request has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Until it was its turn.
    pub queued: Duration,
    /// From there to the first token.
    pub prompt: Duration,
    /// From there to the last.
    pub answer: Duration,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The engine does not take it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The service has ended, or its engine has failed.
    #[error("the language model has stopped")]
    Stopped,
}

/// What the engine's thread is told.
#[derive(Debug)]
enum Order {
    Answer {
        request: Request,
        since: Instant,
        pieces: mpsc::Sender<Result<Piece, Refused>>,
    },
    /// To hold an image: the one of these features, or, without, one that was shown before.
    Hold {
        key: ImageKey,
        features: Option<Vec<f32>>,
        reply: oneshot::Sender<Result<Option<Shown>, Refused>>,
    },
    Release(u32),
    Stop,
}

impl Service {
    /// Gives an engine a thread.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn start(engine: Engine) -> std::io::Result<Self> {
        Self::start_with(engine, Engine::step)
    }

    /// With another way to make a pass.
    fn start_with(
        engine: Engine,
        step: impl FnMut(&mut Engine) -> Vec<Event> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, orders) = mpsc::unbounded_channel();
        let room = engine.room();
        let worker = Worker::new(engine, sender.downgrade());
        let handle = Handle { orders: sender, room };
        let thread = thread::Builder::new().name("vlm-engine".to_owned()).spawn(move || worker.run(orders, step))?;
        Ok(Self { handle, thread: Some(thread) })
    }

    /// A way to ask it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Where there is no one to tell, the thread has ended by itself; if by a panic, that has been said.
        let _ = self.handle.orders.send(Order::Stop);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Handle {
    /// Asks, without waiting for anything.
    pub fn ask(&self, request: Request) -> Answer {
        // The answer's pieces have at least a token each, but for the last.
        let (sender, pieces) = mpsc::channel(request.most.min(self.room) + 1);
        // If nobody takes the order, the sender in it is dropped, which the answer notices.
        let _ = self.orders.send(Order::Answer { request, since: Instant::now(), pieces: sender });
        Answer { pieces }
    }

    /// An image, if the engine keeps it; for threads, as [`Answer::blocking_next`].
    ///
    /// # Errors
    /// [`Failure::Stopped`]
    pub fn find_image(&self, key: ImageKey) -> Result<Option<Shown>, Failure> {
        self.hold(key, None)
    }

    /// Shows an image's features, `[features, hidden]` as the engine's model has it, to the engine between two of its
    /// passes; for threads.
    ///
    /// # Errors
    /// [`Failure`] if there is no room for them, or the service has stopped.
    pub fn show_image(&self, key: ImageKey, features: Vec<f32>) -> Result<Shown, Failure> {
        self.hold(key, Some(features))?.ok_or(Failure::Stopped)
    }

    fn hold(&self, key: ImageKey, features: Option<Vec<f32>>) -> Result<Option<Shown>, Failure> {
        let (reply, shown) = oneshot::channel();
        let _ = self.orders.send(Order::Hold { key, features, reply });
        Ok(shown.blocking_recv().map_err(|_| Failure::Stopped)??)
    }

    /// The most tokens that a prompt and its answer may have together.
    pub fn room(&self) -> usize {
        self.room
    }

    /// Whether the service has ended, or its engine has failed.
    pub fn is_stopped(&self) -> bool {
        self.orders.is_closed()
    }

    /// Comes back when the service has ended, or its engine has failed.
    pub async fn stopped(&self) {
        self.orders.closed().await;
    }
}

impl Shown {
    /// The token that stands for the first of its features; those of the others follow.
    pub fn first(&self) -> u32 {
        self.first
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::Release(self.first));
    }
}

impl Answer {
    /// The next piece, for tasks.
    ///
    /// # Errors
    /// [`Failure`] if the request was not taken or the service has stopped; also after the last piece.
    pub async fn next(&mut self) -> Result<Piece, Failure> {
        Ok(self.pieces.recv().await.ok_or(Failure::Stopped)??)
    }

    /// The next piece, for threads. In a task of tokio's it panics: it would keep others waiting.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub fn blocking_next(&mut self) -> Result<Piece, Failure> {
        Ok(self.pieces.blocking_recv().ok_or(Failure::Stopped)??)
    }

    /// Ends the request: enough was said.
    pub fn cancel(&mut self) {
        self.pieces.close();
    }
}

/// What the thread has.
struct Worker {
    engine: Engine,
    /// By which images are released; it keeps the thread from nothing.
    sender: mpsc::WeakUnboundedSender<Order>,
    asked: BTreeMap<RequestId, Asked>,
}

/// Who asked, and since when.
struct Asked {
    pieces: mpsc::Sender<Result<Piece, Refused>>,
    since: Instant,
    /// When it was its turn.
    begun: Option<Instant>,
    /// When its first token came.
    answered: Option<Instant>,
}

impl Worker {
    fn new(engine: Engine, sender: mpsc::WeakUnboundedSender<Order>) -> Self {
        Self { engine, sender, asked: BTreeMap::new() }
    }

    /// Works until it is told to stop or all handles are gone. Should a pass panic, everything here is dropped, which
    /// ends the requests that there are and those to come.
    fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut step: impl FnMut(&mut Engine) -> Vec<Event>) {
        loop {
            let first = if self.engine.is_idle() { orders.blocking_recv() } else { orders.try_recv().ok() };
            if first.is_none() && self.engine.is_idle() {
                return;
            }
            for order in first.into_iter().chain(std::iter::from_fn(|| orders.try_recv().ok())) {
                match order {
                    Order::Answer { request, since, pieces } => self.take(request, since, pieces),
                    // Whoever has gone lets go of the image with the reply.
                    Order::Hold { key, features, reply } => drop(reply.send(self.hold(key, features))),
                    Order::Release(first) => self.engine.release_image(first),
                    Order::Stop => return,
                }
            }
            for (id, _) in self.asked.extract_if(.., |_, asked| asked.pieces.is_closed()) {
                self.engine.cancel(id);
            }
            let begin = Instant::now();
            let events = step(&mut self.engine);
            let begun: Vec<RequestId> = self.engine.running().chain(events.iter().map(|event| event.id)).collect();
            for id in begun {
                if let Some(asked) = self.asked.get_mut(&id) {
                    asked.begun.get_or_insert(begin);
                }
            }
            events.into_iter().for_each(|event| self.tell(event));
        }
    }

    fn take(&mut self, request: Request, since: Instant, pieces: mpsc::Sender<Result<Piece, Refused>>) {
        match self.engine.submit(request) {
            Ok(id) => {
                self.asked.insert(id, Asked { pieces, since, begun: None, answered: None });
            }
            // Whoever has gone needs no refusal.
            Err(refused) => drop(pieces.try_send(Err(refused))),
        }
    }

    fn hold(&mut self, key: ImageKey, features: Option<Vec<f32>>) -> Result<Option<Shown>, Refused> {
        let first = match (self.engine.find_image(&key), features) {
            (None, Some(features)) => self.engine.show_image(key, features)?,
            (None, None) => return Ok(None),
            (Some(first), _) => first,
        };
        let Some(orders) = self.sender.upgrade() else { return Ok(None) };
        self.engine.hold_image(first);
        Ok(Some(Shown { first, orders }))
    }

    fn tell(&mut self, Event { id, tokens, end, usage }: Event) {
        let Some(asked) = self.asked.get_mut(&id) else { return };
        let now = Instant::now();
        let begun = asked.begun.unwrap_or(now);
        let answered = *asked.answered.get_or_insert(now);
        let times = Times { queued: begun - asked.since, prompt: answered - begun, answer: now - answered };
        // There is room for the whole answer; whoever has gone is cancelled before the next pass.
        let _ = asked.pieces.try_send(Ok(Piece { tokens, end, usage, times }));
        if end.is_some() {
            self.asked.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
