//! How a command ends: what is printed for an error, and the exit code.

use std::process::ExitCode;

/// For `--help`.
pub const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 failed, 2 bad input or usage, 3 incomplete (anything lost, late or unfinished)";

/// How a command that did not fail has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// It ran to the end, but what it checked is not so.
    Failed,
    /// Something that was asked for could not be read; said on standard error already.
    BadInput,
    /// Something was lost, late or is unfinished.
    Incomplete,
}

/// Prints an error, if there is one, as one line, and gives the exit code.
pub fn exit_code(outcome: anyhow::Result<Outcome>) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Failed) => ExitCode::from(1),
        Ok(Outcome::BadInput) => ExitCode::from(2),
        Ok(Outcome::Incomplete) => ExitCode::from(3),
        Err(error) => {
            eprintln!("tandem: {error:#}");
            ExitCode::from(if is_bad_input(&error) { 2 } else { 1 })
        }
    }
}

/// Whether what was given is at fault, and not the program or the machine.
fn is_bad_input(error: &anyhow::Error) -> bool {
    error.is::<tandem_datasets::Error>()
        || error.is::<tandem_sim::Error>()
        || error.is::<tandem_perception::Error>()
        || error.is::<tandem_vlm::Error>()
        || error.is::<tandem_vlm::engine::Refused>()
        || error.is::<crate::drive::Usage>()
}
