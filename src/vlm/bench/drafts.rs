//! How many tokens a step drafts bring: ours and the published ways, as if a model had given a file's answers.

use serde::Serialize;
use tandem_vlm::draft::baselines::{Lookup, Oracle, Suffix, Trie};
use tandem_vlm::draft::source::{Alone, Source, Steps, replay};
use tandem_vlm::draft::{Corpus, Drafter, Signs};

/// The first answers are counted apart from those after them: without a corpus nothing was heard before.
pub const FIRST: usize = 5;

/// What drafts bring.
#[derive(Serialize)]
pub struct Drafts {
    pub file: String,
    pub drafter: String,
    /// Over the first answers, for each budget.
    pub tokens_a_step_at_first: Vec<f64>,
    /// Over those after them.
    pub tokens_a_step: Vec<f64>,
}

/// A way to draft.
type Make<'a> = Box<dyn Fn() -> Box<dyn Source> + 'a>;

/// Measures all ways to draft on requests with their answers, each after it has heard a corpus.
pub fn measure(
    file: &str,
    requests: &[(Vec<u32>, Vec<u32>)],
    budgets: &[usize],
    signs: &Signs,
    corpus: &Corpus,
) -> Vec<Drafts> {
    let ours = || Box::new(Alone { drafter: Drafter::new(signs.clone()), corpus: corpus.clone() }) as Box<dyn Source>;
    let makes: [(&str, Make<'_>); 8] = [
        ("ours", Box::new(ours)),
        ("Ant's trie", Box::new(|| heard(Trie::new(32), corpus))),
        ("suffix tree, factor 4", Box::new(|| heard(Suffix::new(4.0), corpus))),
        ("suffix tree, factor 1", Box::new(|| heard(Suffix::new(1.0), corpus))),
        ("prompt lookup, 3-gram", Box::new(|| heard(Lookup::prompt(3), corpus))),
        ("ngram-simple, n = 12", Box::new(|| heard(Lookup::simple(12), corpus))),
        ("copy oracle, 2-gram", Box::new(|| heard(Oracle::new(2), corpus))),
        ("copy oracle, 1-gram", Box::new(|| heard(Oracle::new(1), corpus))),
    ];
    let each = makes.into_iter().map(|(drafter, make)| {
        let rates = budgets.iter().map(|budget| {
            let answers = replay(&mut *make(), requests, *budget);
            let (first, later) = answers.split_at(answers.len().min(FIRST));
            (Steps::rate(first), Steps::rate(later))
        });
        let (tokens_a_step_at_first, tokens_a_step) = rates.unzip();
        Drafts { file: file.to_owned(), drafter: drafter.to_owned(), tokens_a_step_at_first, tokens_a_step }
    });
    each.collect()
}

/// A way to draft for which a corpus's texts are answers that it has heard. What looks at the prompt alone hears none.
fn heard(mut source: impl Source + 'static, corpus: &Corpus) -> Box<dyn Source> {
    for text in corpus.texts() {
        source.begin(&[]);
        source.accept(text);
        source.end();
    }
    Box::new(source)
}
