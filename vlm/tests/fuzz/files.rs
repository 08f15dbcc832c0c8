//! Files that are no models: corpora, local notes, lessons, pictures.

use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};
use proptest::prelude::*;
use tandem_vlm::draft::{Corpus, file};
use tandem_vlm::judge::{Judgment, Knowledge};
use tandem_vlm::text::VocabularyId;
use tandem_vlm::train::lesson::kept;
use tandem_vlm::vision::Picture;
use xxhash_rust::xxh3::xxh3_64;

use crate::change::{cases, changed, changed_text, changes, within};

#[test]
fn corpora() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("corpus");
    let mut corpus = Corpus::new(1000);
    for length in 1..9 {
        corpus.add(&[1, 2, 3], &(0..length * 20).map(|token| token * 7 % 500).collect::<Vec<u32>>());
    }
    corpus.save(&path, VocabularyId { size: 500, hash: 77 }).unwrap();
    let whole = std::fs::read(&path).unwrap();
    cases(1, (changes(), any::<bool>()), |(changes, is_sealed)| {
        let mut bytes = changed(&whole, whole.len(), &changes);
        // With a sum that is right again damage comes further.
        if is_sealed && bytes.len() > 8 {
            bytes.truncate(bytes.len() - 8);
            bytes.extend(xxh3_64(&bytes).to_le_bytes());
        }
        std::fs::write(&path, &bytes).unwrap();
        if let Some((_, texts)) = within(20_000 + 64 * bytes.len(), || file::read(&path)) {
            assert!(texts.iter().map(Vec::len).sum::<usize>() <= bytes.len());
        }
    });
}

#[test]
fn local_notes() {
    let text = "# Notes.\n[[note]]\ntext = \"School on the left.\"\nat = [412.0, 1180.5]\nwithin_m = 150.0\n\n[[note]]\n\
        text = \"Cyclists ride against the traffic.\"\nwords = [\"cyclist\", \"bicycle\"]\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.toml");
    cases(1, changes(), |changes| {
        std::fs::write(&path, changed(text.as_bytes(), text.len(), &changes)).unwrap();
        within(200_000, || Knowledge::open(&path));
    });
}

#[test]
fn lessons() {
    let judgment = judgment();
    let text = format!(
        "{{\"world\": 3, \"stamp_ns\": 5000000000, \"map_from_ego\": [1.0, 2.5, 0.1], \
         \"prompt\": {{\"system\": \"You judge.\", \"scene\": \"ego 8.0 m/s\\nseen: nothing\"}}, \"answer\": {judgment}}}\n"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("000003.jsonl");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(kept(directory.path(), 3).unwrap().len(), 1);
    cases(1, changes(), |changes| {
        std::fs::write(&path, changed(text.as_bytes(), text.len(), &changes)).unwrap();
        within(200_000, || kept(directory.path(), 3));
    });
}

#[test]
fn judgments() {
    let text = judgment();
    assert!(Judgment::parse(&text).is_ok());
    cases(1, changes(), |changes| {
        let text = changed_text(&text, &changes);
        if let Some(judgment) = within(200_000, || Judgment::parse(&text)) {
            assert!(Judgment::parse(&judgment.to_text()).is_ok(), "{text}");
        }
    });
}

/// As a model writes it.
fn judgment() -> String {
    r#"{"weather": "clear", "light": "day", "road": "urban", "lane": "2 of 2", "objects": [{"id": 0, "what":
    "stalled car", "why": "blocks the lane", "influence": "pass_left"}, {"box": ["CAM_FRONT", 40, 50, 60, 70], "what":
    "cone", "why": "narrows the lane", "influence": "pass_left"}], "risk": "moderate", "actions": [{"do":
    "go_straight_slowly", "for": "0", "s": 1.0}], "cap_mps": 7.5, "avoid": [{"from_m": 0.0, "to_m": 4.0, "right_m":
    -1.7, "left_m": 1.5}], "waypoints": [[1.0, 0.5]], "say": "The stalled car blocks the lane.", "ttl_s": 3.0}"#
        .replace("\n    ", " ")
}

/// A small picture as a file.
pub fn picture(format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(40, 30, |x, y| Rgb([6 * x as u8, 8 * y as u8, (x * y) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn pictures() {
    let whole = [ImageFormat::Png, ImageFormat::Jpeg].map(picture);
    cases(1, (changes(), any::<bool>(), any::<bool>()), |(changes, is_jpeg, is_sealed)| {
        let whole = &whole[usize::from(is_jpeg)];
        // What stands at the beginning says how large it is.
        let reach = if is_sealed { 64 } else { whole.len() };
        let mut bytes = changed(whole, reach, &changes);
        if is_sealed && !is_jpeg && bytes.len() > 33 {
            let sum = checksum(&bytes[12..29]).to_be_bytes();
            bytes[29..33].copy_from_slice(&sum);
        }
        // The largest picture that is allowed, twice, with four channels of sixteen bits.
        if let Some(picture) = within((1 << 25) * (3 + 8), || Picture::decode(&bytes)) {
            assert_eq!(picture.rgb().len(), 3 * picture.width() * picture.height());
        }
    });
}

/// That of a chunk of a PNG (RFC 2083, section 3.4).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| sum >> 1 ^ if sum & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}
