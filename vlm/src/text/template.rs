//! Chat templates: a conversation becomes the text that a model was taught to go on from.

use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, context};
use serde::Deserialize;

use super::{Conversation, Named, python};
use crate::Error;

/// Steps that a template may take for one conversation, so that a damaged one does not run for ever or fill the memory.
/// A turn takes about a hundred, and every 64 bytes written take one.
const MOST_STEPS: u64 = 2_000_000;

/// The name of the one template of an environment.
const NAME: &str = "chat";

/// A model's chat template, in Jinja, as transformers' `apply_chat_template` renders it.
#[derive(Debug, Clone)]
pub struct Template {
    environment: Environment<'static>,
    path: PathBuf,
}

impl Template {
    /// The template `source` that the file at `path` holds, for a model with these tokens.
    ///
    /// # Errors
    /// [`Error::Model`] with the line that is no Jinja.
    pub fn new(path: &Path, source: &str, named: &Named) -> Result<Self, Error> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| said(path, &error))?);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_formatter(python::write);
        environment.add_filter("tojson", |value: &Value, options: Kwargs| python::to_json(value, &options));
        environment.add_test("sequence", |value: &Value| {
            matches!(value.kind(), ValueKind::String | ValueKind::Seq | ValueKind::Map)
        });
        environment.add_function("raise_exception", |reason: String| -> Result<(), _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
        });
        for (name, token) in [("bos_token", &named.bos), ("eos_token", &named.eos)] {
            if let Some(token) = token {
                environment.add_global(name, token.clone());
            }
        }
        let added = environment.add_template_owned(NAME, without_generation_marks(source));
        added.map_err(|error| said(path, &error))?;
        Ok(Self { environment, path: path.into() })
    }

    /// That of a directory as hubs have them: out of `chat_template.jinja`, `chat_template.json` or
    /// `tokenizer_config.json`, whichever is there first and has one.
    ///
    /// # Errors
    /// If a file cannot be read or is no JSON, and as [`Self::new`].
    pub fn of_directory(directory: &Path, named: &Named) -> Result<Option<Self>, Error> {
        for name in ["chat_template.jinja", "chat_template.json", "tokenizer_config.json"] {
            let path = directory.join(name);
            let text = match std::fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io(&path)(error)),
            };
            let source = if name.ends_with(".jinja") {
                Some(text)
            } else {
                let holder: Holder =
                    serde_json::from_str(&text).map_err(|error| Error::model(&path, error.to_string()))?;
                holder.chat_template
            };
            if let Some(source) = source {
                return Self::new(&path, &source, named).map(Some);
            }
        }
        Ok(None)
    }

    /// The text of a conversation. Whatever is in the messages gets into it as it stands, control tokens written there
    /// too.
    ///
    /// # Errors
    /// [`Error::Model`] with the line where the template refuses the conversation or fails, or if `tools` is not JSON.
    pub fn render(&self, conversation: &Conversation<'_>) -> Result<String, Error> {
        let tools = match conversation.tools {
            None => Value::from(()),
            Some(tools) => serde_json::from_str(tools)
                .map_err(|error| Error::model(&self.path, format!("chat template's tools: {error}")))?,
        };
        let now = conversation
            .unix_s
            .map(|unix_s| Value::from_function(move |format: String| python::format_time(unix_s, &format)));
        let rendered = self.environment.get_template(NAME).and_then(|template| {
            template.render(context! {
                messages => Serde(conversation.messages),
                tools,
                documents => Value::from(()),
                add_generation_prompt => conversation.add_generation_prompt,
                strftime_now => now.unwrap_or(Value::UNDEFINED),
            })
        });
        rendered.map_err(|error| said(&self.path, &error))
    }
}

/// A JSON file that may have a template.
#[derive(Deserialize)]
struct Holder {
    chat_template: Option<String>,
}

/// What went wrong in a template.
fn said(path: &Path, error: &minijinja::Error) -> Error {
    let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.line() {
        Some(line) => Error::model(path, format!("chat template, line {line}: {reason}")),
        None => Error::model(path, format!("chat template: {reason}")),
    }
}

/// Replaces the tags around what the model says, which only training needs and minijinja does not know, with tags that
/// do nothing.
fn without_generation_marks(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, tag)) = rest.split_once("{%") {
        let Some((inside, after)) = tag.split_once("%}") else { break };
        out.push_str(before);
        out.push_str("{%");
        match inside.trim_matches(['-', '+']).trim() {
            "generation" => out.push_str(&inside.replace("generation", "if true")),
            "endgeneration" => out.push_str(&inside.replace("endgeneration", "endif")),
            _ => out.push_str(inside),
        }
        out.push_str("%}");
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Message, Part, Role};

    fn rendered(source: &str, conversation: &Conversation<'_>) -> Result<String, String> {
        let named = Named { bos: Some("<s>".into()), eos: None };
        let template = Template::new(Path::new("a.gguf"), source, &named);
        template.and_then(|template| template.render(conversation)).map_err(|error| error.to_string())
    }

    #[test]
    fn conversation_becomes_text() {
        let source = "{{ bos_token }}{% for message in messages %}\n\
            {{ message['role'] }}: {{ message.content | trim }}{{ eos_token }}\n\n\
            {% endfor %}\n\
            {%- if add_generation_prompt %}assistant:{% endif %}";
        let messages = [Message::new(Role::System, " Be brief. "), Message::new(Role::User, "<b>&</b>")];
        let conversation = Conversation { messages: &messages, add_generation_prompt: true, ..Conversation::default() };
        let expected = "<s>system: Be brief.\n\nuser: <b>&</b>\n\nassistant:";
        assert_eq!(rendered(source, &conversation).as_deref(), Ok(expected));
    }

    #[test]
    fn a_directory_has_its_template_in_one_of_three_files() {
        let directory = tempfile::tempdir().unwrap();
        let rendered = || {
            let template = Template::of_directory(directory.path(), &Named::default());
            template.map(|found| found.map(|found| found.render(&Conversation::default()).unwrap()))
        };
        assert!(matches!(rendered(), Ok(None)));
        for (name, text) in [
            ("tokenizer_config.json", r#"{"chat_template": "third", "eos_token": null}"#),
            ("chat_template.json", r#"{"chat_template": "second"}"#),
            ("chat_template.jinja", "first"),
        ] {
            std::fs::write(directory.path().join(name), text).unwrap();
            assert!(rendered().unwrap().is_some_and(|found| text.contains(&found)), "{name}");
        }
        std::fs::remove_file(directory.path().join("chat_template.jinja")).unwrap();
        std::fs::write(directory.path().join("chat_template.json"), "{").unwrap();
        assert!(rendered().unwrap_err().to_string().contains("chat_template.json: "));
    }

    #[test]
    fn parts_are_told_from_text() {
        let source = "{% for part in messages[0].content %}{% if part.type == 'image' %}<image>{% else %}\
            {{ part.text }}{% endif %}{% endfor %}";
        let messages = [Message::new(Role::User, vec![Part::Image, Part::from("Where?")])];
        let conversation = Conversation { messages: &messages, ..Conversation::default() };
        assert_eq!(rendered(source, &conversation).as_deref(), Ok("<image>Where?"));
        let unseen = "\n{{ messages[0].content }}";
        let error = rendered(unseen, &conversation).unwrap_err();
        assert_eq!(error, "a.gguf: chat template, line 2: a list is written where text belongs");
    }

    #[test]
    fn time_comes_from_the_caller_only() {
        let source = "{{ strftime_now('%d %b %Y') if strftime_now is defined else 'never' }}";
        let dated = Conversation { unix_s: Some(1_709_251_199), ..Conversation::default() };
        assert_eq!(rendered(source, &dated).as_deref(), Ok("29 Feb 2024"));
        assert_eq!(rendered(source, &Conversation::default()).as_deref(), Ok("never"));
    }

    #[test]
    fn tools_keep_their_order() {
        let source = "{{ tools | tojson }} {{ tools | tojson(indent=2) }}";
        let conversation =
            Conversation { tools: Some(r#"[{"z":1,"a":[true,null,"é<"]}]"#), ..Conversation::default() };
        let expected = concat!(
            r#"[{"z": 1, "a": [true, null, "é<"]}] "#,
            "[\n  {\n    \"z\": 1,\n    \"a\": [\n      true,\n      null,\n      \"é<\"\n    ]\n  }\n]"
        );
        assert_eq!(rendered(source, &conversation).as_deref(), Ok(expected));
    }

    #[test]
    fn marks_around_what_the_model_says_do_nothing() {
        let source = "a\n{%- generation %}\nb{%- endgeneration -%}\n c{% if x %}{% endif %}";
        assert_eq!(rendered(source, &Conversation::default()).as_deref(), Ok("abc"));
        assert_eq!(without_generation_marks("{% generation"), "{% generation");
    }

    #[test]
    fn every_error_says_which_template_and_line() {
        let tools = Conversation { tools: Some("[1,"), ..Conversation::default() };
        let none = Conversation::default();
        for (expected, source, conversation) in [
            ("chat template, line 2: roles must alternate", "\n{{ raise_exception('roles must alternate') }}", &none),
            ("chat template, line 3: ", "\n\n{{ messages[0].content.text }}", &none),
            ("chat template, line 2: ", "\n{% if %}", &none),
            ("chat template, line 1: ", "{{ 'x' | nothing }}", &none),
            ("chat template, line 1: ", "{{ 'x'.nothing() }}", &none),
            ("chat template, line 1: tojson: indent", "{{ 1 | tojson(indent=100) }}", &none),
            ("chat template, line 1: tojson: ensure_ascii", "{{ 1 | tojson(ensure_ascii=true) }}", &none),
            ("chat template's tools: ", "", &tools),
        ] {
            let error = rendered(source, conversation).unwrap_err();
            assert!(error.starts_with(&format!("a.gguf: {expected}")), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn template_that_never_ends_is_stopped() {
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
        let deep = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}";
        let large = "{% set x = 'a' * 99999 %}{% for a in range(9999) %}{{ x }}{% endfor %}";
        for source in [endless, deep, large, &"(".repeat(10_000), &format!("{{{{ {}", "(".repeat(10_000))] {
            let result = rendered(source, &Conversation::default());
            assert!(source.starts_with('(') || result.is_err());
        }
    }
}
