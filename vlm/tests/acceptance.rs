//! How many tokens a step drafts bring on sixty judgments of one drive, beside published ways to draft.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Greedy, Templated, lines, model};
use tandem_vlm::draft::baselines::{Lookup, Oracle, Suffix, Trie};
use tandem_vlm::draft::source::{Alone, Source, Steps, replay};
use tandem_vlm::draft::{Corpus, Drafter, Signs};
use tandem_vlm::text::{Special, Tokenizer, Vocabulary};

/// Answers that are heard but not counted.
const WARM_UP: usize = 5;

const BUDGETS: [usize; 3] = [8, 16, 32];

fn close(name: &str, found: [f64; 3], wanted: [f64; 3]) {
    let is_close = found.iter().zip(wanted).all(|(found, wanted)| (found / wanted - 1.0).abs() < 0.05);
    assert!(is_close, "{name}: {found:?}, by the data's README {wanted:?}");
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
    for (name, requests, wanted, lookup, oracle) in [
        ("templated", templated, [7.5, 12.0, 18.0], [5.18, 6.68, 7.74], [7.02, 9.99, 12.36]),
        ("SmolLM2's own", greedy, [7.0, 11.0, 15.0], [4.08, 5.20, 5.83], [7.77, 12.49, 17.99]),
    ] {
        let measure = |row: &str, make: &dyn Fn() -> Box<dyn Source>| {
            let found = BUDGETS.map(|budget| Steps::rate(&replay(&mut *make(), &requests, budget)[WARM_UP..]));
            println!("{name}, {row}: {found:.2?}");
            found
        };
        let ours =
            measure("ours", &|| Box::new(Alone { drafter: Drafter::new(signs.clone()), corpus: Corpus::new(0) }));
        close("prompt lookup", measure("prompt lookup", &|| Box::new(Lookup::prompt(3))), lookup);
        close("oracle", measure("copy oracle", &|| Box::new(Oracle::new(2))), oracle);
        let others = [
            measure("ngram-simple", &|| Box::new(Lookup::simple(12))),
            measure("Ant's trie", &|| Box::new(Trie::new(32))),
            measure("suffix tree, factor 1", &|| Box::new(Suffix::new(1.0))),
            measure("suffix tree, factor 4", &|| Box::new(Suffix::new(4.0))),
        ];
        for (number, wanted) in wanted.into_iter().enumerate() {
            assert!(ours[number] >= wanted, "{name}: {ours:?}");
            assert!(others.iter().all(|other| other[number] < ours[number]), "{name}: {others:?}");
        }
    }
}
