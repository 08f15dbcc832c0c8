//! Measures the live link between two processes and prints the reports as JSON, one a line.

use std::process::Command;

use tandem_graph::live::bench::{self, Options};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(done) = bench::child() {
        return Ok(done?);
    }
    let latency = Options::latency();
    let without_shared_memory = Options { shared_memory: false, ..Options::latency() };
    let loss = Options::loss();
    let reliable = Options { reliable: true, ..Options::loss() };
    for options in [latency, without_shared_memory, loss, reliable] {
        let report = bench::run(&options, Command::new(std::env::current_exe()?))?;
        println!("{}", serde_json::json!({ "options": options, "report": report }));
    }
    Ok(())
}
