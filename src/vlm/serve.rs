//! `tandem vlm serve`: the language model behind OpenAI's HTTP interface.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail};
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits};
use tandem_vlm::server::{Handle, Served, Service, serve};
use tokio::net::TcpListener;

use super::{DEFAULT, Speaker, Spoken};
use crate::outcome::Outcome;

/// Serve the language model to programs that know OpenAI's HTTP interface.
///
/// It stops on SIGINT or SIGTERM once the requests that have come are answered, and on a second signal at once.
/// TANDEM_LOG=info shows the requests.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    spoken: Spoken,
    /// Look at each image as one tile: less is seen, at a fraction of the cost.
    #[arg(long)]
    whole: bool,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Drafted tokens a step, at most; 0 for none.
    #[arg(long, default_value_t = Limits::default().draft)]
    draft: usize,
    /// Pages of the cache, of 16 tokens each.
    #[arg(long, default_value_t = Limits::default().pages)]
    pages: usize,
    /// Requests that are answered at a time.
    #[arg(long, default_value_t = Limits::default().running)]
    running: usize,
    /// Requests that may wait; more are refused.
    #[arg(long, default_value_t = Limits::default().waiting)]
    waiting: usize,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Speaker { model, tokenizer, template, vision, .. } = Speaker::open(&args.spoken)?;
    let vision = vision.map(|vision| if args.whole { vision.whole() } else { vision });
    let name = args.spoken.model.as_ref().and_then(|path| path.file_stem());
    let name = name.map_or_else(|| DEFAULT.to_owned(), |name| name.to_string_lossy().into_owned());
    let Args { draft, pages, running, waiting, .. } = *args;
    let limits = Limits { draft, pages, running, waiting, ..Limits::default() };
    let curve = Curve::measure(&model);
    let service = Service::start(Engine::new(model, Signs::of(&tokenizer), curve, limits))?;
    let served = Served { name, tokenizer: Arc::new(tokenizer), template, vision };
    // The engine needs the processor more than connections do: one thread is enough for all of them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(until_stopped(args.listen, service.handle(), served));
    runtime.shutdown_background();
    outcome
}

async fn until_stopped(address: SocketAddr, handle: Handle, served: Served) -> anyhow::Result<Outcome> {
    let (mut first, mut second) = (Signals::new()?, Signals::new()?);
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address}"))?;
    println!("{} listens at http://{}/v1", served.name, listener.local_addr()?);
    let engine = handle.clone();
    let stop = async {
        tokio::select! {
            () = first.next() => tracing::info!("stops when the requests that have come are answered"),
            () = engine.stopped() => (),
        }
    };
    let twice = async {
        second.next().await;
        second.next().await;
    };
    tokio::select! {
        () = serve(listener, handle.clone(), served, stop) => (),
        () = twice => return Ok(Outcome::Incomplete),
    }
    if handle.is_stopped() {
        bail!("the language model failed");
    }
    Ok(Outcome::Done)
}

/// What asks the program to end.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) {
        // Where it can't be heard, it never comes.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
