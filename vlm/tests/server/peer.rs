//! OpenAI's own Python package speaks with the server.
//!
//! Runs where `TANDEM_PYTHON` names a Python with `tests/peers/requirements.txt`.

use std::process::Command;

use serde_json::Value;
use tandem_vlm::engine::{Limits, Sampling};

use crate::running::Speaker;

#[test]
fn openais_package_gets_the_engines_answers_and_its_own_errors() {
    let Some(python) = std::env::var_os("TANDEM_PYTHON") else {
        println!("skipped: TANDEM_PYTHON names no Python with tests/peers/requirements.txt");
        return;
    };
    let speaker = Speaker::small();
    let [server, full] = [256, 0].map(|waiting| speaker.serve(Limits { waiting, ..Limits::default() }));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/server_peer.py");
    let [url, full] = [&server, &full].map(|server| format!("http://{}/v1", server.address));
    let output = Command::new(&python).args([script, &url, &full]).output();
    let output = output.unwrap_or_else(|error| panic!("TANDEM_PYTHON={}: {error}", python.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = speaker.alone(speaker.request("What is ahead?", 40, Sampling::GREEDY));
    let wanted = speaker.tokenizer.decode(&said);
    for way in ["chat", "chat_streamed", "chat_parts"] {
        assert_eq!(found[way], wanted, "{way}");
    }
    assert_eq!(found["usage"], said.len());
    assert_eq!(found["usage_streamed"], said.len());
    assert_eq!(found["steps"], found["steps_of_extra"]);
    assert_eq!(found["completion"], found["completion_streamed"]);
    assert_eq!(found["models"], serde_json::json!(["small"]));
    let errors = ["NotFoundError model", "BadRequestError context_length_exceeded", "BadRequestError temperature"];
    let errors = errors.into_iter().chain(["RateLimitError rate_limit_exceeded", "BadRequestError no eyes"]);
    assert_eq!(found["errors"], errors.collect::<Value>());
}
