//! Files as they were written, and damaged.

use std::fs;

use proptest::prelude::*;

use super::*;

const VOCABULARY: VocabularyId = VocabularyId { size: 1 << 31, hash: 0x0123_4567_89ab_cdef_0011_2233_4455_6677 };

fn written(texts: &[Vec<u32>]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    write(&path, VOCABULARY, texts.iter().map(Vec::as_slice)).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn the_bytes_are_those_that_the_format_says() {
    let bytes = written(&[vec![1, 127, 128, 300], vec![], vec![0x7fff_ffff]]);
    let (checked, sum) = bytes.split_at(bytes.len() - 8);
    let mut wanted = b"tandemdc\x01\0\0\0\0\0\0\x80".to_vec();
    wanted.extend(b"\x77\x66\x55\x44\x33\x22\x11\x00\xef\xcd\xab\x89\x67\x45\x23\x01");
    wanted.extend(b"\x03\0\0\0\0\0\0\0");
    // Four tokens, of which two take two bytes; none; one of 31 bits.
    wanted.extend(b"\x04\x01\x7f\x80\x01\xac\x02\x00\x01\xff\xff\xff\xff\x07");
    assert_eq!(checked, wanted);
    assert_eq!(sum, xxh3_64(&wanted).to_le_bytes());
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written_or_an_error(
        texts in prop::collection::vec(prop::collection::vec(prop_oneof![0_u32..300, 0..VOCABULARY.size], 0..20), 0..9),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..4),
        length in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let whole = written(&texts);
        prop_assert_eq!(decode(&whole), Ok((VOCABULARY, texts.clone())));
        let mut bytes = whole.clone();
        flips.iter().for_each(|(at, bits)| bytes[at.index(whole.len())] ^= bits);
        if let Some(length) = length {
            bytes.truncate(length.index(whole.len()));
        }
        if let Ok(found) = decode(&bytes) {
            prop_assert_eq!(&bytes, &whole);
            prop_assert_eq!(found, (VOCABULARY, texts));
        }
    }

    /// Whoever makes a file can also make its sum.
    #[test]
    fn no_content_with_a_right_sum_is_read_beyond_its_end(content in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut bytes = b"tandemdc\x01\0\0\0".to_vec();
        bytes.extend(&content);
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        if let Ok((vocabulary, texts)) = decode(&bytes) {
            prop_assert!(texts.iter().flatten().all(|token| *token < vocabulary.size));
            prop_assert!(texts.iter().map(|text| text.len() + 1).sum::<usize>() <= content.len());
        }
    }
}

#[test]
fn numbers_that_promise_more_than_is_there_are_refused() {
    for numbers in [[u64::MAX, 1], [1, u64::MAX], [1, 0x00ff_ffff_ff0f]] {
        let mut bytes = b"tandemdc\x01\0\0\0\xff\xff\0\0".to_vec();
        bytes.extend([0; 16]);
        numbers.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        let found = decode(&bytes);
        assert!(found.as_ref().is_err_and(|reason| reason.contains("breaks off")), "{numbers:?}: {found:?}");
    }
}

#[test]
fn what_is_no_corpus_is_said_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    for (bytes, wanted) in [
        (&b""[..], "no draft corpus"),
        (b"GGUF and more", "no draft corpus"),
        (b"tandemdc", "damaged"),
        (b"tandemdc\x01\0\0\0", "damaged"),
        (b"tandemdc\x02\0\0\0", "version 2"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.starts_with(&*path.to_string_lossy()) && error.contains(wanted), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // A directory with something in it can't be replaced.
    let path = folder.path().join("corpus");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("something"), "").unwrap();
    assert!(write(&path, VOCABULARY, std::iter::empty()).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(write(&folder.path().join("none/corpus"), VOCABULARY, std::iter::empty()).is_err());
}
