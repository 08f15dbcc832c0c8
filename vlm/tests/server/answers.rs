//! Answers are those of the engine alone, whole or streamed.

use serde_json::{Value, json};
use tandem_vlm::engine::{Limits, Sampling};

use crate::client::{Reply, get, post};
use crate::running::{Speaker, chat};
use crate::support::model;

/// The text of a streamed chat, its end, and what it took.
pub fn streamed(reply: &Reply) -> (String, Value, Value) {
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.head.contains("content-type: text/event-stream"), "{}", reply.head);
    let mut events = reply.events();
    assert_eq!(events.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).unwrap()).collect();
    let (usage, chunks) = chunks.split_last().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    for chunk in chunks {
        assert_eq!((&chunk["object"], &chunk["id"]), (&json!("chat.completion.chunk"), &usage["id"]));
        assert_eq!(chunk["usage"], Value::Null);
    }
    let (last, others) = chunks.split_last().unwrap();
    assert!(others.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    let text = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    (text, last["choices"][0]["finish_reason"].clone(), usage["usage"].clone())
}

fn whole_streamed_and_alone_are_the_same(speaker: &Speaker, questions: &[&str], most: usize) {
    let server = speaker.serve(Limits::default());
    let sampled = Sampling { temperature: 0.8, top_p: 0.9, top_k: 40, seed: 7 };
    for (question, sampling) in
        questions.iter().flat_map(|question| [(question, Sampling::GREEDY), (question, sampled)])
    {
        let request = speaker.request(question, most, sampling);
        let (prompt, said) = (request.prompt.len(), speaker.alone(request));
        let mut body = chat(question, most, sampling);
        let reply = post(server.address, "/v1/chat/completions", &body);
        assert_eq!(reply.status, 200, "{reply:?}");
        let reply = reply.json();
        let wanted = speaker.tokenizer.decode(&said);
        assert_eq!(reply["choices"][0]["message"]["content"], wanted);
        assert_eq!((&reply["object"], &reply["model"]), (&json!("chat.completion"), &json!("small")));
        let reason = &reply["choices"][0]["finish_reason"];
        assert_eq!(*reason, if said.len() == most { "length" } else { "stop" });
        let usage = &reply["usage"];
        assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(prompt), &json!(said.len())));
        assert_eq!(usage["total_tokens"], prompt + said.len());
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
        let (text, end, usage) = streamed(&post(server.address, "/v1/chat/completions", &body));
        assert_eq!((text, &end), (wanted, reason));
        // The second time the prompt was read, and the answer heard.
        assert_eq!(usage["completion_tokens"], said.len());
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], (prompt - 1) / 16 * 16);
        let (steps, kept) = (&usage["draft"]["steps"], usage["draft"]["kept_tokens"].as_u64().unwrap());
        assert!(kept > 0 && kept <= usage["draft"]["drafted_tokens"].as_u64().unwrap(), "{usage}");
        let a_step = usage["draft"]["tokens_a_step"].as_f64().unwrap();
        assert!((a_step * steps.as_f64().unwrap() - said.len() as f64).abs() < 1e-9, "{usage}");
        assert!(usage["timings"]["prompt_ms"].as_f64().unwrap() > 0.0, "{usage}");
    }
}

#[test]
fn whole_streamed_and_alone_are_the_same_with_the_small_model() {
    whole_streamed_and_alone_are_the_same(&Speaker::small(), &["What is ahead", "a", "Stop or go: NOW!"], 60);
}

#[test]
fn whole_streamed_and_alone_are_the_same_with_smollm2() {
    let Some(file) = model() else { return };
    let questions = ["What should a car do when a ball rolls onto the road?", "Nenne drei Farben. 道路?"];
    whole_streamed_and_alone_are_the_same(&Speaker::of(&file), &questions, 32);
}

#[test]
fn an_answer_has_the_form_that_is_asked_for() {
    let Some(file) = model() else { return };
    let server = Speaker::of(&file).serve(Limits::default());
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["colour", "meaning"],
        "properties": {
            "colour": {"enum": ["red", "yellow", "green"]},
            "meaning": {"type": "string", "pattern": "^[a-z ]{3,30}$"},
        },
    });
    let mut body = chat("What does a traffic light show when cars have to stop?", 60, Sampling::GREEDY);
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "light", "schema": schema}});
    let reply = post(server.address, "/v1/chat/completions", &body).json();
    let said = reply["choices"][0]["message"]["content"].as_str().unwrap();
    let answer: Value = serde_json::from_str(said).unwrap();
    assert!(["red", "yellow", "green"].contains(&answer["colour"].as_str().unwrap()), "{said}");
    assert!((3..=30).contains(&answer["meaning"].as_str().unwrap().len()), "{said}");
    assert_eq!(reply["choices"][0]["finish_reason"], "stop");
    // What the form leaves no choice about is said without asking the model.
    assert!(reply["usage"]["draft"]["forced_tokens"].as_u64().unwrap() > 5, "{}", reply["usage"]);
    body["response_format"] = json!({"type": "grammar", "grammar": "start: \"stop\" | \"go\""});
    let reply = post(server.address, "/v1/chat/completions", &body).json();
    assert!(["stop", "go"].contains(&reply["choices"][0]["message"]["content"].as_str().unwrap()));
}

#[test]
fn completions_go_on_from_text_and_from_tokens() {
    let speaker = Speaker::small();
    let server = speaker.serve(Limits::default());
    let mut request = speaker.request("", 40, Sampling::GREEDY);
    request.prompt = speaker.tokenizer.encode("Once upon a time", tandem_vlm::text::Special::Text);
    let prompt = request.prompt.clone();
    let wanted = speaker.tokenizer.decode(&speaker.alone(request));
    for prompt in [json!("Once upon a time"), json!(prompt)] {
        let mut body = json!({ "model": "small", "prompt": prompt, "max_tokens": 40, "temperature": 0 });
        let reply = post(server.address, "/v1/completions", &body).json();
        assert_eq!((&reply["choices"][0]["text"], &reply["object"]), (&json!(wanted), &json!("text_completion")));
        body["stream"] = true.into();
        let reply = post(server.address, "/v1/completions", &body);
        let chunks = reply.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
        let text: String = chunks.map(|chunk| chunk["choices"][0]["text"].as_str().unwrap().to_owned()).collect();
        assert_eq!(text, wanted);
    }
}

#[test]
fn a_text_that_ends_the_answer_is_found_across_tokens_and_not_sent() {
    let speaker = Speaker::small();
    let server = speaker.serve(Limits::default());
    // The first seed that says something long; a token is a letter.
    let spoken = (0..).find_map(|seed| {
        let sampling = Sampling { temperature: 1.0, seed, ..Sampling::GREEDY };
        let said = speaker.alone(speaker.request("What is ahead", 60, sampling));
        let text = speaker.tokenizer.decode(&said);
        (text.len() > 40).then_some((sampling, said, text))
    });
    let (sampling, said, text) = spoken.unwrap();
    let stop: String = text.chars().skip(20).take(3).collect();
    let at = text.find(&stop).unwrap();
    for _ in 0..2 {
        let mut body = chat("What is ahead", 60, sampling);
        body["stop"] = json!([stop, "does not come"]);
        let reply = post(server.address, "/v1/chat/completions", &body).json();
        let choice = &reply["choices"][0];
        assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!(text[..at]), &json!("stop")));
        let letters = (1..).find(|count| speaker.tokenizer.decode(&said[..*count]).len() == at + 3);
        assert_eq!(reply["usage"]["completion_tokens"], json!(letters));
        body["stream"] = true.into();
        body["stream_options"] = json!({ "include_usage": true });
        let (streamed, end, usage) = streamed(&post(server.address, "/v1/chat/completions", &body));
        assert_eq!((streamed.as_str(), end), (&text[..at], json!("stop")));
        assert_eq!(usage["completion_tokens"], reply["usage"]["completion_tokens"]);
    }
}

#[test]
fn whoever_asks_is_told_of_the_model_and_of_health() {
    let server = Speaker::small().serve(Limits::default());
    let models = get(server.address, "/v1/models").json();
    assert_eq!((&models["data"][0]["id"], &models["data"][0]["max_model_len"]), (&json!("small"), &json!(512)));
    assert_eq!(get(server.address, "/health").json(), json!({ "status": "ok" }));
}
