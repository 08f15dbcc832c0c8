//! Whatever is wrong with a request comes back in OpenAI's form, and the server goes on.

use std::io::BufRead;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tandem_vlm::engine::{Limits, Sampling};

use crate::client::{Reply, get, post, reply, request, sent};
use crate::running::{Speaker, chat};
use crate::support::model;

pub const CHAT: &str = "/v1/chat/completions";

pub fn is_failure(reply: &Reply, status: u16, param: Value, code: Value, parts: &[&str]) {
    let error = &reply.json()["error"];
    assert_eq!((reply.status, &error["param"], &error["code"]), (status, &param, &code), "{reply:?}");
    let message = error["message"].as_str().unwrap();
    assert!(message.lines().count() == 1 && message.len() < 500, "{message}");
    assert!(parts.iter().all(|part| message.contains(part)), "{parts:?}: {message}");
    let kind = match status {
        429 => "rate_limit_error",
        503 => "server_error",
        _ => "invalid_request_error",
    };
    assert_eq!(error["type"], kind);
}

fn raw(address: SocketAddr, path: &str, body: &[u8]) -> Reply {
    reply(&mut sent(address, &request("POST", path, body)))
}

#[test]
fn what_is_wrong_with_a_field_is_said_with_its_name() {
    let server = Speaker::small().serve(Limits::default());
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
    let image =
        |url: &str| json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": url } }] }]);
    let long = "a".repeat(5000);
    let place = "messages[0].content[0].image_url";
    for (field, value, param, code, part) in [
        ("model", json!("gpt-4"), json!("model"), json!("model_not_found"), "gpt-4"),
        ("model", json!(4), json!("model"), json!(null), "string"),
        ("messages", json!([]), json!("messages"), json!(null), "none"),
        ("messages", json!(null), json!("messages"), json!(null), "messages"),
        ("messages", json!([{ "role": "pirate", "content": "a" }]), json!("messages[0].role"), json!(null), "pirate"),
        ("messages", json!([{ "role": "user" }]), json!("messages[0]"), json!(null), "content"),
        ("messages", json!([{ "role": "user", "content": 3 }]), json!("messages[0].content"), json!(null), "string or"),
        (
            "messages",
            json!([{ "role": "user", "content": [{ "type": "input_audio" }] }]),
            json!("messages[0].content[0].type"),
            json!(null),
            "input_audio",
        ),
        ("messages", image(&format!("data:image/png;base64,{png}")), json!(place), json!(null), "no eyes"),
        ("prompt", json!("a"), json!("messages"), json!(null), "no prompt"),
        ("max_tokens", json!(0), json!("max_tokens"), json!(null), "at least one"),
        ("max_tokens", json!(-1), json!("max_tokens"), json!(null), "-1"),
        ("max_tokens", json!(600), json!(null), json!("context_length_exceeded"), "512"),
        ("max_completion_tokens", json!(0), json!("max_completion_tokens"), json!(null), "at least one"),
        ("temperature", json!(-0.1), json!("temperature"), json!(null), "-0.1"),
        ("temperature", json!("hot"), json!("temperature"), json!(null), "hot"),
        ("top_p", json!(1.5), json!("top_p"), json!(null), "1.5"),
        ("stop", json!(""), json!("stop"), json!(null), "1 to"),
        ("stop", json!(vec!["a"; 40]), json!("stop"), json!(null), "16"),
        ("stop", json!([3]), json!("stop[0]"), json!(null), "string"),
        ("user", json!("u".repeat(300)), json!("user"), json!(null), "256"),
        ("n", json!(2), json!("n"), json!("unsupported_parameter"), "n"),
        ("logprobs", json!(true), json!("logprobs"), json!("unsupported_parameter"), "not supported"),
        ("tools", json!([{ "type": "function" }]), json!("tools"), json!("unsupported_parameter"), "not supported"),
        (&long, json!(1), json!(format!("{}...", &long[..400])), json!("unsupported_parameter"), "aaa..."),
        ("guidance", json!("start: \"a\""), json!("guidance"), json!("unsupported_parameter"), "not supported"),
        ("response_format", json!({ "type": "verse" }), json!("response_format.type"), json!(null), "verse"),
        (
            "response_format",
            json!({ "type": "json_schema", "json_schema": { "name": "a", "schema": { "type": "verse" } } }),
            json!("response_format.json_schema.schema"),
            json!(null),
            "grammar",
        ),
        (
            "response_format",
            json!({ "type": "grammar", "grammar": "start: (" }),
            json!("response_format.grammar"),
            json!(null),
            "grammar",
        ),
    ] {
        let mut body = chat("a", 4, Sampling::GREEDY);
        body[field] = value;
        let status = if code == "model_not_found" { 404 } else { 400 };
        is_failure(&post(server.address, CHAT, &body), status, param, code, &[part]);
    }
    // What asks for nothing is no error.
    let mut body = chat("a", 4, Sampling::GREEDY);
    for (field, value) in [("n", json!(1)), ("logprobs", json!(false)), ("tools", json!([])), ("store", json!(true))] {
        body[field] = value;
    }
    body["response_format"] = json!({ "type": "text" });
    body["messages"][0]["tool_calls"] = json!(null);
    assert_eq!(post(server.address, CHAT, &body).status, 200);
}

#[test]
fn what_does_not_fit_or_is_not_known_is_refused_by_name() {
    let server = Speaker::small().serve(Limits { pages: 8, ..Limits::default() });
    let exceeded = json!("context_length_exceeded");
    for length in [130, 2_000_000] {
        let reply = post(server.address, CHAT, &chat(&"a".repeat(length), 4, Sampling::GREEDY));
        is_failure(&reply, 400, json!(null), exceeded.clone(), &["128"]);
    }
    let completion = |prompt: Value| post(server.address, "/v1/completions", &json!({ "prompt": prompt }));
    is_failure(&completion(json!("a".repeat(200))), 400, json!(null), exceeded, &["200", "128"]);
    is_failure(&completion(json!("")), 400, json!(null), json!(null), &["empty"]);
    is_failure(&completion(json!([5, 61])), 400, json!(null), json!(null), &["61"]);
    is_failure(&completion(json!([5, -1])), 400, json!("prompt[1]"), json!(null), &["-1"]);
    is_failure(&completion(json!(null)), 400, json!("prompt"), json!(null), &["prompt"]);
}

#[test]
fn paths_and_methods_that_there_are_not() {
    let server = Speaker::small().serve(Limits::default());
    is_failure(&get(server.address, "/v1/embeddings"), 404, json!(null), json!(null), &["/v1/embeddings"]);
    let reply = get(server.address, CHAT);
    is_failure(&reply, 405, json!(null), json!(null), &[CHAT, "GET"]);
    assert!(reply.head.contains("allow: POST\r\n"), "{}", reply.head);
    is_failure(&raw(server.address, "/v1/models", b""), 405, json!(null), json!(null), &["POST"]);
}

#[test]
fn bodies_that_are_no_json_or_huge_or_no_http() {
    let server = Speaker::small().serve(Limits::default());
    let deep = "[".repeat(100_000);
    for body in [b"".as_slice(), b"{\"messages\"", b"[]", b"{} {}", b"\xff\xfe", deep.as_bytes()] {
        is_failure(&raw(server.address, CHAT, body), 400, json!(null), json!(null), &[]);
    }
    is_failure(&raw(server.address, CHAT, b"{\"messages\": ["), 400, json!("messages"), json!(null), &["EOF"]);
    let invalid = b"{\"messages\": [{\"role\": \"user\", \"content\": \"\xc3\x28\"}]}";
    is_failure(&raw(server.address, CHAT, invalid), 400, json!("messages[0].content"), json!(null), &["unicode"]);
    // A body too large is not waited for.
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n");
    let declared = format!("{head}content-length: 99999999999\r\n\r\n").into_bytes();
    let begun = format!("{head}transfer-encoding: chunked\r\n\r\nfffffff\r\n").into_bytes();
    let begun = [begun, vec![b' '; (16 << 20) + 1]].concat();
    for bytes in [declared, begun] {
        is_failure(&reply(&mut sent(server.address, &bytes)), 413, json!(null), json!(null), &["16 MiB"]);
    }
    let garbage = reply(&mut sent(server.address, b"\x16\x03\x01\x02\x00 garbage\r\n\r\n"));
    assert_eq!(garbage.status, 400);
    assert_eq!(get(server.address, "/health").status, 200);
}

#[test]
fn while_too_many_wait_others_are_told_to_come_again() {
    let server = Speaker::small().serve(Limits { waiting: 0, ..Limits::default() });
    for is_streamed in [false, true] {
        let mut body = chat("a", 4, Sampling::GREEDY);
        body["stream"] = is_streamed.into();
        let reply = post(server.address, CHAT, &body);
        is_failure(&reply, 429, json!(null), json!("rate_limit_exceeded"), &["waiting"]);
        assert!(reply.head.contains("retry-after: 1\r\n"), "{}", reply.head);
    }
}

#[test]
fn a_model_that_has_stopped_is_no_health() {
    let mut server = Speaker::small().serve(Limits::default());
    drop(server.service.take());
    for reply in [get(server.address, "/health"), post(server.address, CHAT, &chat("a", 4, Sampling::GREEDY))] {
        is_failure(&reply, 503, json!(null), json!("stopped"), &["stopped"]);
    }
}

#[test]
fn a_model_that_stops_within_a_stream_says_so_in_it() {
    let Some(file) = model() else { return };
    let mut server = Speaker::of(&file).serve(Limits { draft: 0, ..Limits::default() });
    let mut body = chat("Write a very long story about roads.", 2000, Sampling::GREEDY);
    body["stream"] = true.into();
    let mut stream = sent(server.address, &request("POST", CHAT, body.to_string().as_bytes()));
    assert!(!stream.fill_buf().unwrap().is_empty());
    drop(server.service.take());
    let reply = reply(&mut stream);
    let last: Value = serde_json::from_str(reply.events().last().unwrap()).unwrap();
    assert_eq!((reply.status, &last["error"]["code"]), (200, &json!("stopped")));
}
