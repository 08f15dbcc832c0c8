//! Quantized models of the one that Tandem takes by default.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Templated, lines, model};
use tandem_vlm::format::Width;
use tandem_vlm::gguf::File;
use tandem_vlm::model::Model;
use tandem_vlm::perplexity::{Foreteller, Perplexity, windows};
use tandem_vlm::quantize::{Method, Target, own_words, quantize};
use tandem_vlm::text::{Special, Tokenizer, Vocabulary};

#[test]
fn eight_bits_a_row_foretell_judgments_nearly_as_well_and_four_that_are_only_rounded_do_not() {
    let (Some(file), Some(judgments)) = (model(), lines::<Templated>("templated_judgments.jsonl")) else { return };
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    let text: String = judgments.iter().take(2).map(|line| format!("{}{}", line.prompt, line.answer)).collect();
    let tokens = tokenizer.encode(&text, Special::Markup);
    let nats = |model: &Model| {
        let mut foreteller = Foreteller::new(model, 512);
        let nats: Vec<f64> = windows(&tokens, 512, None).flat_map(|window| foreteller.nats(&window)).collect();
        Perplexity::of(&nats).unwrap().mean_nats
    };
    let directory = tempfile::tempdir().unwrap();
    let [eight, four] = [Width::Eight, Width::Four].map(|width| {
        let path = directory.path().join(width.name());
        quantize(&file, Target::Rows(width), Method::Round, &[], |_, _| {}).unwrap().write(&file, &path).unwrap();
        nats(&Model::of_gguf(&File::open(&path).unwrap()).unwrap())
    });
    let plain = nats(&Model::of_gguf(&file).unwrap());
    println!("nats a token: {plain:.3} in blocks, {eight:.3} with eight bits a row, {four:.3} with four");
    assert!((eight - plain).abs() < 0.1 && four > plain + 0.2, "{plain} {eight} {four}");
}

#[test]
fn a_models_own_words_are_the_same_each_time_and_no_two_texts_alike() {
    let Some(file) = model() else { return };
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    let model = Model::of_gguf(&file).unwrap();
    let say = || own_words(model.clone(), &tokenizer, 3, 20, |said, all| assert!(said <= all && all == 57)).unwrap();
    let texts = say();
    assert_eq!(texts.iter().map(Vec::len).collect::<Vec<_>>(), [20; 3]);
    assert!(texts[0] != texts[1] && texts[1] != texts[2]);
    assert_eq!(say(), texts);
}
