//! Models' files: decoders in GGUF and in directories with their eyes and tokenizers, adapters, and the default eyes.

use std::path::{Path, PathBuf};

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use proptest::prelude::*;
use proptest::sample::Index;
use tandem_vlm::eyes::Eyes;
use tandem_vlm::format::Format;
use tandem_vlm::gguf::{File, Writer};
use tandem_vlm::model::{About, Adapter, Config, Model, Part, Projection, Thin};
use tandem_vlm::text::{Special, Template, Tokenizer, Vocabulary};
use tandem_vlm::vision::{Picture, Vision};

use crate::change::{cases, changed, changes, within};

/// A small decoder with words of its own.
fn decoder(path: &Path) {
    let mut writer = Writer::default();
    writer.set("general.architecture", "llama");
    writer.set("general.name", "small");
    for (key, count) in [
        ("block_count", 1_u32),
        ("embedding_length", 32),
        ("attention.head_count", 2),
        ("attention.head_count_kv", 1),
        ("feed_forward_length", 64),
        ("context_length", 128),
    ] {
        writer.set(&format!("llama.{key}"), count);
    }
    writer.set("llama.attention.layer_norm_rms_epsilon", 1e-5_f32);
    let letters = ('a'..='z').chain("ĠĊ.,".chars()).map(String::from);
    let tokens: Vec<String> = ["<s>".to_owned(), "</s>".to_owned()].into_iter().chain(letters).collect();
    let size = tokens.len();
    writer.set("tokenizer.ggml.model", "gpt2");
    writer.set("tokenizer.ggml.pre", "smollm");
    writer.set("tokenizer.ggml.token_type", [vec![3_i32; 2], vec![1; size - 2]].concat());
    writer.set("tokenizer.ggml.tokens", tokens);
    writer.set("tokenizer.ggml.merges", ["a b", "c d", "ab cd"].map(str::to_owned).to_vec());
    writer.set("tokenizer.ggml.bos_token_id", 0_u32);
    writer.set("tokenizer.ggml.eos_token_id", 1_u32);
    writer.set("tokenizer.chat_template", "{% for message in messages %}{{ message.content }}{% endfor %}");
    let tensors = [
        ("token_embd", vec![size, 32]),
        ("blk.0.attn_norm", vec![32]),
        ("blk.0.attn_q", vec![32, 32]),
        ("blk.0.attn_k", vec![16, 32]),
        ("blk.0.attn_v", vec![16, 32]),
        ("blk.0.attn_output", vec![32, 32]),
        ("blk.0.ffn_norm", vec![32]),
        ("blk.0.ffn_gate", vec![64, 32]),
        ("blk.0.ffn_up", vec![64, 32]),
        ("blk.0.ffn_down", vec![32, 64]),
        ("output_norm", vec![32]),
    ]
    .map(|(name, shape)| {
        let format = if shape.len() == 1 { Format::F32 } else { Format::Q8_0 };
        (format!("{name}.weight"), shape, format)
    });
    tensors.iter().for_each(|(name, shape, format)| writer.tensor(name, shape, *format));
    let fill = |name: &str, bytes: &mut Vec<u8>| {
        let (_, shape, format) = tensors.iter().find(|(known, ..)| known == name).unwrap();
        bytes.resize(shape.iter().product::<usize>() / format.block() * format.bytes(), 0);
        Ok(())
    };
    writer.write(path, fill).unwrap();
}

#[test]
fn decoders_in_gguf_with_their_words() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("small.gguf");
    decoder(&path);
    let whole = std::fs::read(&path).unwrap();
    assert!(Model::of_gguf(&File::open(&path).unwrap()).is_ok());
    cases(1, changes(), |changes| {
        let bytes = changed(&whole, 2000, &changes);
        std::fs::write(&path, &bytes).unwrap();
        let Some(file) = within(1 << 20, || File::open(&path)) else { return };
        within(1 << 22, || Model::of_gguf(&file));
        let words = || Vocabulary::of_gguf(&file).and_then(|vocabulary| Tokenizer::new(&vocabulary, &path));
        let Some(tokenizer) = within(1 << 24, words) else { return };
        let tokens = tokenizer.encode("a bad cab, <s>\u{e9}", Special::Markup);
        tokenizer.decode(&tokens);
        if let Ok(Some(source)) = file.find::<&str>("tokenizer.chat_template") {
            within(1 << 24, || Template::new(&path, source, &tokenizer.named()));
        }
    });
}

/// A copy of a golden model.
fn copy(of: &str) -> (tempfile::TempDir, Vec<(PathBuf, Vec<u8>)>) {
    let directory = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(of);
    let mut files: Vec<_> = std::fs::read_dir(golden).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.file_stem().is_some_and(|stem| stem != "golden"));
    files.sort();
    let copy = |path: PathBuf| {
        let (to, bytes) = (directory.path().join(path.file_name().unwrap()), std::fs::read(path).unwrap());
        std::fs::write(&to, &bytes).unwrap();
        (to, bytes)
    };
    let files = files.into_iter().map(copy).collect();
    (directory, files)
}

#[test]
fn models_that_see_in_directories() {
    let (directory, files) = copy("vision/smolvlm");
    assert_eq!(files.len(), 7);
    let picture = Picture::new(30, 20, vec![90; 1800]).unwrap();
    cases(2, (any::<Index>(), changes()), |(which, changes)| {
        let (path, whole) = &files[which.index(files.len())];
        std::fs::write(path, changed(whole, 20_000, &changes)).unwrap();
        within(1 << 24, || Model::of_directory(directory.path()));
        let tokenizer = within(1 << 24, || Tokenizer::open(&directory.path().join("tokenizer.json")));
        if let Some(tokenizer) = tokenizer {
            tokenizer.decode(&tokenizer.encode("Is it free?<image> \u{e9}", Special::Markup));
            within(1 << 24, || Template::of_directory(directory.path(), &tokenizer.named()));
            if let Some(Some(vision)) = within(1 << 24, || Vision::of_directory(directory.path(), &tokenizer)) {
                let [rows, columns] = vision.grid(&picture);
                // What a recipe allows may be a thousand tiles, which take long.
                if rows * columns < 20 {
                    vision.look(&vision.cut(&picture));
                }
            }
        }
        std::fs::write(path, whole).unwrap();
    });
}

#[test]
fn adapters() {
    let directory = tempfile::tempdir().unwrap();
    let (base, path) = (directory.path().join("small.gguf"), directory.path().join("learnt.safetensors"));
    decoder(&base);
    let base = File::open(&base).unwrap();
    let config = Config::of_gguf(&base).unwrap();
    let thin = |part: Part| {
        let [rows, columns] = part.shape(&config);
        Thin { down: vec![0.5; 2 * columns], up: vec![0.5; 2 * rows] }
    };
    let pair = |weight: usize, bias: usize| [vec![0.5; weight], vec![0.5; bias]];
    let projection = Projection { norm: pair(16, 16), first: pair(32 * 16, 32), second: pair(32 * 32, 32) };
    let about = About::new(&base, 2, 16).unwrap();
    Adapter::new(about, vec![Part::ALL.map(thin)], projection, &path).save().unwrap();
    let whole = std::fs::read(&path).unwrap();
    cases(1, changes(), |changes| {
        std::fs::write(&path, changed(&whole, 2500, &changes)).unwrap();
        if let Some(adapter) = within(1 << 20, || Adapter::open(&path, &base)) {
            within(1 << 22, || Model::adapted(&base, &adapter));
        }
    });
}

#[test]
fn eyes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("eyes.safetensors");
    let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights/eyes.safetensors")).unwrap();
    let header = u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    cases(16, changes(), |changes| {
        std::fs::write(&path, changed(&whole, header + 8, &changes)).unwrap();
        within(16 * whole.len(), || Eyes::<Flex>::open(&path, &FlexDevice));
    });
}
