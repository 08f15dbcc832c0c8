//! Recordings read back whole, cut at every byte and with flipped bits.

use std::collections::BTreeMap;
use std::io::Cursor;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::msgs::autoware_perception_msgs::{PredictedObject, PredictedObjects};
use crate::msgs::std_msgs::{self, Header};
use crate::observe::Observer;
use crate::{Message, cdr, topics};

/// A message for the recorder, with its own bytes.
fn recorded<M: Message>(topic: &str, message: &M, publish_ns: i64, sequence: u64) -> Recorded {
    let channel =
        Channel { topic: topic.to_owned(), type_name: M::NAME.to_owned(), definition: M::definition().to_owned() };
    Recorded {
        channel: Arc::new(channel),
        capture: Stamp::from_ns(publish_ns - 7),
        publish: Stamp::from_ns(publish_ns),
        sequence,
        bytes: cdr::encode(message).unwrap(),
    }
}

/// Texts, some of them large enough for chunks of their own, and objects to draw.
fn messages() -> Vec<Recorded> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut messages = Vec::new();
    for number in 0..40_u64 {
        let length = if number % 8 == 7 { 100_000 } else { 20 };
        let data = (0..length).map(|_| char::from(rng.random_range(b'a'..=b'd'))).collect();
        let text = std_msgs::String { data };
        messages.push(recorded("/text", &text, number as i64 * 1000 + 10, number));
        if number % 4 == 0 {
            let header = Header::new(Stamp::from_ns(number as i64 * 1000), "map");
            let objects = PredictedObjects { header, objects: vec![PredictedObject::default(); 2] };
            messages.push(recorded(topics::OBJECTS.name(), &objects, number as i64 * 1000 + 20, number / 4));
        }
    }
    messages
}

fn record(messages: &[Recorded]) -> Vec<u8> {
    let mut recorder = Recorder::new(Cursor::new(Vec::new())).unwrap();
    recorder.metadata("run", BTreeMap::from([("planner".to_owned(), "tandem".to_owned())])).unwrap();
    messages.iter().for_each(|message| recorder.observe(&message.published()));
    recorder.finish().unwrap().into_inner()
}

/// The messages of a file, and what is wrong with it.
fn read_all(file: &[u8]) -> (Vec<Recorded>, Option<Error>) {
    let (mut messages, mut error) = (Vec::new(), None);
    for item in Reader::new(file) {
        assert!(error.is_none(), "something after the error");
        match item {
            Ok(message) => messages.push(message),
            Err(damage) => error = Some(damage),
        }
    }
    (messages, error)
}

/// How many messages lie in chunks that end at or before each byte, by MCAP's own reader.
fn whole_chunks(file: &[u8]) -> Vec<(u64, usize)> {
    let summary = mcap::Summary::read(file).unwrap().unwrap();
    let cdr = |message: &mcap::Message<'_>| message.channel.message_encoding == "cdr";
    let mut messages = 0;
    let mut ends = Vec::new();
    for index in &summary.chunk_indexes {
        let chunk = summary.stream_chunk(file, index).unwrap();
        messages += chunk.filter(|message| cdr(message.as_ref().unwrap())).count();
        ends.push((index.chunk_start_offset + index.chunk_length, messages));
    }
    ends
}

#[test]
fn a_recording_reads_back_equal_and_the_same_run_gives_the_same_bytes() {
    let messages = messages();
    let file = record(&messages);
    let (read, error) = read_all(&file);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, messages);
    for _ in 0..8 {
        assert!(record(&messages) == file, "two recordings of the same messages differ");
    }
    let (mut live, mut of_file) = (Digest::default(), Digest::default());
    messages.iter().for_each(|message| live.observe(&message.published()));
    read.iter().for_each(|message| of_file.observe(&message.published()));
    assert_eq!(live.sha256(), of_file.sha256());
    let mut reader = Reader::new(file.as_slice());
    assert_eq!(reader.by_ref().count(), messages.len());
    assert_eq!(reader.metadata()[0].values["planner"], "tandem");
}

#[test]
fn mcaps_own_reader_finds_the_same_messages() {
    let messages = messages();
    let file = record(&messages);
    let theirs = mcap::MessageStream::new(&file).unwrap().map(|message| message.unwrap());
    let theirs: Vec<_> = theirs.filter(|message| message.channel.message_encoding == "cdr").collect();
    assert_eq!(theirs.len(), messages.len());
    for (theirs, ours) in theirs.iter().zip(&messages) {
        let schema = theirs.channel.schema.as_ref().unwrap();
        assert_eq!((schema.name.as_str(), schema.encoding.as_str()), (ours.channel.type_name.as_str(), "ros2msg"));
        assert_eq!(theirs.channel.topic, ours.channel.topic);
        assert_eq!(theirs.log_time, ours.publish.ns().unsigned_abs());
        assert_eq!(theirs.publish_time, ours.capture.ns().unsigned_abs());
        assert_eq!(*theirs.data, *ours.bytes);
    }
}

#[test]
fn a_file_cut_at_any_byte_yields_every_whole_message_before_and_says_where() {
    let messages = messages();
    let file = record(&messages);
    let ends = whole_chunks(&file);
    assert!(ends.len() > 1, "there is but one chunk");
    // Every byte where chunks meet and around it, and every 499th within compressed data.
    let is_near_an_end = |cut: u64| ends.iter().any(|(end, _)| cut.abs_diff(*end) < 400);
    let cuts = (0..file.len()).filter(|cut| *cut < 400 || cut % 499 == 0 || is_near_an_end(*cut as u64));
    for cut in cuts {
        let (read, error) = read_all(&file[..cut]);
        let whole = ends.iter().rev().find(|(end, _)| *end <= cut as u64).map_or(0, |(_, messages)| *messages);
        assert!(read.len() >= whole, "cut at {cut}: {} of {whole} messages", read.len());
        assert!(read[..] == messages[..read.len()], "cut at {cut}: messages differ");
        assert!(matches!(error, Some(Error::Cut { offset }) if offset == cut as u64), "cut at {cut}: {error:?}");
    }
}

#[test]
fn a_small_file_cut_at_every_byte_yields_a_beginning_of_its_messages() {
    let few: Vec<_> = messages().into_iter().filter(|message| message.bytes.len() < 1000).take(6).collect();
    let file = record(&few);
    let mut most = 0;
    for cut in 0..file.len() {
        let (read, error) = read_all(&file[..cut]);
        assert!(read[..] == few[..read.len()], "cut at {cut}: messages differ");
        assert!(read.len() >= most, "cut at {cut}: fewer messages than of a shorter file");
        assert!(matches!(error, Some(Error::Cut { offset }) if offset == cut as u64), "cut at {cut}: {error:?}");
        most = read.len();
    }
    assert_eq!(most, few.len());
}

#[test]
fn ten_thousand_flipped_bits_are_each_found_out_and_no_message_is_wrong() {
    let messages: Vec<_> = messages().into_iter().filter(|message| message.bytes.len() < 1000).collect();
    let file = record(&messages);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..10_000 {
        let (byte, bit) = (rng.random_range(0..file.len()), rng.random_range(0..8));
        let mut damaged = file.clone();
        damaged[byte] ^= 1 << bit;
        let (read, error) = read_all(&damaged);
        assert!(error.is_some(), "byte {byte} bit {bit}: not found out");
        assert!(read[..] == messages[..read.len()], "byte {byte} bit {bit}: messages differ");
    }
}

#[test]
fn flipped_bits_in_a_later_chunk_cost_no_message_before_it() {
    let messages = messages();
    let file = record(&messages);
    let ends = whole_chunks(&file);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for (end, before) in &ends[..ends.len() - 1] {
        for _ in 0..20 {
            let byte = rng.random_range(*end as usize..file.len());
            let mut damaged = file.clone();
            damaged[byte] ^= 1 << rng.random_range(0..8);
            let (read, error) = read_all(&damaged);
            assert!(error.is_some() && read.len() >= *before, "byte {byte}: {} of {before}, {error:?}", read.len());
        }
    }
}

#[test]
fn a_recorder_that_was_killed_leaves_what_it_had_written() {
    let messages = messages();
    let path = tempfile::tempdir().unwrap().keep().join("killed.mcap");
    let mut recorder = Recorder::create(&path).unwrap();
    messages.iter().for_each(|message| recorder.observe(&message.published()));
    // As SIGKILL does it: nothing is flushed, and the sizes of the chunk begun are not yet known.
    std::mem::forget(recorder);
    let (read, error) = read_all(&std::fs::read(&path).unwrap());
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
    let whole = whole_chunks(&record(&messages))[0].1;
    assert!(read.len() >= whole, "{} messages; {whole} in the first chunk", read.len());
    assert!(read[..] == messages[..read.len()]);
    assert!(matches!(error, Some(Error::Cut { .. })), "{error:?}");
}

/// As others write them: without compression, where a message is whole as soon as its last byte is there.
#[test]
fn a_chunk_that_is_cut_off_yields_each_of_its_messages_that_is_whole() {
    let options = mcap::WriteOptions::new().profile("ros2").compression(None);
    let mut writer = options.create(Cursor::new(Vec::new())).unwrap();
    let schema = writer.add_schema(std_msgs::String::NAME, "ros2msg", std_msgs::String::definition().as_bytes());
    let channel_id = writer.add_channel(schema.unwrap(), "/text", "cdr", &BTreeMap::new()).unwrap();
    let texts = ["Alpha", "Bravo", "Charlie", "Delta"].map(|text| std_msgs::String { data: text.to_owned() });
    for (sequence, text) in (0..).zip(&texts) {
        let header = mcap::records::MessageHeader { channel_id, sequence, log_time: 5, publish_time: 4 };
        writer.write_to_known_channel(&header, &cdr::encode(text).unwrap()).unwrap();
    }
    writer.finish().unwrap();
    let file = writer.into_inner().into_inner();
    // Each text stands in the file once; its terminating zero is the last byte of its message.
    let end = |text: &std_msgs::String| {
        file.windows(text.data.len()).position(|bytes| bytes == text.data.as_bytes()).unwrap() + text.data.len() + 1
    };
    let ends = texts.each_ref().map(end);
    for cut in 0..=file.len() {
        let (read, error) = read_all(&file[..cut]);
        assert_eq!(read.len(), ends.iter().filter(|end| **end <= cut).count(), "cut at {cut}");
        assert_eq!(error.is_none(), cut == file.len());
    }
}

#[test]
fn recordings_of_others_with_lz4_or_no_chunks_are_read() {
    for options in [
        mcap::WriteOptions::new().compression(Some(mcap::Compression::Lz4)),
        mcap::WriteOptions::new().use_chunks(false),
    ] {
        let mut writer = options.create(Cursor::new(Vec::new())).unwrap();
        let messages = messages();
        for message in &messages {
            let Channel { topic, type_name, definition } = message.channel.as_ref();
            let schema_id = writer.add_schema(type_name, "ros2msg", definition.as_bytes()).unwrap();
            let channel_id = writer.add_channel(schema_id, topic, "cdr", &BTreeMap::new()).unwrap();
            let header = mcap::records::MessageHeader {
                channel_id,
                sequence: message.sequence as u32,
                log_time: message.publish.ns().unsigned_abs(),
                publish_time: message.capture.ns().unsigned_abs(),
            };
            writer.write_to_known_channel(&header, &message.bytes).unwrap();
        }
        writer.finish().unwrap();
        let (read, error) = read_all(&writer.into_inner().into_inner());
        assert!(error.is_none(), "{error:?}");
        assert!(read == messages);
    }
}

#[test]
fn a_length_of_exabytes_takes_no_memory() {
    for kind in [0x01, 0x03, 0x06, 0x09, 0x80] {
        let mut file = parse::MAGIC.to_vec();
        file.push(kind);
        file.extend(u64::MAX.to_le_bytes());
        file.extend([0; 100]);
        let (read, error) = read_all(&file);
        assert!(read.is_empty() && matches!(error, Some(Error::Cut { .. })), "{error:?}");
    }
}

#[test]
fn a_chunk_that_unpacks_to_more_than_it_says_is_refused() {
    let bomb = zstd::encode_all([0_u8; 4 << 20].as_slice(), 3).unwrap();
    let mut body = [0; 16].to_vec();
    body.extend(10_u64.to_le_bytes());
    body.extend(0_u32.to_le_bytes());
    body.extend([&4_u32.to_le_bytes()[..], b"zstd"].concat());
    body.extend((bomb.len() as u64).to_le_bytes());
    body.extend(&bomb);
    let mut file = parse::MAGIC.to_vec();
    file.push(parse::op::CHUNK);
    file.extend((body.len() as u64).to_le_bytes());
    file.extend(body);
    assert!(matches!(read_all(&file).1, Some(Error::Damaged { offset: 8, .. })));
}

#[test]
fn numbers_beyond_32_bits_come_back() {
    let text = std_msgs::String::default();
    let numbers = [3, u64::from(u32::MAX), 1 << 32, (1 << 32) + 5, (1 << 32) - 1];
    let messages: Vec<_> = numbers.map(|number| recorded("/text", &text, 10, number)).to_vec();
    let (read, _) = read_all(&record(&messages));
    assert_eq!(read.iter().map(|message| message.sequence).collect::<Vec<_>>(), numbers);
}

#[test]
fn a_stamp_before_the_epoch_is_an_error_that_names_the_topic() {
    let mut recorder = Recorder::new(Cursor::new(Vec::new())).unwrap();
    recorder.observe(&recorded("/text", &std_msgs::String::default(), 3, 0).published());
    assert!(matches!(recorder.finish(), Err(Error::BeforeEpoch { topic }) if topic == "/text"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_all(&bytes);
        let _ = read_all(&[&parse::MAGIC[..], &bytes].concat());
    }

    #[test]
    fn records_of_any_bytes_are_read_or_refused_without_panic(
        records in proptest::collection::vec((0_u8..0x12, proptest::collection::vec(any::<u8>(), 0..80)), 0..8),
    ) {
        let mut file = parse::MAGIC.to_vec();
        for (kind, body) in records {
            file.push(kind);
            file.extend((body.len() as u64).to_le_bytes());
            file.extend(body);
        }
        prop_assert!(read_all(&file).1.is_some());
    }
}
