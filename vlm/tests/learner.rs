//! The learner beside the real model: what it holds likely is what the engine's decoder holds likely.

#![allow(clippy::unwrap_used)]

mod support;

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use burn::module::Param;
use burn::tensor::backend::Backend;
use burn::tensor::{Distribution, Tensor};
use tandem_vlm::cache::{Cache, Precision};
use tandem_vlm::kernel::{Ancestors, PAGE};
use tandem_vlm::model::{About, Adapter, Model, Plain, Span, Workspace};
use tandem_vlm::text::{Template, Tokenizer, Vocabulary};
use tandem_vlm::train::batch::Batch;
use tandem_vlm::train::example::{Speech, Told};
use tandem_vlm::train::learner::{Adapters, Frozen};
use tandem_vlm::train::lesson::lessons;

#[test]
fn an_adapted_model_says_what_the_learner_says() {
    let Some(file) = support::model() else { return };
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    let source = file.text("tokenizer.chat_template").unwrap();
    let template = Template::new(file.path(), source, &tokenizer.named()).unwrap();
    let lesson = &lessons(100_007).unwrap()[3];
    let speech = Speech { tokenizer: &tokenizer, template: &template };
    let example = speech.example(lesson, None, Told::ALL).unwrap();

    let plain = Plain::of_gguf(&file).unwrap();
    Flex::seed(&FlexDevice, 3);
    let mut adapters = Adapters::<Flex>::new(&plain.config, 4, 16, &FlexDevice);
    for part in adapters.layers.iter_mut().flatten() {
        let shape = part.up.dims();
        part.up = Param::from_tensor(Tensor::random(shape, Distribution::Uniform(-0.4, 0.4), &FlexDevice));
    }
    let logits = |adapters: &Adapters<Flex>| -> Vec<f32> {
        let batch = Batch::new(std::slice::from_ref(&example), &plain);
        Frozen::new(&plain, &FlexDevice).logits(adapters, &batch).into_data().iter().collect()
    };
    let wanted = logits(&adapters);
    let untaught = logits(&Adapters::new(&plain.config, 4, 16, &FlexDevice));

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("learnt.safetensors");
    adapters.to_adapter(About::new(&file, 4, 16).unwrap(), &path).save().unwrap();
    let model = Model::adapted(&file, &Adapter::open(&path, &file).unwrap()).unwrap();
    let tokens = &example.tokens[..example.tokens.len() - 1];
    let pages: Vec<u32> = (0..tokens.len().div_ceil(PAGE) as u32).collect();
    let mut cache = Cache::new(model.shape(), Precision::Full, pages.len());
    let wanted_from = example.answer - 1;
    let span = Span { pages: &pages, before: 0, tokens, ancestors: Ancestors::All, wanted_from };
    let mut room = Workspace::default();
    let found = model.forward(&mut cache, &[span], &mut room);

    // Activations of eight bits move logits by some tenths.
    let size = plain.config.vocabulary;
    let best = |logits: &[f32]| (0..size).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
    let agree = |a: &[f32], b: &[f32]| {
        let rows = a.chunks_exact(size).zip(b.chunks_exact(size));
        rows.filter(|(a, b)| best(a) == best(b)).count() as f64 / (a.len() / size) as f64
    };
    let (same, as_untaught) = (agree(found, &wanted), agree(&untaught, &wanted));
    println!(
        "{same:.3} of the likeliest tokens are the learner's, {as_untaught:.3} those of a learner that was taught nothing"
    );
    assert!(same > 0.93 && as_untaught < 0.9, "{same} {as_untaught}");
}
