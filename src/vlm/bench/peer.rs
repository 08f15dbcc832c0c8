//! Another engine that answers the same requests in turn with ours: a program that reads and writes JSON lines.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What a peer is asked.
#[derive(Serialize)]
struct Question<'a> {
    model: &'a Path,
    prompt: &'a [u32],
    most: usize,
    ends: &'a [u32],
    lookup: usize,
}

/// What it answered; how long it took until the first token, and from there on.
#[derive(Deserialize)]
pub struct Reply {
    pub said: Vec<u32>,
    pub read_s: f64,
    pub said_s: f64,
}

/// A running peer.
pub struct Peer {
    command: String,
    model: PathBuf,
    /// Tokens a step that it drafts by its own prompt lookup.
    pub lookup: usize,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a command of words that spaces separate, for a model in a file.
    pub fn start(command: &str, model: &Path, lookup: usize) -> anyhow::Result<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().context("--peer: there is no command")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("--peer: {program} can't be started"))?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("--peer: there is no output")?);
        Ok(Self { command: command.to_owned(), model: model.to_owned(), lookup, child, input, output })
    }

    /// Its answer to a prompt.
    pub fn answer(&mut self, prompt: &[u32], most: usize, ends: &[u32]) -> anyhow::Result<Reply> {
        let input = self.input.as_mut().context("--peer: there is no input")?;
        let question = Question { model: &self.model, prompt, most, ends, lookup: self.lookup };
        let question = serde_json::to_string(&question)?;
        let mut line = String::new();
        // A peer that has ended fails to take the question, or leaves no line.
        let asked = writeln!(input, "{question}").and_then(|()| input.flush());
        if asked.is_err() || self.output.read_line(&mut line)? == 0 {
            anyhow::bail!("--peer: {} ended without an answer", self.command);
        }
        serde_json::from_str(&line).with_context(|| format!("--peer: {} said {line:?}", self.command))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its input ends, and so does it.
        self.input = None;
        _ = self.child.wait();
    }
}
