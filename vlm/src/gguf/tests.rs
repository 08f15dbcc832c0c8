use tempfile::TempDir;

use super::*;

/// Bytes of a file, piece by piece.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn header(version: u32, tensors: u64, pairs: u64) -> Self {
        Self(b"GGUF".to_vec()).u32(version).u64(tensors).u64(pairs)
    }

    fn u32(mut self, number: u32) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(mut self, number: u64) -> Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn text(self, text: &str) -> Self {
        self.u64(text.len() as u64).raw(text.as_bytes())
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    /// A tensor's entry; sides as the file has them, the fastest first.
    fn tensor(self, name: &str, sides: &[u64], kind: u32, offset: u64) -> Self {
        let entry = self.text(name).u32(sides.len() as u32);
        sides.iter().fold(entry, |entry, side| entry.u64(*side)).u32(kind).u64(offset)
    }

    fn padded(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(32), 0);
        self
    }

    /// The file with these bytes, opened.
    fn open(&self) -> Result<File, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("small.gguf");
        std::fs::write(&path, &self.0).unwrap();
        File::open(&path)
    }

    /// Why it can't be opened, without the path that it begins with.
    fn refused(&self) -> String {
        let told = self.open().unwrap_err().to_string();
        assert!(!told.contains('\n'), "{told}");
        told.split_once("small.gguf: ").unwrap().1.to_owned()
    }
}

#[test]
fn a_tensor_has_its_shape_slowest_first_and_its_numbers() {
    for version in [2, 3] {
        let bytes = Bytes::header(version, 2, 0).tensor("a", &[3, 2], 0, 0).tensor("b", &[], 1, 32).padded();
        let numbers: Vec<u8> = (1..=6_u8).flat_map(|number| f32::from(number).to_le_bytes()).collect();
        let file = bytes.raw(&numbers).padded().raw(&[0x00, 0x3c]).open().unwrap();
        assert!(file.names().eq(["a", "b"]));
        let [a, b] = ["a", "b"].map(|name| file.tensor(name).unwrap());
        assert_eq!((a.name, a.shape, a.format, a.bytes), ("a", &[2, 3][..], Format::F32, &numbers[..]));
        assert_eq!(a.values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!((b.shape, b.values()), (&[][..], vec![1.0]));
        let told = file.tensor("c").unwrap_err().to_string();
        assert!(told.ends_with("small.gguf: there is no tensor \"c\""), "{told}");
    }
}

#[test]
fn what_is_no_such_file_is_told() {
    assert_eq!(Bytes::default().refused(), "not a GGUF file");
    assert_eq!(Bytes::default().raw(b"GGML").u32(3).u64(0).u64(0).refused(), "not a GGUF file");
    assert_eq!(Bytes::header(1, 0, 0).refused(), "it is of version 1 of GGUF, and only 2 and 3 are read");
    assert!(Bytes::header(3_u32.swap_bytes(), 0, 0).refused().contains("big-endian"));
    assert!(matches!(File::open(Path::new("/nowhere/at.all")), Err(Error::Io { .. })));
}

#[test]
fn counts_and_lengths_beyond_the_file_are_refused() {
    let refused = Bytes::header(3, 1 << 60, 0).refused();
    assert_eq!(refused, "the name of tensor 0: cut off: 8 bytes are to come at byte 24, and 0 are left");
    let refused = Bytes::header(3, 0, u64::MAX).u64(u64::MAX).refused();
    assert!(refused.starts_with("key 0 of its metadata: cut off: 18446744073709551615 bytes"), "{refused}");
    // Lists of every type and none, of so many items that they would not fit into memory.
    for kind in 0..14 {
        let list = Bytes::header(3, 0, 1).text("list").u32(9).u32(kind);
        let refused = list.u64(1 << 60).raw(&[0; 64]).refused();
        let expected = match kind {
            9 => "lists of lists are not read",
            13 => "there is no type 13",
            _ => "cut off: 1152921504606846976 items are to come at byte 44",
        };
        assert!(refused.starts_with(&format!("\"list\" of its metadata: {expected}")), "{refused}");
    }
}

#[test]
fn metadata_that_are_damaged_are_refused_by_key() {
    let pair = || Bytes::header(3, 0, 1).text("key");
    assert_eq!(pair().u32(13).refused(), "\"key\" of its metadata: there is no type 13");
    assert_eq!(pair().u32(7).raw(&[2]).refused(), "\"key\" of its metadata: the truth value at byte 39 is 2");
    let text = pair().u32(8).u64(1).raw(&[0xff]);
    assert_eq!(text.refused(), "\"key\" of its metadata: the string at byte 39 is no UTF-8");
    let twice = Bytes::header(3, 0, 2).text("key").u32(4).u32(1).text("key").u32(4).u32(1);
    assert_eq!(twice.refused(), "\"key\" is twice in its metadata");
    for alignment in [0, 24, 1 << 31] {
        let refused = Bytes::header(3, 0, 1).text(ALIGNMENT_KEY).u32(4).u32(alignment).refused();
        assert_eq!(refused, "\"general.alignment\" of its metadata is no power of two up to 65536");
    }
}

#[test]
fn tensors_that_are_not_there_are_refused_by_name() {
    let tensor = |sides: &[u64], kind, offset| {
        let file = Bytes::header(3, 1, 0).tensor("a", sides, kind, offset).padded().raw(&[0; 64]);
        file.refused()
    };
    assert!(tensor(&[17], 0, 0).starts_with("tensor \"a\": cut off: it has 68 bytes"));
    assert!(tensor(&[1], 0, 64).contains("cut off"));
    assert!(tensor(&[1], 0, u64::MAX - 31).contains("cut off"));
    assert!(tensor(&[1], 0, 4).contains("no multiple of 32"));
    assert!(tensor(&[31], 8, 0).contains("rows of 31 are no whole blocks of Q8_0"));
    assert!(tensor(&[8, 8], 8, 0).contains("rows of 8 are no whole blocks"));
    assert!(tensor(&[1; 5], 0, 0).contains("has 5 sides"));
    assert!(tensor(&[1, 0], 0, 0).contains("one of its sides is 0 long"));
    assert!(tensor(&[1 << 40, 1 << 40], 0, 0).contains("larger than memory"));
    assert!(tensor(&[1 << 62], 0, 0).contains("larger than memory"));
    let twice = Bytes::header(3, 2, 0).tensor("a", &[1], 0, 0).tensor("a", &[1], 0, 0).padded().raw(&[0; 64]);
    assert_eq!(twice.refused(), "there are two tensors \"a\"");
}

#[test]
fn a_tensor_of_a_format_that_is_not_known_is_refused_once_it_is_asked_for() {
    let file = Bytes::header(3, 2, 0).tensor("odd", &[256], 13, 0).tensor("a", &[1], 0, 0).padded().raw(&[0; 4]);
    let file = file.open().unwrap();
    assert!(file.names().eq(["odd", "a"]));
    assert_eq!(file.tensor("a").unwrap().values(), [0.0]);
    let told = file.tensor("odd").unwrap_err().to_string();
    assert!(told.ends_with("small.gguf: tensor \"odd\" is of ggml's type 13, which is not read here"), "{told}");
}

/// A writer's file with one tensor of three values, and where it was written.
fn written(writer: &Writer) -> (TempDir, Result<File, Error>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("written.gguf");
    let result = writer.write(&path, |_, bytes| {
        bytes.extend([0; 12]);
        Ok(())
    });
    (directory, result.and_then(|()| File::open(&path)))
}

#[test]
fn metadata_are_taken_as_what_they_are_and_nothing_else() {
    let mut writer = Writer::default();
    writer.set("count", 300_u32);
    writer.set("count", 70_000_u64);
    writer.set("negative", -1_i8);
    writer.set("rate", 0.5_f32);
    writer.set("precise", 0.1_f64);
    writer.set("name", "Ġgrüß");
    writer.set("flag", true);
    writer.set("kinds", vec![1_i32, 3]);
    writer.set("rates", vec![0.5_f64]);
    writer.set("words", vec![String::new(), "two".into()]);
    writer.set("flags", vec![false, true]);
    writer.set("empty", Vec::<u8>::new());
    let (_directory, file) = written(&writer);
    let file = file.unwrap();
    assert_eq!(file.metadata().len(), 11);
    assert_eq!(file.metadata().next(), Some(("count", &Value::U64(70_000))));

    assert_eq!(file.number::<usize>("count").unwrap(), 70_000);
    assert_eq!(file.number::<i64>("negative").unwrap(), -1);
    assert_eq!((file.number::<f64>("rate").unwrap(), file.number::<f32>("precise").unwrap()), (0.5, 0.1));
    assert_eq!(file.text("name").unwrap(), "Ġgrüß");
    assert!(file.flag("flag").unwrap());
    assert_eq!(file.numbers::<u8>("kinds").unwrap(), [1, 3]);
    assert_eq!(file.numbers::<f32>("rates").unwrap(), [0.5]);
    assert_eq!(file.texts("words").unwrap(), ["", "two"]);
    assert_eq!(file.find::<&[bool]>("flags").unwrap(), Some(&[false, true][..]));
    assert_eq!(file.find::<Vec<u64>>("empty").unwrap(), Some(vec![]));
    assert_eq!(file.find::<u32>("nothing").unwrap(), None);

    let told = |result: Result<(), Error>| result.unwrap_err().to_string().split_once("gguf: ").unwrap().1.to_owned();
    assert_eq!(told(file.text("nothing").map(drop)), "its metadata has no \"nothing\"");
    assert_eq!(told(file.text("count").map(drop)), "\"count\" of its metadata is of type u64, not a string");
    assert_eq!(told(file.number::<u16>("count").map(drop)), "\"count\" of its metadata: 70000 does not fit u16");
    assert_eq!(told(file.find::<u8>("negative").map(drop)), "\"negative\" of its metadata: -1 does not fit u8");
    assert_eq!(
        told(file.number::<u16>("rate").map(drop)),
        "\"rate\" of its metadata is of type f32, not a whole number"
    );
    let words = "\"words\" of its metadata is of type [string; 2], not a list of floating-point numbers";
    assert_eq!(told(file.numbers::<f32>("words").map(drop)), words);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let tensor = |shape: &[usize], format| {
        let mut writer = Writer::default();
        writer.tensor("a", shape, format);
        let (directory, file) = written(&writer);
        let left = std::fs::read_dir(directory.path()).unwrap().count();
        file.map(|file| file.tensor("a").unwrap().shape.to_vec()).map_err(|error| {
            assert_eq!(left, 0);
            error.to_string()
        })
    };
    assert_eq!(tensor(&[3, 1], Format::F32).unwrap(), [3, 1]);
    assert!(tensor(&[2], Format::F32).unwrap_err().contains("was given 12 bytes, and has 8"));
    assert!(tensor(&[3; 5], Format::F32).unwrap_err().contains("more than 4 sides"));
    assert!(tensor(&[3, 0], Format::F32).unwrap_err().contains("one of no length"));
    assert!(tensor(&[3], Format::Q6K).unwrap_err().contains("no whole blocks of Q6_K"));
    assert!(tensor(&[usize::MAX, 4], Format::F32).unwrap_err().contains("larger"));

    let mut writer = Writer::default();
    writer.set(ALIGNMENT_KEY, "wide");
    assert!(written(&writer).1.unwrap_err().to_string().contains("no power of two"));
    writer.set(ALIGNMENT_KEY, 64_u32);
    writer.tensor("a", &[3], Format::F32);
    let (directory, file) = written(&writer);
    drop(file.unwrap());
    // A file that is there stays as it was.
    let path = directory.path().join("written.gguf");
    let stopped = writer.write(&path, |_, _| Err(Error::model(Path::new("source.gguf"), "gone")));
    assert_eq!(stopped.unwrap_err().to_string(), "source.gguf: gone");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    assert!(File::open(&path).is_ok());
}
