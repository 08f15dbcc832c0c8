//! How fast a server answers, beside the engine without it.

use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use serde_json::json;
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits, Sampling};

use crate::answers::streamed;
use crate::client::post;
use crate::running::{Speaker, chat};
use crate::support::model;

/// Requests of a measurement.
const REQUESTS: usize = 32;

/// Tokens of an answer, at most.
const MOST: usize = 48;

fn question(number: usize) -> String {
    format!(
        "Vehicle {number} is {} m ahead at {}.{} m/s. What should we do?",
        number * 7 % 90,
        number % 20,
        number % 10
    )
}

#[test]
#[ignore = "measures for a few minutes: cargo test --release -p tandem-vlm --test server -- --ignored --nocapture speed"]
fn speed_of_the_engine_alone_and_behind_the_server() {
    let Some(file) = model() else { return };
    let speaker = Speaker::of(&file);
    let limits = |clients| Limits { running: clients, draft: 0, ..Limits::default() };
    let report = |name: &str, clients: usize, begin: Instant, said: usize| {
        let took = begin.elapsed().as_secs_f64();
        println!(
            "{name}, {clients} at a time: {:.2} requests/s, {:.0} tokens/s",
            REQUESTS as f64 / took,
            said as f64 / took,
        );
    };
    for clients in [1, 4, 16] {
        let curve = Curve::new([(1, 1.0)]);
        let mut engine = Engine::new(speaker.model.clone(), Signs::none(), curve, limits(clients));
        let (begin, mut said) = (Instant::now(), 0);
        for number in 0..REQUESTS {
            engine.submit(speaker.request(&question(number), MOST, Sampling::GREEDY)).unwrap();
        }
        while !engine.is_idle() {
            said += engine.step().iter().map(|event| event.tokens.len()).sum::<usize>();
        }
        report("engine", clients, begin, said);

        for (name, is_streamed) in [("server", false), ("server, streamed", true)] {
            let server = speaker.serve(limits(clients));
            let (left, total) = (Mutex::new(0..REQUESTS), Mutex::new((0, Vec::new())));
            let begin = Instant::now();
            thread::scope(|scope| {
                for _ in 0..clients {
                    scope.spawn(|| {
                        while let Some(number) = { left.lock().unwrap().next() } {
                            let mut body = chat(&question(number), MOST, Sampling::GREEDY);
                            body["stream"] = is_streamed.into();
                            body["stream_options"] = json!({ "include_usage": true });
                            let begin = Instant::now();
                            let reply = post(server.address, "/v1/chat/completions", &body);
                            let usage = if is_streamed { streamed(&reply).2 } else { reply.json()["usage"].clone() };
                            let took = begin.elapsed().as_secs_f64() * 1e3;
                            let times = usage["timings"].as_object().unwrap().values();
                            let in_engine: f64 = times.map(|time| time.as_f64().unwrap()).sum();
                            let (said, beside) = &mut *total.lock().unwrap();
                            *said += usage["completion_tokens"].as_u64().unwrap() as usize;
                            beside.push(took - in_engine);
                        }
                    });
                }
            });
            let (total, mut beside) = total.into_inner().unwrap();
            report(name, clients, begin, total);
            beside.sort_by(f64::total_cmp);
            println!("    {:.1} ms a request beside the engine's time, in the middle", beside[beside.len() / 2]);
            assert_eq!(total, said, "the same answers");
        }
    }
}
