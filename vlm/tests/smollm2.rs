//! The language model that Tandem takes by default: its tokens are its makers', its prompts and answers llama.cpp's.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde::Deserialize;
use support::{Greedy, Templated, lines, model};
use tandem_vlm::cache::{Cache, Precision};
use tandem_vlm::format::Format;
use tandem_vlm::gguf;
use tandem_vlm::kernel::{Ancestors, PAGE};
use tandem_vlm::model::{Model, Span, Workspace};
use tandem_vlm::text::{Conversation, Message, Role, Special, Template, Tokenizer, Vocabulary};

#[test]
fn tokens_are_those_of_the_peers() {
    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        text: String,
        special: bool,
        ids: Vec<u32>,
        decoded: String,
    }
    let Some(file) = model() else { return };
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    assert_eq!((tokenizer.size(), tokenizer.ends()), (49152, [0, 2].as_slice()));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text_peer/smollm2.json");
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(golden.cases.len() > 20);
    for case in golden.cases {
        let special = if case.special { Special::Markup } else { Special::Text };
        let ids = tokenizer.encode(&case.text, special);
        assert_eq!(ids, case.ids, "{:?}", case.text);
        assert_eq!(tokenizer.decode(&ids), case.decoded);
    }
}

#[test]
fn prompts_and_answers_are_those_of_llama_cpp() {
    let (Some(file), Some(greedy)) = (model(), lines::<Greedy>("smollm2_greedy_judgments.jsonl")) else { return };
    let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(&file).unwrap(), file.path()).unwrap();
    for Greedy { prompt_ids, answer_ids, answer } in &greedy {
        assert_eq!(&tokenizer.decode(answer_ids), answer);
        let text = prompt_ids.iter().map(|id| match tokenizer.is_control(*id) {
            true => tokenizer.name_of(*id).unwrap(),
            false => String::from_utf8(tokenizer.bytes_of(*id).unwrap().to_vec()).unwrap(),
        });
        assert_eq!(&tokenizer.encode(&text.collect::<String>(), Special::Markup), prompt_ids);
    }
    let templated: Vec<Templated> = lines("templated_judgments.jsonl").unwrap();
    let source = file.text("tokenizer.chat_template").unwrap();
    let template = Template::new(file.path(), source, &tokenizer.named()).unwrap();
    for Templated { prompt, .. } in templated {
        let turns = prompt.split("<|im_start|>").filter_map(|turn| turn.strip_suffix("<|im_end|>\n"));
        let messages = turns.map(|turn| {
            let (role, text) = turn.split_once('\n').unwrap();
            Message::new(if role == "system" { Role::System } else { Role::User }, text)
        });
        let messages: Vec<_> = messages.collect();
        let conversation = Conversation { messages: &messages, tools: None, add_generation_prompt: true, unix_s: None };
        assert_eq!(template.render(&conversation).unwrap(), prompt);
    }
}

/// The model with its weights of four bits in Q4_0, as llama.cpp's answers were made.
fn in_q4_0(file: &gguf::File, directory: &Path) -> Model {
    let path = directory.join("q4_0.gguf");
    let mut writer = gguf::Writer::default();
    file.metadata().for_each(|(key, value)| writer.set(key, value.clone()));
    let format = |format: Format| if format == Format::Q4_1 { Format::Q4_0 } else { format };
    let tensors: Vec<_> = file.names().map(|name| file.tensor(name).unwrap()).collect();
    tensors.iter().for_each(|tensor| writer.tensor(tensor.name, tensor.shape, format(tensor.format)));
    writer
        .write(&path, |name, bytes| {
            let tensor = file.tensor(name)?;
            format(tensor.format).encoder().unwrap()(&tensor.values(), bytes);
            Ok(())
        })
        .unwrap();
    Model::of_gguf(&gguf::File::open(&path).unwrap()).unwrap()
}

#[test]
fn it_goes_on_as_through_llama_cpp() {
    let (Some(file), Some(greedy)) = (model(), lines::<Greedy>("smollm2_greedy_judgments.jsonl")) else { return };
    let directory = tempfile::tempdir().unwrap();
    let model = in_q4_0(&file, directory.path());
    let size = model.config().vocabulary;
    let mut room = Workspace::default();
    let (mut same, mut all, mut farthest) = (0, 0, 0.0_f32);
    // Given what llama.cpp said so far, which token comes next? Eight-bit inputs that are rounded the other way move
    // logits by a few tenths, and tip what is as good as equal.
    for Greedy { prompt_ids, answer_ids, .. } in greedy.iter().step_by(12) {
        let tokens = [prompt_ids.as_slice(), answer_ids].concat();
        let pages: Vec<u32> = (0..tokens.len().div_ceil(PAGE) as u32).collect();
        let mut cache = Cache::new(model.shape(), Precision::Half, pages.len());
        let wanted_from = prompt_ids.len() - 1;
        let span = Span { pages: &pages, before: 0, tokens: &tokens, ancestors: Ancestors::All, wanted_from };
        let logits = model.forward(&mut cache, &[span], &mut room);
        for (logits, answered) in logits.chunks_exact(size).zip(answer_ids) {
            let best = logits.iter().copied().fold(f32::MIN, f32::max);
            let behind = best - logits[*answered as usize];
            farthest = farthest.max(behind);
            same += usize::from(behind == 0.0);
            all += 1;
        }
    }
    println!("{same} of {all} tokens are those of llama.cpp, the others at most {farthest} behind in logits");
    assert!(same * 100 >= all * 98 && farthest < 1.0, "{same} of {all}, {farthest} behind");
}
