//! What is sent to the server: whatever it is, the reply is an answer or says what is wrong, and the server goes on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::ImageFormat;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use tandem_vlm::engine::Limits;

use crate::change::{cases, changed, changes};
use crate::files::picture;
use crate::http::{Reply, get, reply, request, sent};
use crate::running::Speaker;

#[test]
fn bodies() {
    let server = Speaker::seeing().serve(Limits::default());
    let image = format!("data:image/png;base64,{}", STANDARD.encode(picture(ImageFormat::Png)));
    let asked = |content: serde_json::Value| json!([{ "role": "system", "content": "a" }, { "role": "user", "content": content }]);
    let bodies = [
        (
            "/v1/chat/completions",
            json!({
                "messages": asked(json!("What is ahead?")), "max_tokens": 3, "temperature": 0.7, "top_p": 0.9, "top_k": 5,
                "seed": 4, "stop": ["x", "yz"], "stream": true, "stream_options": { "include_usage": true }, "user": "me",
                "priority": 2, "n": 1,
            }),
        ),
        (
            "/v1/chat/completions",
            json!({
                "messages": asked(json!([
                    { "type": "text", "text": "What is" },
                    { "type": "image_url", "image_url": { "url": image } },
                    { "type": "text", "text": "this?" },
                ])),
                "max_completion_tokens": 3, "session": "s",
            }),
        ),
        (
            "/v1/chat/completions",
            json!({
                "messages": asked(json!("b")), "max_tokens": 3, "response_format": { "type": "json_schema", "json_schema": {
                    "name": "n", "schema": { "type": "object", "properties": { "a": { "enum": ["x", 3] } }, "required": ["a"] },
                }},
            }),
        ),
        (
            "/v1/completions",
            json!({
                "prompt": "A road", "max_tokens": 3,
                "response_format": { "type": "grammar", "grammar": "start: (\"a\" | /[b-d]+/){1,3}" },
            }),
        ),
        ("/v1/completions", json!({ "prompt": [5, 6, 7], "max_tokens": 3, "temperature": 0 })),
    ];
    for (path, body) in &bodies {
        assert_eq!(answered(&server.address, path, body.to_string().as_bytes()).status, 200);
    }
    cases(2, (any::<Index>(), changes()), |(which, changes)| {
        let (path, body) = &bodies[which.index(bodies.len())];
        let body = body.to_string();
        let reply = answered(&server.address, path, &changed(body.as_bytes(), body.len(), &changes));
        match reply.status {
            200 => (),
            400 | 404 => {
                let error = &reply.json()["error"]["message"];
                let line = error.as_str().unwrap();
                assert!(!line.is_empty() && !line.contains('\n') && line.len() < 500, "{line:?}");
            }
            _ => panic!("{reply:?}"),
        }
    });
    assert_eq!(get(server.address, "/health").status, 200);
}

fn answered(address: &std::net::SocketAddr, path: &str, body: &[u8]) -> Reply {
    reply(&mut sent(*address, &request("POST", path, body)))
}

#[test]
fn anything_that_is_no_http() {
    let server = Speaker::small().serve(Limits::default());
    let whole = request("POST", "/v1/completions", b"{\"prompt\": \"a\", \"max_tokens\": 1}");
    cases(4, changes(), |changes| {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        // The server may hang up before it has taken all of it.
        let _ = stream.write_all(&changed(&whole, whole.len(), &changes));
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(said.is_empty() || said.starts_with(b"HTTP/1."), "{said:?}");
    });
    assert_eq!(get(server.address, "/health").status, 200);
}
