//! Questions about images: answered as by the engine alone, looked at once, and refused by name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tandem_vlm::engine::{Limits, Sampling};
use tandem_vlm::text::{Conversation, Message, Part, Role};
use tandem_vlm::vision::{Picture, Placed};

use crate::client::post;
use crate::errors::{CHAT, is_failure};
use crate::running::{Speaker, chat};

fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vision/pictures");
    std::fs::read(path.join(name).with_extension("png")).unwrap()
}

fn url(bytes: &[u8]) -> Value {
    json!({ "type": "image_url", "image_url": { "url": format!("data:image/png;base64,{}", STANDARD.encode(bytes)) } })
}

fn asks(parts: Vec<Value>) -> Value {
    let mut body = chat("", 12, Sampling::GREEDY);
    body["messages"][0]["content"] = parts.into();
    body
}

/// What the engine says of pictures without a server.
fn alone(speaker: &Speaker, pictures: &[&str], question: &str) -> String {
    let vision = speaker.vision.as_ref().unwrap();
    let mut engine = speaker.engine(Limits { draft: 0, ..Limits::default() });
    let place = |name: &&str| {
        let picture = Picture::decode(&file(name)).unwrap();
        let [rows, columns] = vision.grid(&picture);
        let features = vision.look(&vision.cut(&picture));
        Placed { rows, columns, first: engine.show_image(vision.key(&picture), features).unwrap() }
    };
    let placed: Vec<Placed> = pictures.iter().map(place).collect();
    let parts: Vec<Part> = vec![Part::Image; pictures.len()].into_iter().chain([Part::from(question)]).collect();
    let messages = [Message::new(Role::User, parts)];
    let conversation = Conversation { messages: &messages, add_generation_prompt: true, ..Conversation::default() };
    let text = speaker.template.render(&conversation).unwrap();
    let prompt = vision.expand(&speaker.tokenizer, &[&*text], &placed).unwrap();
    engine.submit(tandem_vlm::engine::Request { prompt, ..speaker.request_of(12) }).unwrap();
    let mut tokens = Vec::new();
    while !engine.is_idle() {
        tokens.extend(engine.step().into_iter().flat_map(|event| event.tokens));
    }
    speaker.tokenizer.decode(&tokens)
}

#[test]
fn questions_about_images_get_the_answers_of_the_engine_alone_whoever_else_asks() {
    let speaker = Speaker::seeing();
    let server = speaker.serve(Limits::default());
    let asked: [&[&str]; 5] = [&["large"], &["odd"], &["large", "odd"], &["odd", "odd"], &[]];
    let wanted = asked.map(|pictures| alone(&speaker, pictures, "Is it free?"));
    assert!(wanted.iter().enumerate().all(|(number, said)| !wanted[..number].contains(said)), "{wanted:?}");
    std::thread::scope(|scope| {
        for number in 0..20 {
            let (pictures, wanted, address) = (asked[number % 5], &wanted[number % 5], server.address);
            scope.spawn(move || {
                let images = pictures.iter().map(|name| url(&file(name)));
                let question = json!({ "type": "text", "text": "Is it free?" });
                let reply = post(address, CHAT, &asks(images.chain([question]).collect())).json();
                assert_eq!(reply["choices"][0]["message"]["content"], json!(wanted), "{pictures:?}: {reply}");
            });
        }
    });
}

#[test]
fn a_second_question_about_an_image_reads_it_in_the_cache() {
    let server = Speaker::seeing().serve(Limits::default());
    let cached = |question: &str| {
        let reply =
            post(server.address, CHAT, &asks(vec![url(&file("large")), json!({ "type": "text", "text": question })]));
        let usage = &reply.json()["usage"];
        let count = |field: &Value| field.as_u64().unwrap();
        (count(&usage["prompt_tokens_details"]["cached_tokens"]), count(&usage["prompt_tokens"]))
    };
    assert_eq!(cached("Is it free?").0, 0);
    let (cached, prompt) = cached("What is this?");
    // Not in the cache are the question, a letter a token, and a page that it begins on.
    assert!(cached + 40 > prompt, "{cached} of {prompt}");
}

#[test]
fn what_is_said_never_becomes_an_image() {
    let server = Speaker::seeing().serve(Limits::default());
    let mut tokens = Vec::new();
    for said in ["<image>", "<fake_token_around_image><global-img><image>", "<ima"] {
        let split = asks(vec![json!({ "type": "text", "text": said }), json!({ "type": "text", "text": "ge>?" })]);
        let reply = post(server.address, CHAT, &split);
        assert_eq!(reply.status, 200, "{reply:?}");
        tokens.push(reply.json()["usage"]["prompt_tokens"].as_u64().unwrap());
    }
    // A letter a token.
    assert!(tokens[0] > tokens[2] && tokens[1] > tokens[0] + 20, "{tokens:?}");
}

#[test]
fn images_that_cannot_be_seen_are_named() {
    let speaker = Speaker::seeing();
    let server = speaker.serve(Limits::default());
    let place = "messages[0].content[0].image_url";
    let other = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    for (image, part) in [
        (other("https://example.org/a.png"), "data URL"),
        (other("data:image/png;base64,####"), "base64"),
        (url(b"garbage"), "image: "),
        (url(&file("large")[..500]), "image: "),
    ] {
        is_failure(&post(server.address, CHAT, &asks(vec![image])), 400, json!(place), json!(null), &[part]);
    }
    // More than there is room for is not looked at.
    let many = asks(vec![url(&file("large")); 60]);
    is_failure(&post(server.address, CHAT, &many), 400, json!(null), json!("context_length_exceeded"), &["at least"]);
    let small = speaker.serve(Limits { features: 8, ..Limits::default() });
    let reply = post(small.address, CHAT, &asks(vec![url(&file("large"))]));
    is_failure(&reply, 400, json!(null), json!(null), &["features of an image do not fit"]);
    assert_eq!(post(server.address, CHAT, &asks(vec![url(&file("large"))])).status, 200);
}
