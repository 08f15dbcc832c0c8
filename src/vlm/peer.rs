//! Another engine that answers the same requests as ours: a program that reads and writes JSON lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A running peer.
pub struct Peer {
    command: String,
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a command of words that spaces separate.
    pub fn start(command: &str) -> anyhow::Result<Self> {
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
        Ok(Self { command: command.to_owned(), child, input, output })
    }

    /// Its answer to a question.
    pub fn ask<A: DeserializeOwned>(&mut self, question: &impl Serialize) -> anyhow::Result<A> {
        let input = self.input.as_mut().context("--peer: there is no input")?;
        let question = serde_json::to_string(question)?;
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
