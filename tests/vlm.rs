//! `tandem vlm` as a user runs it.

mod support;

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
    // The numbers are in the prompt, and the rest was said before.
    assert!(tokens("ours") > 8.0 && tokens("ours") > tokens("prompt lookup, 3-gram"), "{drafts:?}");
    assert_eq!(speeds.len(), 3);
    for speed in speeds {
        assert_eq!(speed["same_as_without"], true);
        assert!(speed["said_tokens_a_second"].as_f64().unwrap() > 0.0);
    }
    let broken = dir.write("broken.jsonl", "{\"prompt\": \"a\"}\n");
    dir.tandem(["vlm", "bench", &broken.to_string_lossy()]).is_bad_input(&["broken.jsonl", "line 1"]);
}
