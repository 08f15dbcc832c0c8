//! Grammars and chat templates.

use std::path::Path;
use std::sync::Arc;

use tandem_vlm::grammar::Grammars;
use tandem_vlm::judge::Judgment;
use tandem_vlm::text::{Conversation, Message, Named, Role, Template, Tokenizer};

use crate::change::{cases, changed_text, changes, within};

/// A grammar's parser has limits of its own; this is far beyond what they allow.
const MOST: usize = 1 << 28;

fn grammars() -> Grammars {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vision/smolvlm/tokenizer.json");
    Grammars::new(Arc::new(Tokenizer::open(&path).unwrap())).unwrap()
}

#[test]
fn schemas() {
    let (grammars, text) = (grammars(), Judgment::schema().to_string());
    cases(4, changes(), |changes| {
        if let Ok(schema) = serde_json::from_str(&changed_text(&text, &changes)) {
            within(MOST, || grammars.schema(&schema));
        }
    });
}

#[test]
fn grammars_in_lark() {
    let grammars = grammars();
    let text = "start: \"{act:\" (\"stop\" | WORD+ | turn) \",n:\" /[0-9]{1,4}/ \"}\"\nturn: \"turn_\" (\"left\" | \"right\")~1..3\n\
        WORD: /[a-f]*(x|yz)?/\n%ignore /[ \\t]+/\n";
    assert!(grammars.lark(text).is_ok());
    cases(4, changes(), |changes| {
        let text = changed_text(text, &changes);
        within(MOST, || grammars.lark(&text));
    });
}

#[test]
fn templates() {
    let source = "{%- if messages[0]['role'] == 'system' -%}{{ messages[0].content | trim }}{%- endif -%}\n\
        {% set ns = namespace(count=0) %}{% for message in messages %}{% set ns.count = ns.count + 1 %}\
        <|im_start|>{{ message.role | upper }}\n{{ message.content.split('a')[0] ~ bos_token }}<|im_end|>\n{% endfor %}\
        {% for n in range(3) %}{{ n * 1000000 }}{{ 'ab' * 3 }}{% endfor %}{% if add_generation_prompt %}{{ tools | tojson }}{% endif %}";
    let named = Named { bos: Some("<s>".into()), eos: None };
    let messages = [Message::new(Role::System, "Judge."), Message::new(Role::User, "What is ahead?")];
    let conversation =
        Conversation { messages: &messages, tools: Some("[{\"b\": 1}]"), add_generation_prompt: true, unix_s: Some(0) };
    cases(1, changes(), |changes| {
        let source = changed_text(source, &changes);
        let path = Path::new("chat_template.jinja");
        within(MOST, || Template::new(path, &source, &named).and_then(|template| template.render(&conversation)));
    });
}
