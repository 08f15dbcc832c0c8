//! Damaged files: whatever the bytes, opening one gives a file or one line, without panic, and takes no more memory
//! than the file has some times over.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use allocation_counter::measure;
use proptest::prelude::*;
use proptest::sample::Index;
use tandem_vlm::Error;
use tandem_vlm::format::Format;
use tandem_vlm::gguf::{File, Writer};

/// A file with metadata of every type and a tensor of each format.
fn whole() -> Vec<u8> {
    let mut writer = Writer::default();
    writer.set("general.architecture", "llama");
    writer.set("general.alignment", 32_u32);
    writer.set("flag", true);
    writer.set("rate", 0.5_f32);
    writer.set("bytes", vec![1_u8, 2, 3]);
    writer.set("kinds", vec![-1_i64, 1]);
    writer.set("words", ["one", "two", "three"].map(str::to_owned).to_vec());
    writer.set("flags", vec![true, false]);
    for format in Format::ALL {
        writer.tensor(format.name(), &[2, format.block()], format);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("whole.gguf");
    writer
        .write(&path, |name, bytes| {
            let format = Format::ALL.into_iter().find(|format| format.name() == name).unwrap();
            bytes.resize(2 * format.bytes(), 1);
            Ok(())
        })
        .unwrap();
    std::fs::read(&path).unwrap()
}

/// Opens a file of these bytes, and reads all that it says it has.
fn look(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    let mut opened = None;
    let memory = measure(|| opened = Some(File::open(path)));
    assert!(memory.bytes_max < 4096 + 32 * bytes.len() as u64, "{} bytes: {memory:?}", bytes.len());
    match opened.unwrap() {
        Ok(file) => {
            for (key, _) in file.metadata() {
                let _ = (file.find::<&str>(key), file.find::<u8>(key), file.find::<Vec<u8>>(key));
                let _ = (file.find::<f32>(key), file.find::<Vec<f32>>(key), file.find::<&[String]>(key));
            }
            for tensor in file.names().filter_map(|name| file.tensor(name).ok()) {
                assert_eq!(tensor.values().len(), tensor.count());
            }
        }
        Err(Error::Model { reason, .. }) => assert!(!reason.contains('\n'), "{reason}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_file_cut_off_anywhere_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.gguf");
    let whole = whole();
    // The last tensor's numbers end so far before the file's end.
    let padding = whole.iter().rev().take_while(|byte| **byte == 0).count();
    for length in 0..whole.len() {
        look(&path, &whole[..length]);
        assert_eq!(File::open(&path).is_err(), length < whole.len() - padding, "{length}");
    }
}

/// Numbers with which lengths and offsets go wrong.
fn number() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        0..300_u64,
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..64_u32).prop_map(|bit| u64::MAX << bit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_at_random_behind_a_header(version in 2_u32..4, body in proptest::collection::vec(any::<u8>(), 0..300)) {
        let directory = tempfile::tempdir().unwrap();
        look(&directory.path().join("x.gguf"), &[b"GGUF", &version.to_le_bytes()[..], &body].concat());
    }

    /// Small numbers make lengths that fit, and so reach deeper.
    #[test]
    fn small_bytes_behind_a_header(
        counts in [0_u64..4, 0_u64..4],
        body in proptest::collection::vec(prop_oneof![6 => Just(0_u8), 1 => 0_u8..14], 0..800),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let counts = counts.map(u64::to_le_bytes).concat();
        look(&directory.path().join("x.gguf"), &[b"GGUF", &3_u32.to_le_bytes()[..], &counts, &body].concat());
    }

    #[test]
    fn a_file_with_bits_flipped(flips in proptest::collection::vec((any::<Index>(), 0..8_u32), 1..6)) {
        let directory = tempfile::tempdir().unwrap();
        let mut bytes = whole();
        for (place, bit) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        look(&directory.path().join("x.gguf"), &bytes);
    }

    #[test]
    fn a_file_with_another_number_somewhere(place in any::<Index>(), number in number()) {
        let directory = tempfile::tempdir().unwrap();
        let mut bytes = whole();
        let place = place.index(bytes.len() - 8);
        bytes[place..][..8].copy_from_slice(&number.to_le_bytes());
        look(&directory.path().join("x.gguf"), &bytes);
    }
}
