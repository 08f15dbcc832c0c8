//! `tandem vlm judge`: how good a model's judgments are.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use burn::backend::Flex;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;
use tandem_sim::world::hazard::Kind;
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits, Usage};
use tandem_vlm::eyes::Eyes;
use tandem_vlm::judge::{Judge, Judgment, Score, Voice};
use tandem_vlm::model::{Model, Projector};
use tandem_vlm::train::exam::{Graded, Told, exam};

use super::eyes::open as eyes;
use super::{Speaker, Spoken};
use crate::outcome::Outcome;
use crate::seeds::Seeds;
use crate::table::table;

/// Judge worlds with a staged corner case while they are driven, and grade the answers.
#[derive(clap::Args)]
pub struct Args {
    /// Seeds of the worlds; training takes those from 100000 on.
    #[arg(long, value_name = "SEEDS", default_value = "0..130")]
    worlds: Seeds,
    #[command(flatten)]
    examined: Examined,
    /// Print every scene with what was said and what should have been.
    #[arg(long)]
    verbose: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Who is examined, and how.
#[derive(clap::Args)]
pub struct Examined {
    #[command(flatten)]
    pub spoken: Spoken,
    /// What the model is told of a scene.
    #[arg(long, value_enum, default_value_t = Sees::Both)]
    sees: Sees,
    /// The eyes; without, those that come with the program.
    #[arg(long, value_name = "FILE")]
    eyes: Option<PathBuf>,
    /// Drafted tokens a step, at most; 0 for none.
    #[arg(long, default_value_t = Limits::default().draft)]
    draft: usize,
}

/// A model that judges worlds, with its eyes.
pub struct Examinee {
    judge: Arc<Mutex<Judge>>,
    eyes: Eyes<Flex>,
    told: Told,
}

impl Examined {
    /// Makes it ready.
    pub fn open(&self) -> anyhow::Result<Examinee> {
        let judges = Judges::open(&self.spoken, self.draft)?;
        let told = match self.sees {
            // A model that has learnt nothing has no use for what eyes see.
            Sees::Text => Told::Text,
            _ if !judges.see => Told::Text,
            Sees::Images => Told::Images,
            Sees::Both => Told::Both,
        };
        let judge = Arc::new(Mutex::new(judges.another()));
        Ok(Examinee { judge, eyes: eyes(self.eyes.as_deref())?, told })
    }
}

/// A model of which any number of judges can be made, each with an engine of its own.
pub struct Judges {
    model: Model,
    signs: Signs,
    curve: Curve,
    limits: Limits,
    voice: Arc<Voice>,
    /// Whether they have learnt to see.
    see: bool,
}

impl Judges {
    /// Of a model with what it has learnt; without any named, with what comes with the program.
    pub fn open(spoken: &Spoken, draft: usize) -> anyhow::Result<Self> {
        let Speaker { model, tokenizer, template, adapter, .. } = Speaker::judging(spoken)?;
        let template = template.context("the model has no chat template")?;
        Ok(Self {
            signs: Signs::of(&tokenizer),
            curve: Curve::measure(&model),
            limits: Limits { draft, ..Limits::default() },
            voice: Arc::new(Voice::new(tokenizer, template, adapter.as_ref().map(Projector::new))?),
            see: adapter.is_some(),
            model,
        })
    }

    /// Another judge.
    pub fn another(&self) -> Judge {
        let engine = Engine::new(self.model.clone(), self.signs.clone(), self.curve.clone(), self.limits);
        Judge::new(engine, Arc::clone(&self.voice))
    }
}

impl Examinee {
    /// Its answers while it drives a world.
    pub fn judge(&self, world: u64) -> Result<Vec<Graded>, tandem_vlm::Error> {
        exam(world, &self.judge, &self.eyes, self.told)
    }
}

/// What the model is told of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sees {
    /// What the fast system tells of it.
    Text,
    /// What the eyes see, and the ego and its way.
    Images,
    /// All of it.
    Both,
}

/// Figures of some answers.
#[derive(Serialize)]
struct Figures {
    kind: String,
    judged: usize,
    /// The share that can be read.
    parseable: f64,
    action_accuracy: f64,
    sequence: f64,
    recall: f64,
    precision: f64,
    environment: f64,
    risk: f64,
}

/// What answers took.
#[derive(Serialize)]
struct Took {
    part: &'static str,
    p50_ms: f64,
    p99_ms: f64,
}

pub fn run(args: &Args) -> anyhow::Result<Outcome> {
    let examinee = args.examined.open()?;
    let worlds = args.worlds.0.clone();
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} worlds {eta}")?;
    let bar = ProgressBar::new(worlds.end.saturating_sub(worlds.start)).with_style(style);
    let mut graded = Vec::new();
    for world in worlds {
        let answers = examinee.judge(world)?;
        if args.verbose {
            answers.iter().for_each(|answer| bar.suspend(|| tell(world, answer)));
        }
        graded.extend(answers.into_iter().map(|answer| (Kind::of(world), answer)));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let of = |wanted: Option<Kind>| -> Vec<&Graded> {
        let is_of = |kind: Kind| wanted.is_none_or(|wanted| wanted == kind);
        graded.iter().filter(|(kind, _)| is_of(*kind)).map(|(_, answer)| answer).collect()
    };
    let kinds = Kind::ALL.iter().map(|kind| Figures::new(kind.name(), &of(Some(*kind))));
    let all = of(None);
    let figures: Vec<Figures> = kinds.chain([Figures::new("all", &all)]).filter(|row| row.judged > 0).collect();
    let took = [
        Took::new("images", &all, |answer| answer.looked),
        Took::new("prompt", &all, |answer| answer.said.read),
        Took::new("answer", &all, |answer| answer.said.said),
        Took::new("all", &all, |answer| answer.looked + answer.said.read + answer.said.said),
    ];
    let tokens_a_step = sum(&all, |usage| usage.said) as f64 / (sum(&all, |usage| usage.steps) as f64).max(1.0);
    if args.json {
        println!("{}", json!({ "figures": figures, "took": took, "tokens_a_step": tokens_a_step }));
    } else {
        print(&figures, &took);
        println!("{tokens_a_step:.2} tokens a step");
    }
    Ok(Outcome::Done)
}

fn sum(answers: &[&Graded], of: fn(&Usage) -> usize) -> usize {
    answers.iter().map(|answer| of(&answer.said.usage)).sum()
}

impl Figures {
    fn new(kind: &str, answers: &[&Graded]) -> Self {
        let mut score = Score::default();
        answers.iter().for_each(|Graded { said, wanted, .. }| score.add(said.judgment.as_ref().ok(), wanted));
        let parsed = answers.iter().filter(|answer| answer.said.judgment.is_ok()).count();
        Self {
            kind: kind.to_owned(),
            judged: score.judged(),
            parseable: parsed as f64 / answers.len().max(1) as f64,
            action_accuracy: score.action_accuracy(),
            sequence: score.sequence(),
            recall: score.recall(),
            precision: score.precision(),
            environment: score.environment(),
            risk: score.risk(),
        }
    }
}

impl Took {
    fn new(part: &'static str, answers: &[&Graded], of: fn(&Graded) -> Duration) -> Self {
        let mut took: Vec<Duration> = answers.iter().map(|answer| of(answer)).collect();
        took.sort_unstable();
        let at = |share: f64| {
            let place = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
            took.get(place).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
        };
        Self { part, p50_ms: at(0.5), p99_ms: at(0.99) }
    }
}

fn print(figures: &[Figures], took: &[Took]) {
    let columns = ["world", "judged", "parseable", "action", "sequence", "recall", "precision", "environment", "risk"];
    let mut rows = table(&columns, 1);
    for row in figures {
        let Figures { kind, judged, .. } = row;
        let shares =
            [row.parseable, row.action_accuracy, row.sequence, row.recall, row.precision, row.environment, row.risk];
        let shares = shares.map(|share| format!("{share:.3}"));
        rows.add_row([kind.clone(), judged.to_string()].into_iter().chain(shares));
    }
    println!("{rows}");
    let mut rows = table(&["of an answer", "p50 ms", "p99 ms"], 1);
    for Took { part, p50_ms, p99_ms } in took {
        rows.add_row([(*part).to_owned(), format!("{p50_ms:.0}"), format!("{p99_ms:.0}")]);
    }
    println!("{rows}");
}

/// A scene with what was said and what should have been.
fn tell(world: u64, Graded { scene, said, wanted, .. }: &Graded) {
    let text = said.judgment.as_ref().map_or_else(Clone::clone, Judgment::to_text);
    println!("world {world}\n{scene}\nsaid   {text}\nwanted {}\n", wanted.to_text());
}
