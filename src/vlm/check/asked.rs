//! What is asked: requests of files, then questions about staged worlds.

use std::path::PathBuf;

use anyhow::Context;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use tandem_sim::camera::rig;
use tandem_vlm::engine::{Request, Sampling};
use tandem_vlm::judge::{Prompt, State, scene_at, truth};
use tandem_vlm::train::lesson::course;

use crate::vlm::{Speaker, judgments, requests};

/// Between two questions about a world, steps of its log: a second.
const STEPS: usize = 10;

/// So many requests with answers of so many tokens at most.
pub fn requests(
    speaker: &Speaker,
    files: &[PathBuf],
    (count, most): (usize, usize),
    random: &mut ChaCha8Rng,
) -> anyhow::Result<Vec<Request>> {
    let Speaker { tokenizer, template, .. } = speaker;
    let mut prompts: Vec<(String, Vec<u32>)> = Vec::new();
    for path in files {
        let asked = requests::read(path, tokenizer, template.as_ref())?;
        prompts.extend(asked.into_iter().map(|asked| (path.display().to_string(), asked.prompt)));
    }
    let of_files = prompts.len();
    let mut worlds = 0..;
    while prompts.len() < count
        && let Some(world) = worlds.next()
    {
        let template = template.as_ref().context("the model has no chat template to ask about worlds with")?;
        for prompt in questions(world)? {
            prompts.push((format!("world {world}"), prompt.encode(tokenizer, template, &[])?));
        }
    }
    prompts.truncate(count);
    let grammar = judgments(tokenizer)?;
    let request = |(number, (session, prompt)): (usize, (String, Vec<u32>))| {
        let sampled = Sampling { temperature: 0.8, top_k: 50, top_p: 0.95, seed: number as u64 };
        Request {
            prompt,
            session: Some(session),
            most,
            sampling: if number % 4 == 3 { sampled } else { Sampling::GREEDY },
            ends: tokenizer.ends().to_vec(),
            grammar: (number >= of_files && number % 2 == 1).then(|| grammar.clone()),
            priority: random.random_range(-2..=2),
        }
    };
    Ok(prompts.into_iter().enumerate().map(request).collect())
}

/// What a world's log makes one ask, second by second, if the judgment before was right.
fn questions(world: u64) -> anyhow::Result<Vec<Prompt>> {
    let (course, rig) = (course(world)?, rig::nuscenes(512, 192));
    let (mut before, mut questions) = (None, Vec::new());
    for step in (0..course.steps()).step_by(STEPS) {
        let state = State::new(&scene_at(&course, course.stamp(step), |_| true), &[]);
        questions.push(Prompt::new(&state, &[], &[], before.as_ref()));
        before = truth(&course, &state, &rig);
    }
    Ok(questions)
}
