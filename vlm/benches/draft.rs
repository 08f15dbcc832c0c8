//! What a drafted token costs with a corpus of a million tokens, and how long such a corpus takes to load and to save.
#![allow(clippy::expect_used, reason = "a benchmark whose fixed corpus is unsound shall stop")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tandem_vlm::draft::{Corpus, Drafter, Signs};
use tandem_vlm::text::VocabularyId;

const TOKENS: usize = 1 << 20;
const VOCABULARY: VocabularyId = VocabularyId { size: 49_152, hash: 0 };
const BUDGET: usize = 32;

/// Texts that are written one phrase after the other. Phrases and words follow Zipf's law, as those of languages do, so
/// that some pairs of tokens are everywhere.
struct Writer {
    random: ChaCha8Rng,
    phrases: Vec<Vec<u32>>,
}

impl Writer {
    fn new() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let word = |random: &mut ChaCha8Rng| zipf(random, VOCABULARY.size);
        let phrases = (0..20_000).map(|_| (0..random.random_range(2..12)).map(|_| word(&mut random)).collect());
        Self { phrases: phrases.collect(), random }
    }

    fn text(&mut self, length: usize) -> Vec<u32> {
        let mut text = Vec::with_capacity(length + 12);
        while text.len() < length {
            let phrase = zipf(&mut self.random, self.phrases.len() as u32) as usize;
            text.extend_from_slice(&self.phrases[phrase]);
        }
        text
    }
}

/// A number below `count`, about as often as its inverse says.
fn zipf(random: &mut ChaCha8Rng, count: u32) -> u32 {
    (f64::from(count).powf(random.random::<f64>()) as u32).min(count) - 1
}

fn corpus(writer: &mut Writer) -> Corpus {
    let mut corpus = Corpus::new(TOKENS);
    while corpus.tokens() + 200 < TOKENS {
        corpus.add(&[], &writer.text(160));
    }
    corpus
}

fn draft(criterion: &mut Criterion) {
    let mut writer = Writer::new();
    let corpus = corpus(&mut writer);
    println!(
        "{} tokens, {:.1} bytes a token in memory",
        corpus.tokens(),
        corpus.memory_bytes() as f64 / corpus.tokens() as f64
    );
    let prompt = writer.text(700);
    let answer = writer.text(160);
    let mut drafter = Drafter::new(Signs::none());
    drafter.begin(&prompt);
    // As many contexts as the answer has tokens, each of its own.
    let drafters: Vec<Drafter> = answer
        .iter()
        .map(|token| {
            drafter.accept(&corpus, &[*token]);
            drafter.clone()
        })
        .collect();
    let mut drafted = drafters.clone();
    let tokens: usize = drafted.iter_mut().map(|drafter| drafter.draft(&corpus, BUDGET, 0.0).nodes().len()).sum();
    let mut group = criterion.benchmark_group("draft, 1M tokens of corpus");
    group.throughput(Throughput::Elements(tokens as u64));
    group.bench_function("a drafted token", |bencher| {
        bencher.iter(|| {
            for drafter in &mut drafted {
                black_box(drafter.draft(&corpus, BUDGET, 0.0));
            }
        });
    });
    group.throughput(Throughput::Elements(answer.len() as u64));
    group.bench_function("a token taken in", |bencher| {
        bencher
            .iter(|| drafted.iter_mut().zip(&answer).for_each(|(drafter, token)| drafter.accept(&corpus, &[*token])));
    });
    group.finish();

    let mut group = criterion.benchmark_group("corpus, 1M tokens");
    group.sample_size(10).throughput(Throughput::Elements(corpus.tokens() as u64));
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("corpus");
    group.bench_function("save", |bencher| bencher.iter(|| corpus.save(&path, VOCABULARY).expect("it is written")));
    group.bench_function("open", |bencher| {
        bencher.iter(|| Corpus::open(&path, VOCABULARY, TOKENS).expect("it is as it was written"));
    });
    group.finish();
}

criterion_group!(benches, draft);
criterion_main!(benches);
