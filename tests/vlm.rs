//! `tandem vlm` as a user runs it.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use support::Dir;

/// Whether the language model is here; where it is not, says so.
fn has_model() -> bool {
    let directory = std::env::var_os("TANDEM_MODELS").map(std::path::PathBuf::from);
    let is_here = directory.is_some_and(|path| path.join("smollm2-135m-instruct").is_dir());
    if !is_here {
        assert!(std::env::var_os("CI").is_none(), "`tandem models pull` and TANDEM_MODELS are needed in CI");
        eprintln!("skipped: TANDEM_MODELS names no directory with smollm2-135m-instruct");
    }
    is_here
}

#[test]
fn a_file_that_is_no_model_is_named() {
    let dir = Dir::new();
    let broken = dir.write("broken.gguf", b"GGUF\x03\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff");
    for file in [broken.to_string_lossy().into_owned(), "missing.gguf".to_owned()] {
        dir.tandem(["vlm", "ask", "--model", &file, "hello"]).is_bad_input(&[&file]);
    }
}

#[test]
fn a_question_is_answered_twice_alike() {
    if !has_model() {
        return;
    }
    let dir = Dir::new();
    let ask = |most: &str| dir.tandem(["vlm", "ask", "What is a road?", "--most", most]);
    let [first, second] = [ask("24"), ask("24")];
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first:?}");
    assert!(first.stdout.split_whitespace().count() > 8 && first.stdout == second.stdout, "{first:?}");
    ask("100000").is_bad_input(&["100"]);
}

#[test]
fn a_question_about_an_image_is_answered_and_what_is_no_image_is_named() {
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/vlm/tests/golden/vision");
    let model = format!("{golden}/smolvlm");
    let dir = Dir::new();
    let ask = |images: &[&str], more: &[&str]| {
        let images = images.iter().flat_map(|image| ["--image", image]);
        let fixed = ["vlm", "ask", "Is it free?", "--model", &model, "--most", "12"];
        dir.tandem(fixed.into_iter().chain(images).chain(more.iter().copied()))
    };
    let [large, odd] = ["large", "odd"].map(|name| format!("{golden}/pictures/{name}.png"));
    // A random model says nothing of sense, but the same of the same.
    let answers = [
        ask(&[&large], &[]),
        ask(&[&odd], &[]),
        ask(&[&large, &odd], &[]),
        ask(&[&large], &["--whole"]),
        ask(&[], &[]),
    ];
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(answers[..number].iter().all(|other| other.stdout != answer.stdout), "{answers:?}");
    }
    assert_eq!(ask(&[&large], &[]).stdout, answers[0].stdout);

    let broken = dir.write("broken.png", b"\x89PNG\r\n\x1a\n\x00\x00").to_string_lossy().into_owned();
    for file in [broken.as_str(), "missing.jpg"] {
        ask(&[file], &[]).is_bad_input(&[file]);
    }
    dir.tandem(["vlm", "ask", "<image>?", "--model", &model]).is_bad_input(&["places for 1 images, and 0 are given"]);
    if has_model() {
        dir.tandem(["vlm", "ask", "What?", "--image", &large]).is_bad_input(&["--image", "sees no images"]);
    }
}

#[test]
fn bench_says_what_drafts_bring_and_that_they_change_nothing() {
    if !has_model() {
        return;
    }
    let dir = Dir::new();
    let line = |number: usize| {
        let prompt =
            format!("<|im_start|>user\\nv{number} is {number}.{number} m ahead.<|im_end|>\\n<|im_start|>assistant\\n");
        format!("{{\"prompt\": \"{prompt}\", \"answer\": \"The gap is {number}.{number} m and stable.\"}}\n")
    };
    let requests = dir.write("requests.jsonl", (1..9).map(line).collect::<String>());
    let bench = |args: &[&str]| {
        let fixed = ["vlm", "bench", "--budgets", "8,16", "--requests", "2", "--most", "12"].map(str::to_owned);
        let file = requests.to_string_lossy().into_owned();
        dir.tandem(fixed.into_iter().chain([file]).chain(args.iter().map(|arg| (*arg).to_owned())))
    };
    let report = bench(&["--json"]).json();
    let (drafts, speeds) = (report["drafts"].as_array().unwrap(), report["speeds"].as_array().unwrap());
    let tokens = |drafter: &str| {
        let row = drafts.iter().find(|row| row["drafter"] == drafter).unwrap();
        row["tokens_a_step"][1].as_f64().unwrap()
    };
    assert_eq!(drafts[0]["tokens_a_step_at_first"].as_array().unwrap().len(), 2);
    // The numbers are in the prompt, and the rest was said before.
    assert!(tokens("ours") > 8.0 && tokens("ours") > tokens("prompt lookup, 3-gram"), "{drafts:?}");
    assert_eq!(speeds.len(), 3);
    for speed in speeds {
        assert_eq!((&speed["same_answers"], &speed["parted_by"]), (&speed["requests"], &serde_json::Value::Null));
        assert!(
            speed["said_tokens_a_second"].as_f64().unwrap() > 0.0 && speed["times_as_fast"].as_f64().unwrap() > 0.0
        );
    }
    let broken = dir.write("broken.jsonl", "{\"prompt\": \"a\"}\n");
    dir.tandem(["vlm", "bench", &broken.to_string_lossy()]).is_bad_input(&["broken.jsonl", "line 1"]);
}

#[test]
fn what_was_answered_becomes_a_corpus_that_foretells_it() {
    if !has_model() {
        return;
    }
    let dir = Dir::new();
    let ask = |question: &str| {
        format!("{{\"id\": 7, \"messages\": [{{\"role\": \"user\", \"content\": \"{question}\"}}]}}\n")
    };
    let questions = [ask("What is a road?"), ask("Name a colour."), ask("What is a road?")].concat();
    dir.write("questions.jsonl", &questions);
    let answer =
        ["vlm", "answer", "questions.jsonl", "--out", "answers.jsonl", "--most", "20", "--corpus", "heard", "--json"];
    let said = dir.tandem(answer).json();
    assert_eq!(said["answers"], 3);
    let answers = std::fs::read_to_string(dir.path().join("answers.jsonl")).unwrap();
    let answers: Vec<serde_json::Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [first, other, again] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((&first["answer_ids"], &first["id"]), (&again["answer_ids"], &serde_json::json!(7)));
    assert_ne!(first["answer"], other["answer"]);

    // The answer that was given twice is there once; what the command kept itself is the same.
    assert_eq!(dir.tandem(["vlm", "corpus", "build", "built", "answers.jsonl", "--json"]).json()["texts"], 2);
    let merged = dir.tandem(["vlm", "corpus", "merge", "merged", "built", "heard", "--json"]).json();
    assert_eq!(merged["texts"], 2);
    let stats = |file: &str| dir.tandem(["vlm", "corpus", "stats", file, "--json"]).json();
    assert_eq!(stats("merged")["tokens"], stats("built")["tokens"]);
    assert!(stats("built")["memory_bytes_a_token"].as_f64().unwrap() > 4.0);

    let bench = |more: &[&str]| {
        let fixed = ["vlm", "bench", "answers.jsonl", "--requests", "0", "--budgets", "16", "--json"];
        let report = dir.tandem(fixed.iter().chain(more)).json();
        let row = |number: usize| report["drafts"][number]["tokens_a_step_at_first"][0].as_f64().unwrap();
        [row(0), row(1)]
    };
    let (cold, warm) = (bench(&[]), bench(&["--corpus", "built"]));
    assert!(warm.iter().zip(cold).all(|(warm, cold)| *warm > 1.5 * cold), "{cold:?} {warm:?}");
}

#[test]
fn a_corpus_that_is_damaged_or_of_another_vocabulary_is_named() {
    let dir = Dir::new();
    dir.write("damaged", b"tandemdc\x01\0\0\0\0\0\0");
    dir.tandem(["vlm", "corpus", "stats", "damaged"]).is_bad_input(&["damaged", "not all there"]);
    dir.tandem(["vlm", "corpus", "stats", "missing"]).is_bad_input(&["missing"]);
    let corpus = |name: &str, hash: u128| {
        let vocabulary = tandem_vlm::text::VocabularyId { size: 100, hash };
        tandem_vlm::draft::Corpus::new(10).save(&dir.path().join(name), vocabulary).unwrap();
    };
    corpus("one", 1);
    corpus("other", 2);
    dir.tandem(["vlm", "corpus", "merge", "out", "one", "other"]).is_bad_input(&["other", "vocabulary"]);
    assert!(!dir.path().join("out").exists());
    if has_model() {
        dir.tandem(["vlm", "ask", "Hello", "--corpus", "one"]).is_bad_input(&["one", "vocabulary"]);
    }
    dir.write("questions.jsonl", "{\"messages\": [{\"role\": \"user\"}]}\n");
    if has_model() {
        let answer = ["vlm", "answer", "questions.jsonl", "--out", "answers.jsonl"];
        dir.tandem(answer).is_bad_input(&["questions.jsonl", "line 1"]);
    }
}

#[test]
fn check_holds_answers_in_company_against_plain_decoding() {
    if !has_model() {
        return;
    }
    let dir = Dir::new();
    let check = ["vlm", "check", "--requests", "16", "--drafts", "0,16", "--running", "2,8", "--most", "8", "--json"];
    let report = dir.tandem(check);
    assert_eq!(report.code, Some(0), "{report:?}");
    let report = report.json();
    assert_eq!((&report["requests"], &report["differing"]), (&16.into(), &0.into()));
    for row in report["rows"].as_array().unwrap() {
        let count = |name: &str| row[name].as_u64().unwrap();
        assert_eq!(count("answered") + count("cancelled"), 16);
        assert!(count("tokens") > 40 && (count("draft") == 0) == (count("drafted") == 0), "{row}");
    }
}

#[test]
fn judgments_of_worlds_are_recorded_in_their_order_and_measured() {
    if !has_model() {
        return;
    }
    let dir = Dir::new();
    let record = |more: &[&str]| {
        let fixed = ["vlm", "record", "--worlds", "1..3", "--out", "judged.jsonl"];
        assert_eq!(dir.tandem(fixed.into_iter().chain(more.iter().copied())).code, Some(0));
        let text = std::fs::read_to_string(dir.path().join("judged.jsonl")).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| (line["world"].as_u64().unwrap(), line["answer"].clone())).collect::<Vec<_>>()
    };
    let (steady, changing) = (record(&[]), record(&["--change", "3"]));
    let worlds = |lines: &[(u64, serde_json::Value)]| lines.iter().map(|(world, _)| *world).collect::<Vec<_>>();
    assert!(worlds(&steady).is_sorted() && steady.len() > 12, "{steady:?}");
    assert_eq!(worlds(&changing)[..12], [1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2]);
    let of = |lines: &[(u64, serde_json::Value)], world| {
        lines.iter().filter(|line| line.0 == world).cloned().collect::<Vec<_>>()
    };
    assert_eq!((of(&steady, 1), of(&steady, 2)), (of(&changing, 1), of(&changing, 2)));
    let bench = ["vlm", "bench", "judged.jsonl", "--budgets", "8", "--requests", "2", "--most", "40", "--json"];
    let report = dir.tandem(bench).json();
    // A model that has learnt nothing obeys the grammar as well, of which much is said at once.
    let plain = &report["speeds"][0];
    assert!(plain["tokens_a_step"].as_f64().unwrap() > 1.2, "{report}");
    assert_eq!(report["speeds"][1]["same_answers"], report["speeds"][1]["requests"]);
}

#[cfg(unix)]
#[test]
fn a_server_says_where_it_listens_answers_and_ends_when_it_is_told_to() {
    if !has_model() {
        return;
    }
    for signal in ["-INT", "-TERM"] {
        let mut server = Command::new(env!("CARGO_BIN_EXE_tandem"))
            .args(["vlm", "serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("smollm2-135m-instruct listens at http://").unwrap();
        let mut stream = TcpStream::connect(address.strip_suffix("/v1").unwrap()).unwrap();
        let body = r#"{"model": "smollm2-135m-instruct", "prompt": "A road is", "max_tokens": 4}"#;
        let length = body.len();
        write!(
            stream,
            "POST /v1/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 200") && reply.contains("\"completion_tokens\":4"), "{reply}");
        assert!(Command::new("kill").args([signal, &server.id().to_string()]).status().unwrap().success());
        assert_eq!(server.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_quantized_model_foretells_a_text_nearly_as_well_as_the_one_it_was_made_of() {
    if !has_model() {
        return;
    }
    let dir = Dir::new();
    let pulled = dir.tandem(["models", "pull", "smollm2-135m-instruct"]);
    let model = pulled.stdout.trim();
    let text = "A car waits at the crossing until the lights are green, and then it goes on. ".repeat(40);
    let text = dir.write("text.txt", text).to_string_lossy().into_owned();
    let perplexity = |args: &[&str]| {
        let report = dir.tandem(["vlm", "perplexity", &text, "--context", "128", "--json"].iter().chain(args)).json();
        assert_eq!(report["ours"]["scored_tokens"], 4 * 63, "{report}");
        report["ours"]["perplexity"].as_f64().unwrap()
    };
    let quantize = ["vlm", "quantize", model, "--out", "w8a8.gguf", "--to", "w8a8", "--method", "round", "--json"];
    let report = dir.tandem(quantize).json();
    assert!(report["bytes"].as_u64().unwrap() > report["bytes_before"].as_u64().unwrap(), "{report}");
    let (before, after) = (perplexity(&["--windows", "4"]), perplexity(&["--windows", "4", "--model", "w8a8.gguf"]));
    assert!((after / before - 1.0).abs() < 0.1, "{before} {after}");
    let again = ["vlm", "quantize", "w8a8.gguf", "--out", "again.gguf", "--to", "w4a8", "--method", "round"];
    dir.tandem(again).is_bad_input(&["w8a8.gguf", "already, as w8a8"]);
    dir.tandem(["vlm", "perplexity", &text, "--context", "100000"]).is_bad_input(&["text.txt", "window"]);
}
