//! How fast a model reads and speaks with and without drafts.
//!
//! The machine is rarely alone, and what else it does changes from second to second. So every request is answered by all
//! in turn, and what drafts bring is the median over the requests of how much faster the same answer came.

use std::time::{Duration, Instant};

use serde::Serialize;
use tandem_vlm::cache::{Cache, Precision};
use tandem_vlm::draft::{Corpus, Signs};
use tandem_vlm::engine::{Curve, Engine, Limits, Request};
use tandem_vlm::kernel::{Ancestors, PAGE};
use tandem_vlm::model::{Model, Span, Workspace};

use super::peer::{Answerer, Reply};

/// How fast the model is.
#[derive(Serialize)]
pub struct Speed {
    pub file: String,
    /// `ours, 8 drafted at most`, `peer`.
    pub speaker: String,
    /// Drafted tokens a step at most; `None` where a peer drafts as it likes.
    pub draft: Option<usize>,
    pub read_tokens_a_second: f64,
    pub said_tokens_a_second: f64,
    /// The median of how much faster an answer was said than without drafts.
    pub times_as_fast: f64,
    pub tokens_a_step: f64,
    pub requests: usize,
    /// Answers that are token for token those without drafts.
    pub same_answers: usize,
    /// The most that the other answers' first token of their own was behind, in our logits.
    pub parted_by: Option<f32>,
}

/// Whoever answers, with what it took for each request.
struct Speaker<'a> {
    draft: Option<usize>,
    name: String,
    engine: Answering<'a>,
    took: Vec<Took>,
}

enum Answering<'a> {
    Ours(Box<Engine>),
    Peer(&'a mut Answerer),
}

#[derive(Default)]
struct Took {
    reading: Duration,
    saying: Duration,
    read: usize,
    said: usize,
    steps: usize,
    answer: Vec<u32>,
}

impl Took {
    /// What a peer took, which says nothing of its steps: a token each.
    fn of(prompt: &[u32], Reply { said, read_s, said_s }: Reply) -> Self {
        let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self {
            reading: time(read_s),
            saying: time(said_s),
            read: prompt.len(),
            // The first token comes out of reading.
            said: said.len().saturating_sub(1),
            steps: said.len().saturating_sub(1),
            answer: said,
        }
    }
}

/// Answers requests one after the other, as those of one session, without drafts and with up to so many drafted tokens.
pub fn measure(
    file: &str,
    model: &Model,
    (signs, curve, corpus): (&Signs, &Curve, &Corpus),
    requests: &[Request],
    budgets: &[usize],
    peers: &mut [Answerer],
) -> anyhow::Result<Vec<Speed>> {
    let mut speakers = Vec::new();
    for draft in std::iter::once(0).chain(budgets.iter().copied()) {
        // Room for a few prompts, of which the next is like the last.
        let limits = Limits { running: 1, draft, pages: 256, ..Limits::default() };
        let engine = Engine::new(model.clone(), signs.clone(), curve.clone(), limits).with_corpus(corpus.clone())?;
        let name = if draft == 0 { "ours".to_owned() } else { format!("ours, {draft} drafted at most") };
        speakers.push(Speaker {
            draft: Some(draft),
            name,
            engine: Answering::Ours(Box::new(engine)),
            took: Vec::new(),
        });
    }
    for peer in peers {
        let name = if peer.lookup == 0 { "peer".to_owned() } else { format!("peer, lookup of {}", peer.lookup) };
        speakers.push(Speaker { draft: None, name, engine: Answering::Peer(peer), took: Vec::new() });
    }
    for request in requests {
        for Speaker { engine, took, .. } in &mut speakers {
            let Request { prompt, most, ends, .. } = request;
            took.push(match engine {
                Answering::Ours(engine) => answer(engine, request)?,
                Answering::Peer(peer) => Took::of(prompt, peer.answer(prompt, *most, ends)?),
            });
        }
    }
    let Some(plain) = speakers.first() else { return Ok(Vec::new()) };
    let speed = |speaker: &Speaker<'_>| {
        let others = requests.iter().zip(&plain.took).zip(&speaker.took).filter(|((_, a), b)| a.answer != b.answer);
        let behind = others.map(|((request, a), b)| behind(model, request, [&a.answer, &b.answer]));
        let parted_by =
            behind.fold(None, |most: Option<f32>, behind| Some(most.map_or(behind, |most| most.max(behind))));
        speed(file, speaker, &plain.took, parted_by)
    };
    Ok(speakers.iter().map(speed).collect())
}

/// By how much, in logits, the first token of the second answer that is not the first's is behind that of the first. Where
/// an answer is over, it is the likeliest of those that end it.
fn behind(model: &Model, Request { prompt, ends, .. }: &Request, [first, second]: [&[u32]; 2]) -> f32 {
    let same = first.iter().zip(second).take_while(|(a, b)| a == b).count();
    let tokens = [prompt.as_slice(), &first[..same]].concat();
    let pages: Vec<u32> = (0..tokens.len().div_ceil(PAGE) as u32).collect();
    let mut cache = Cache::new(model.shape(), Precision::default(), pages.len());
    let wanted_from = tokens.len() - 1;
    let span = Span { pages: &pages, before: 0, tokens: &tokens, ancestors: Ancestors::All, wanted_from };
    let mut room = Workspace::default();
    let logits = model.forward(&mut cache, &[span], &mut room);
    let logit = |answer: &[u32]| {
        let next = answer.get(same).map_or(ends.as_slice(), std::slice::from_ref);
        next.iter().map(|token| logits[*token as usize]).fold(f32::MIN, f32::max)
    };
    logit(first) - logit(second)
}

fn speed(file: &str, Speaker { draft, name, took, .. }: &Speaker<'_>, plain: &[Took], parted_by: Option<f32>) -> Speed {
    let seconds = |of: fn(&Took) -> Duration| took.iter().map(of).sum::<Duration>().as_secs_f64();
    let count = |of: fn(&Took) -> usize| took.iter().map(of).sum::<usize>() as f64;
    let pairs = took.iter().zip(plain).filter(|(took, _)| took.steps > 0);
    let mut times: Vec<f64> =
        pairs.map(|(took, plain)| plain.saying.as_secs_f64() / took.saying.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    Speed {
        file: file.to_owned(),
        speaker: name.clone(),
        draft: *draft,
        read_tokens_a_second: count(|took| took.read) / seconds(|took| took.reading),
        said_tokens_a_second: count(|took| took.said) / seconds(|took| took.saying),
        times_as_fast: times.get(times.len() / 2).copied().unwrap_or(1.0),
        tokens_a_step: count(|took| took.said) / count(|took| took.steps).max(1.0),
        requests: took.len(),
        same_answers: took.iter().zip(plain).filter(|(took, plain)| took.answer == plain.answer).count(),
        parted_by,
    }
}

fn answer(engine: &mut Engine, request: &Request) -> anyhow::Result<Took> {
    engine.submit(request.clone())?;
    let mut took = Took::default();
    while !engine.is_idle() {
        let start = Instant::now();
        let events = engine.step();
        let time = start.elapsed();
        // The first token comes out of reading the prompt.
        match events.first() {
            Some(event) if event.usage.steps > 1 => {
                took.saying += time;
                took.said += event.tokens.len();
                took.steps += 1;
            }
            _ => took.reading += time,
        }
        for event in events {
            took.read += if event.usage.steps == 1 { event.usage.prompt - event.usage.cached } else { 0 };
            took.answer.extend(event.tokens);
        }
    }
    Ok(took)
}
