//! Towers, recipes and prompts against transformers (`tests/vision_peer.py`).

#![allow(clippy::unwrap_used)]

mod damaged;

use std::path::{Path, PathBuf};

use safetensors::SafeTensors;

use super::*;
use crate::cache::{Cache, Precision};
use crate::kernel::{Ancestors, InstructionSet};
use crate::model::{Model, Soft, Span, Workspace};
use crate::text::{Conversation, Message, Part, Role, Template};

const MODELS: [&str; 2] = ["idefics3", "smolvlm"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vision")
}

/// Numbers of a golden file.
struct Golden(Vec<u8>);

impl Golden {
    fn open(name: &str) -> Self {
        Self(std::fs::read(golden().join(name)).unwrap())
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        SafeTensors::deserialize(&self.0).unwrap().tensor(name).unwrap().data().to_vec()
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.bytes(name).as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    fn numbers(&self, name: &str) -> Vec<usize> {
        self.bytes(name).as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes) as usize).collect()
    }
}

fn tokenizer(name: &str) -> Tokenizer {
    Tokenizer::open(&golden().join(name).join("tokenizer.json")).unwrap()
}

fn vision(name: &str) -> Vision {
    Vision::of_directory(&golden().join(name), &tokenizer(name)).unwrap().unwrap()
}

fn picture(name: &str) -> Picture {
    Picture::open(&golden().join("pictures").join(name)).unwrap()
}

fn is_near(found: &[f32], wanted: &[f32], what: &str) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let off = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let size = wanted.iter().map(|x| x.abs()).fold(0.0, f32::max);
    println!("{what}: off by {off:e} of {size}");
    assert!(off < 2e-6 * size.max(10.0) && size > 1.0, "{what}: off by {off} of {size}");
}

#[test]
fn a_tower_sees_what_that_of_transformers_sees_by_all_instruction_sets() {
    for (name, set) in MODELS.iter().flat_map(|name| InstructionSet::available().iter().map(move |set| (name, set))) {
        let tower = vision(name).tower.with_instructions(*set);
        let golden = Golden::open(&format!("{name}/golden.safetensors"));
        let Config { patch, hidden, scale, text_hidden, places, .. } = *tower.config();
        let (count, features) = (places * places * hidden, (places / scale).pow(2) * text_hidden);
        let [pixels, embedded, towers, connected] =
            ["pixels", "embeddings", "tower", "features"].map(|part| golden.floats(part));
        for (number, pixels) in pixels.chunks_exact(3 * (places * patch).pow(2)).enumerate() {
            let [height, width] = golden.numbers("sizes").as_chunks::<2>().0[number];
            let grid = Grid { rows: [places, height.div_ceil(patch)], columns: [places, width.div_ceil(patch)] };
            let what = |part: &str| format!("{name} {set:?} tile {number}, {part}");
            let mut values = tower.embed(pixels, grid);
            is_near(&values, &embedded[number * count..][..count], &what("embeddings"));
            tower.read(&mut values, grid);
            is_near(&values, &towers[number * count..][..count], &what("tower"));
            let found = tower.features(pixels, grid);
            is_near(&found, &connected[number * features..][..features], &what("features"));
        }
        let grid = Grid { rows: [2; 2], columns: [5; 2] };
        let mut values = tower.embed(&golden.floats("wide.pixels"), grid);
        tower.read(&mut values, grid);
        is_near(&values, &golden.floats("wide.tower"), &format!("{name} {set:?} wide tile"));
    }
}

#[test]
fn squares_of_neighbours_become_features_row_by_row() {
    let mut tower = vision("idefics3").tower;
    // Features that are what they are made of.
    let size = 4 * tower.config.hidden;
    let identity: Vec<f32> = (0..size * size).map(|at| if at / size == at % size { 1.0 } else { 0.0 }).collect();
    tower.connector = crate::kernel::Dense::new(size, &identity, vec![0.0; size]);
    let grid = Grid { rows: [2; 2], columns: [6; 2] };
    let hidden: Vec<f32> = (0..12).flat_map(|patch| vec![patch as f32; tower.config.hidden]).collect();
    let found = tower.connect(&hidden, grid);
    let found: Vec<f32> = found.chunks_exact(tower.config.hidden).map(|part| part[0]).collect();
    assert_eq!(found, [0.0, 1.0, 6.0, 7.0, 2.0, 3.0, 8.0, 9.0, 4.0, 5.0, 10.0, 11.0]);
}

#[test]
fn pictures_of_any_size_and_kind_are_made_ready_to_the_bit() {
    let golden_tiles = Golden::open("prepared.safetensors");
    for (name, splits) in [("split", true), ("whole", false)] {
        let recipe = Recipe::of_json(&golden().join(format!("{name}.json"))).unwrap();
        assert_eq!((recipe.longest, recipe.side, recipe.splits), (41, 12, splits));
        for file in std::fs::read_dir(golden().join("pictures")).unwrap() {
            let path = file.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            let tiles = recipe.cut(&Picture::open(&path).unwrap());
            let grid = golden_tiles.numbers(&format!("{name}.{stem}.grid"));
            assert_eq!([tiles.rows, tiles.columns], grid[..], "{name} {stem}");
            let levels = golden_tiles.bytes(&format!("{name}.{stem}"));
            let values: Vec<f32> = levels.iter().map(|level| (f32::from(*level) / 255.0 - 0.5) / 0.5).collect();
            let off = tiles.pixels.iter().zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(tiles.pixels.len() == values.len() && off < 1e-6, "{name} {stem}: {off}");
        }
        assert_eq!(recipe.cut(&picture("odd.png")).pixels, golden_tiles.floats(&format!("{name}.values")));
    }
}

#[test]
fn pictures_are_cut_into_as_many_tiles() {
    let recipe = Recipe::of_json(&golden().join("large.json")).unwrap();
    let text = std::fs::read_to_string(golden().join("grids.json")).unwrap();
    for [width, height, rows, columns] in serde_json::from_str::<Vec<[usize; 4]>>(&text).unwrap() {
        let picture = Picture::new(width, height, vec![0; 3 * width * height]).unwrap();
        assert_eq!(recipe.grid(&picture), [rows, columns], "{width} × {height}");
    }
}

#[test]
fn a_prompt_with_an_image_gets_the_tokens_and_logits_of_transformers() {
    for name in MODELS {
        let (directory, golden) = (golden().join(name), Golden::open(&format!("{name}/golden.safetensors")));
        let (tokenizer, vision) = (tokenizer(name), vision(name));
        let template = Template::of_directory(&directory, &tokenizer.named()).unwrap().unwrap();
        let messages = [Message::new(Role::User, vec![Part::Image, Part::from("Is it free?")])];
        let conversation = Conversation { messages: &messages, add_generation_prompt: true, ..Conversation::default() };
        let text = template.render(&conversation).unwrap();

        let tiles = vision.cut(&picture("large.png"));
        let features = vision.look(&tiles);
        let model = Model::of_directory(&directory).unwrap();
        let first = model.config().vocabulary as u32 + 5;
        let placed = Placed { rows: tiles.rows, columns: tiles.columns, first };
        let tokens = vision.expand(&tokenizer, &[&*text], &[placed]).unwrap();
        let wanted = golden.bytes("tokens");
        let wanted: Vec<u32> = wanted.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
        let image = tokenizer.id_of("<image>").unwrap();
        let plain: Vec<u32> = tokens.iter().map(|token| if *token >= first { image } else { *token }).collect();
        assert_eq!(plain, wanted);

        let mut soft = Soft::new(model.config().hidden);
        soft.add(first, features);
        let pages: Vec<u32> = (0..tokens.len().div_ceil(16) as u32).rev().collect();
        let mut cache = Cache::new(model.shape(), Precision::Full, pages.len());
        let span = Span {
            pages: &pages,
            before: 0,
            tokens: &tokens,
            ancestors: Ancestors::All,
            wanted_from: tokens.len() - 12,
        };
        let mut room = Workspace::default();
        let found = model.forward_with(&mut cache, &[span], &soft, &mut room);
        let wanted = golden.floats("logits");
        let off = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        println!("{name}: {} tokens, logits off by {off:e}", tokens.len());
        assert!(found.len() == wanted.len() && off < 1e-4, "{name}: off by {off}");
        assert!(wanted.iter().any(|logit| logit.abs() > 1.0));

        // As many images as places.
        let said = vision.expand(&tokenizer, &[&*text], &[]).unwrap_err().to_string();
        assert_eq!(said, "image: the prompt has places for 1 images, and 0 are given");
        assert!(vision.expand(&tokenizer, &["no image"], &[placed]).is_err());
    }
}

#[test]
fn a_picture_is_named_by_what_is_seen_of_it() {
    let vision = vision("smolvlm");
    let [large, odd] = ["large.png", "odd.png"].map(picture);
    assert_eq!(vision.key(&large), vision.key(&picture("large.png")));
    assert_ne!(vision.key(&large), vision.key(&odd));
    // The same bytes in another shape, and the same picture as one tile.
    let turned = Picture::new(large.height(), large.width(), large.rgb().to_vec()).unwrap();
    assert_ne!(vision.key(&large), vision.key(&turned));
    let whole = vision.clone().whole();
    assert_ne!(vision.key(&large), whole.key(&large));
    assert_eq!((vision.grid(&large), whole.grid(&large)), ([2, 2], [0, 0]));
    assert_eq!(whole.cut(&large).each().count(), 1);
}
