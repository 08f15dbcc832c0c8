//! Models whose files are damaged, or say what cannot be.

use super::{golden, tokenizer};
use crate::model::Model;
use crate::vision::Vision;

/// A copy of a model with one of its files changed.
fn changed(file: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let directory = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(golden().join("smolvlm")).unwrap() {
        let path = file.unwrap().path();
        std::fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
    }
    let path = directory.path().join(file);
    std::fs::write(&path, change(std::fs::read(&path).unwrap())).unwrap();
    let text = Model::of_directory(directory.path()).map(|_| ());
    let eyes = Vision::of_directory(directory.path(), &tokenizer("smolvlm")).map(|_| ());
    text.and(eyes).unwrap_err().to_string()
}

#[test]
fn a_damaged_model_is_told_in_a_line_that_names_the_file_and_the_field() {
    let replaced = |from: &'static str, to: &'static str| {
        move |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1).into_bytes()
        }
    };
    for (from, to, said) in [
        ("\"scale_factor\": 3,", "", "missing field `scale_factor`"),
        ("\"vision_config\"", "\"else\"", "missing field `vision_config`"),
        ("\"text_config\"", "\"else\"", "missing field `text_config`"),
        ("\"smolvlm\"", "\"other\"", "missing field"),
        ("\"scale_factor\": 3", "\"scale_factor\": 0", "scale_factor: 0"),
        ("\"scale_factor\": 3", "\"scale_factor\": 4", "tiles of 48 pixels are no whole features"),
        ("\"image_size\": 48", "\"image_size\": 40", "position_embedding.weight: its shape is [36, 32], not [25, 32]"),
        ("\"patch_size\": 8", "\"patch_size\": 0", "vision_config.patch_size: 0"),
        ("\"image_token_id\": 259", "\"image_token_id\": 7", "<image> is token Some(259) of the tokenizer, and 7"),
        ("gelu_pytorch_tanh", "relu", "vision_config.hidden_act: relu"),
        ("\"num_hidden_layers\": 1,\n    \"patch", "\"num_hidden_layers\": 2,\n    \"patch", "layers.1.layer_norm1"),
    ] {
        let found = changed("config.json", replaced(from, to));
        assert!(found.contains(said) && found.lines().count() == 1, "{found}");
    }
    for (from, to, said) in [
        ("\"resample\": 1", "\"resample\": 3", "resample: filter 3"),
        ("\"longest_edge\": 96", "\"longest_edge\": 0", "size: pictures of 0 pixels in tiles of 48"),
        ("\"longest_edge\": 48", "\"longest_edge\": 1", "size: pictures of 96 pixels in tiles of 1"),
        ("\"do_resize\": true", "\"do_resize\": false", "do_resize"),
        ("\"rescale_factor\": 0", "\"rescale_factor\": \"x\", \"y\": 0", "rescale_factor"),
    ] {
        let found = changed("preprocessor_config.json", replaced(from, to));
        assert!(found.contains(said) || said == "rescale_factor" && found.contains("invalid type"), "{found}");
        assert!(found.contains("preprocessor_config.json") && found.lines().count() == 1, "{found}");
    }
    let found = changed("processor_config.json", replaced("4", "5"));
    assert!(found.ends_with("processor_config.json: image_seq_len: 5, but a tile has 4 features"), "{found}");
    for (from, to, said) in [
        (
            "vision_model.post_layernorm.bias",
            "vision_model.post_layernorm.bent",
            "post_layernorm.bias: it is not there",
        ),
        ("text_model.norm.weight", "text_model.norm.height", "no tensor output_norm.weight"),
        ("\"BF16\"", "\"I16\" ", "its numbers are I16"),
    ] {
        let found = changed("model.safetensors", |bytes| {
            let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
            [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
        });
        assert!(found.contains(said) && found.lines().count() == 1, "{found}");
    }
    for length in [0, 7, 100, 5000] {
        let found = changed("model.safetensors", |bytes| bytes[..length].to_vec());
        assert!(found.contains("model.safetensors: ") && found.lines().count() == 1, "{found}");
    }
}
