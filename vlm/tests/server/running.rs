//! Models that run behind a server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};
use tandem_vlm::draft::Signs;
use tandem_vlm::engine::{Curve, Engine, Limits, Request, Sampling};
use tandem_vlm::gguf;
use tandem_vlm::model::Model;
use tandem_vlm::server::{Served, Service, serve};
use tandem_vlm::text::{Conversation, Message, Role, Special, Template, Tokenizer, Vocabulary};
use tandem_vlm::vision::Vision;
use tokio::sync::oneshot;

/// A model with what it needs to speak.
#[derive(Clone)]
pub struct Speaker {
    pub model: Model,
    pub tokenizer: Arc<Tokenizer>,
    pub template: Template,
    pub vision: Option<Vision>,
}

/// A server that is stopped when it is dropped.
pub struct Server {
    pub address: SocketAddr,
    pub service: Option<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Speaker {
    /// The small random model, which speaks letter by letter.
    pub fn small() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/llama");
        let controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map(str::to_owned);
        let letters = ('a'..='z').chain('A'..='Z').chain("ĠĊ.,:!".chars()).map(String::from);
        let vocabulary = Vocabulary {
            kind: "gpt2".into(),
            pre: "gpt-2".into(),
            tokens: controls.into_iter().chain(letters).collect(),
            types: (0..61).map(|id| if id < 3 { 3 } else { 1 }).collect(),
            eos: Some(2),
            ..Vocabulary::default()
        };
        let tokenizer = Tokenizer::new(&vocabulary, &path).unwrap();
        let source = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n\
            {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";
        let template = Template::new(&path, source, &tokenizer.named()).unwrap();
        Self { model: Model::of_directory(&path).unwrap(), tokenizer: Arc::new(tokenizer), template, vision: None }
    }

    /// The small random SmolVLM, which sees.
    pub fn seeing() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vision/smolvlm");
        let tokenizer = Tokenizer::open(&path.join("tokenizer.json")).unwrap();
        let template = Template::of_directory(&path, &tokenizer.named()).unwrap().unwrap();
        let vision = Vision::of_directory(&path, &tokenizer).unwrap();
        Self { model: Model::of_directory(&path).unwrap(), tokenizer: Arc::new(tokenizer), template, vision }
    }

    /// The one in a file.
    pub fn of(file: &gguf::File) -> Self {
        let tokenizer = Tokenizer::new(&Vocabulary::of_gguf(file).unwrap(), file.path()).unwrap();
        let source = file.text("tokenizer.chat_template").unwrap();
        let template = Template::new(file.path(), source, &tokenizer.named()).unwrap();
        Self { model: Model::of_gguf(file).unwrap(), tokenizer: Arc::new(tokenizer), template, vision: None }
    }

    pub fn engine(&self, limits: Limits) -> Engine {
        let curve = Curve::new([(1, 1.0), (51, 2.0)]);
        Engine::new(self.model.clone(), Signs::of(&self.tokenizer), curve, limits)
    }

    /// The engine's own request for what [`chat`] asks.
    pub fn request(&self, question: &str, most: usize, sampling: Sampling) -> Request {
        let messages = [Message::new(Role::User, question)];
        let conversation = Conversation { messages: &messages, add_generation_prompt: true, ..Conversation::default() };
        let prompt = self.tokenizer.encode(&self.template.render(&conversation).unwrap(), Special::Markup);
        Request { prompt, sampling, ..self.request_of(most) }
    }

    /// A request for so many tokens, without a prompt.
    pub fn request_of(&self, most: usize) -> Request {
        Request {
            prompt: Vec::new(),
            session: None,
            most,
            sampling: Sampling::GREEDY,
            ends: self.tokenizer.ends().to_vec(),
            grammar: None,
            priority: 0,
        }
    }

    /// What the engine says without a server, without drafts and company.
    pub fn alone(&self, request: Request) -> Vec<u32> {
        let mut engine = self.engine(Limits { draft: 0, ..Limits::default() });
        engine.submit(request).unwrap();
        let mut tokens = Vec::new();
        while !engine.is_idle() {
            tokens.extend(engine.step().into_iter().flat_map(|event| event.tokens));
        }
        tokens
    }

    /// Serves it, on a port that the system chooses.
    pub fn serve(&self, limits: Limits) -> Server {
        let service = Service::start(self.engine(limits)).unwrap();
        let served = Served {
            name: "small".into(),
            tokenizer: Arc::clone(&self.tokenizer),
            template: Some(self.template.clone()),
            vision: self.vision.clone(),
        };
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let handle = service.handle();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, handle, served, async { stopped.await.unwrap() }).await;
            });
        });
        Server { address, service: Some(service), stop: Some(stop), thread: Some(thread) }
    }
}

impl Server {
    /// Tells it to stop once the requests that have come are answered.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        let ended = self.thread.take().unwrap().join();
        assert!(thread::panicking() || ended.is_ok(), "the server has panicked");
    }
}

/// A chat of one question.
pub fn chat(question: &str, most: usize, sampling: Sampling) -> Value {
    json!({
        "messages": [{ "role": "user", "content": question }],
        "max_tokens": most,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
    })
}
