//! Clients that go away, send half, or read late disturb nobody.

use std::io::{BufRead, Read};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tandem_vlm::engine::{Limits, Sampling};

use crate::answers::streamed;
use crate::client::{post, reply, request, sent};
use crate::running::{Speaker, chat};
use crate::support::model;

/// Twenty at once, with and without streams, in three sessions; of every five two hang up.
fn twenty_clients(speaker: &Speaker, limits: Limits, most: usize) {
    let server = speaker.serve(limits);
    let address = server.address;
    let question = |number: usize| format!("Car {} is at {number}{number} and brakes", ["a", "b", "c"][number % 3]);
    thread::scope(|scope| {
        for number in 0..20 {
            scope.spawn(move || {
                let seed = number as u64;
                let sampled = Sampling { temperature: 0.7, top_p: 0.95, top_k: 0, seed };
                let sampling = if number % 4 == 1 { sampled } else { Sampling::GREEDY };
                let mut body = chat(&question(number), most, sampling);
                body["user"] = json!(format!("session {}", number % 3));
                body["priority"] = json!(number % 2);
                body["stream"] = (number % 2 == 0).into();
                body["stream_options"] = json!({ "include_usage": true });
                let bytes = request("POST", "/v1/chat/completions", body.to_string().as_bytes());
                let mut stream = sent(address, &bytes);
                match number % 5 {
                    // Within a stream, or before the answer.
                    2 => stream.read_exact(&mut [0; 300]).unwrap(),
                    4 => thread::sleep(Duration::from_millis(5)),
                    _ => {
                        let said = speaker.alone(speaker.request(&question(number), most, sampling));
                        let wanted = speaker.tokenizer.decode(&said);
                        let reply = reply(&mut stream);
                        let (text, usage) = if number % 2 == 0 {
                            let (text, _, usage) = streamed(&reply);
                            (text, usage)
                        } else {
                            let reply = reply.json();
                            let text = reply["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
                            (text, reply["usage"].clone())
                        };
                        assert_eq!((text, &usage["completion_tokens"]), (wanted, &json!(said.len())), "{number}");
                    }
                }
            });
        }
    });
}

#[test]
fn of_twenty_clients_some_hang_up_and_the_others_get_the_same_tokens() {
    let limits = Limits { running: 6, pages: 60, chunk: 50, ..Limits::default() };
    twenty_clients(&Speaker::small(), limits, 120);
}

#[test]
fn of_twenty_clients_some_hang_up_and_the_others_get_the_same_tokens_with_smollm2() {
    let Some(file) = model() else { return };
    twenty_clients(&Speaker::of(&file), Limits::default(), 12);
}

#[test]
fn whoever_hangs_up_within_a_stream_or_before_the_answer_is_cancelled_at_once() {
    let Some(file) = model() else { return };
    let speaker = Speaker::of(&file);
    let server = speaker.serve(Limits { running: 1, draft: 0, ..Limits::default() });
    for is_streamed in [true, false] {
        let mut body = chat("Write a very long story about roads. Do not stop.", 2000, Sampling::GREEDY);
        // Most stories end of themselves, this one does not.
        body["temperature"] = 2.into();
        body["stream"] = is_streamed.into();
        let bytes = request("POST", "/v1/chat/completions", body.to_string().as_bytes());
        let mut stream = sent(server.address, &bytes);
        if is_streamed {
            assert!(stream.read_line(&mut String::new()).unwrap() > 0);
        } else {
            thread::sleep(Duration::from_millis(500));
        }
        drop(stream);
        let begin = Instant::now();
        let reply = post(server.address, "/v1/chat/completions", &chat("Hi", 2, Sampling::GREEDY)).json();
        let waited = begin.elapsed();
        // Two thousand tokens one by one take more than ten seconds.
        assert!(waited < Duration::from_secs(4), "{waited:?}: {reply}");
    }
}

#[test]
fn half_requests_and_late_readers_keep_nobody_waiting() {
    let speaker = Speaker::small();
    let server = speaker.serve(Limits::default());
    let question = "What is ahead";
    let mut body = chat(question, 450, Sampling::GREEDY);
    body["stream"] = true.into();
    body["stream_options"] = json!({ "include_usage": true });
    let whole = request("POST", "/v1/chat/completions", body.to_string().as_bytes());
    let wanted = speaker.tokenizer.decode(&speaker.alone(speaker.request(question, 450, Sampling::GREEDY)));
    let mut late = sent(server.address, &whole);
    let lingering: Vec<_> = [10, 60, whole.len() - 5].map(|count| sent(server.address, &whole[..count])).into();
    let gone = [1, 40, whole.len() - 1].map(|count| sent(server.address, &whole[..count]));
    gone.iter().for_each(|stream| stream.get_ref().shutdown(Shutdown::Both).unwrap());
    assert_eq!(streamed(&post(server.address, "/v1/chat/completions", &body)).0, wanted);
    assert_eq!(streamed(&reply(&mut late)).0, wanted);
    // The server stops when they have gone.
    drop(lingering);
}

#[test]
fn a_server_that_is_told_to_stop_answers_what_has_come_and_nothing_more() {
    let speaker = Speaker::small();
    let mut server = speaker.serve(Limits::default());
    let mut body = chat("What is ahead", 400, Sampling::GREEDY);
    body["stream"] = true.into();
    body["stream_options"] = json!({ "include_usage": true });
    let mut stream = sent(server.address, &request("POST", "/v1/chat/completions", body.to_string().as_bytes()));
    // It has come once its answer begins.
    assert!(!stream.fill_buf().unwrap().is_empty());
    server.stop();
    let wanted = speaker.tokenizer.decode(&speaker.alone(speaker.request("What is ahead", 400, Sampling::GREEDY)));
    assert_eq!(streamed(&reply(&mut stream)).0, wanted);
    let address = server.address;
    drop(server);
    assert!(std::net::TcpStream::connect(address).is_err());
}
