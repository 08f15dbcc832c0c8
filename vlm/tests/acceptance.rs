//! How many tokens a step drafts bring on sixty judgments of one drive, as if a model had said what was said.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Greedy, Templated, lines, model};
use tandem_vlm::draft::{Corpus, Drafter, Signs};
use tandem_vlm::text::{Special, Tokenizer, Vocabulary};

/// Answers that are heard but not counted.
const WARM_UP: usize = 5;

/// Tokens a step at a budget of drafted tokens, over requests with what was answered. The first token of an answer comes
/// out of reading the prompt.
fn tokens_a_step(signs: &Signs, requests: &[(Vec<u32>, Vec<u32>)], budget: usize) -> f64 {
    let (mut drafter, corpus) = (Drafter::new(signs.clone()), Corpus::new(0));
    let (mut tokens, mut steps) = (0, 0);
    for (number, (prompt, answer)) in requests.iter().enumerate() {
        drafter.begin(prompt);
        drafter.accept(&corpus, &answer[..1]);
        let mut at = 1;
        while at < answer.len() {
            let mut said = at;
            let branch = drafter.draft(&corpus, budget).accepted(|_| {
                said += 1;
                answer.get(said - 1).copied().unwrap_or(u32::MAX)
            });
            // The pass that checks the draft says one token itself.
            let upto = (at + branch.len() + 1).min(answer.len());
            drafter.accept(&corpus, &answer[at..upto]);
            if number >= WARM_UP {
                tokens += upto - at;
                steps += 1;
            }
            at = upto;
        }
        drafter.end();
    }
    f64::from(tokens as u32) / f64::from(steps)
}

#[test]
fn drafts_bring_what_they_should_on_judgments_of_a_drive() {
    let Some(file) = model() else { return };
    let (Some(templated), Some(greedy)) =
        (lines::<Templated>("templated_judgments.jsonl"), lines::<Greedy>("smollm2_greedy_judgments.jsonl"))
    else {
        return;
    };
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    let signs = Signs::of(&tokenizer);
    let encode = |text: &str| tokenizer.encode(text, Special::Markup);
    let templated: Vec<_> = templated.iter().map(|line| (encode(&line.prompt), encode(&line.answer))).collect();
    let greedy: Vec<_> = greedy.into_iter().map(|line| (line.prompt_ids, line.answer_ids)).collect();
    for (name, requests, wanted) in
        [("templated", templated, [7.5, 12.0, 18.0]), ("SmolLM2's own", greedy, [7.0, 11.0, 15.0])]
    {
        for (budget, wanted) in [8, 16, 32].into_iter().zip(wanted) {
            let start = std::time::Instant::now();
            let found = tokens_a_step(&signs, &requests, budget);
            println!(
                "{name}: {found:.2} tokens a step at a budget of {budget} (wanted: {wanted}) {:?}",
                start.elapsed()
            );
            assert!(found >= wanted, "{name}, budget {budget}: {found} tokens a step, wanted {wanted}");
        }
    }
}
