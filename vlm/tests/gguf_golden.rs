//! Files and blocks against ggml's own Python package: `gguf_peer.py` wrote `golden/gguf_peer.gguf`.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use tandem_vlm::format::Format;
use tandem_vlm::gguf::{File, List, Value, Writer};

fn golden() -> File {
    File::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/gguf_peer.gguf")).unwrap()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn blocks_are_read_to_the_bit_as_the_peer_reads_them() {
    let file = golden();
    // The peer does not decode whole numbers.
    for format in Format::ALL.into_iter().filter(|format| ![Format::F32, Format::I8].contains(format)) {
        let [stored, decoded] = [format.name(), &format!("{format}.decoded")].map(|name| file.tensor(name).unwrap());
        assert_eq!((stored.format, decoded.format), (format, Format::F32));
        assert_eq!((stored.shape, stored.count()), (decoded.shape, 2048), "{format}");
        assert_eq!(bits(&stored.values()), bits(&decoded.values()), "{format}");
    }
}

#[test]
fn blocks_are_written_to_the_byte_as_the_peer_writes_them() {
    let file = golden();
    let values = file.tensor("values").unwrap();
    assert_eq!(values.shape, [2, 4, 256]);
    for format in Format::ALL.into_iter().filter(|format| *format != Format::F32) {
        let Some(encode) = format.encoder() else { continue };
        let mut bytes = Vec::new();
        encode(&values.values(), &mut bytes);
        for (number, (ours, theirs)) in bytes
            .chunks(format.bytes())
            .zip(file.tensor(format.name()).unwrap().bytes.chunks(format.bytes()))
            .enumerate()
        {
            assert_eq!(ours, theirs, "block {number} of {format}");
        }
    }
}

#[test]
fn metadata_of_every_type_are_as_the_peer_set_them() {
    let file = golden();
    let text = "Ġgrüß 漢字 🚗\n\0";
    assert_eq!(file.text("general.architecture").unwrap(), "peer");
    assert_eq!(file.number::<u32>("general.alignment").unwrap(), 64);
    let expected: [(Value, Value); 12] = [
        (255_u8.into(), vec![0, 255_u8].into()),
        (127_i8.into(), vec![-128, 127_i8].into()),
        (u16::MAX.into(), vec![0, u16::MAX].into()),
        (i16::MAX.into(), vec![i16::MIN, i16::MAX].into()),
        (u32::MAX.into(), vec![0, u32::MAX].into()),
        (i32::MAX.into(), vec![i32::MIN, i32::MAX].into()),
        (u64::MAX.into(), vec![0, u64::MAX].into()),
        (i64::MAX.into(), vec![i64::MIN, i64::MAX].into()),
        ((-3e38_f32).into(), vec![0.1, -3e38_f32].into()),
        ((-1e300_f64).into(), vec![0.1, -1e300_f64].into()),
        (true.into(), vec![false, true].into()),
        (text.into(), vec![String::new(), text.into()].into()),
    ];
    let found: Vec<_> = file.metadata().filter(|(key, _)| key.starts_with("peer.")).map(|(_, value)| value).collect();
    assert_eq!(found, expected.iter().flat_map(|(one, list)| [one, list]).collect::<Vec<_>>());
    assert!(matches!(found[23], Value::List(List::Text(texts)) if texts.len() == 2));
}

#[test]
fn a_file_is_written_to_the_byte_as_the_peer_writes_it() {
    let file = golden();
    let mut writer = Writer::default();
    for (key, value) in file.metadata() {
        writer.set(key, value.clone());
    }
    for name in file.names() {
        let tensor = file.tensor(name).unwrap();
        writer.tensor(name, tensor.shape, tensor.format);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("again.gguf");
    writer
        .write(&path, |name, bytes| {
            bytes.extend(file.tensor(name)?.bytes);
            Ok(())
        })
        .unwrap();
    assert!(std::fs::read(&path).unwrap() == std::fs::read(file.path()).unwrap(), "the files differ");
}
