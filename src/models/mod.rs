//! `tandem models`: the models that come from elsewhere, named in `models.toml`.

mod fetch;
mod registry;

use clap::Subcommand;

use crate::outcome::Outcome;
use crate::table::table;
use registry::Model;

pub use fetch::pull;
pub use registry::named;

/// List or fetch the models that come from elsewhere.
#[derive(Subcommand)]
pub enum Command {
    /// Say which there are, and which are here.
    List,
    /// Fetch models and check that they are what they should be.
    Pull {
        /// Their names; all without.
        names: Vec<String>,
    },
}

pub fn run(command: &Command) -> anyhow::Result<Outcome> {
    match command {
        Command::List => list(),
        Command::Pull { names } => {
            let models: Vec<Model> = match names.as_slice() {
                [] => registry::all()?,
                names => names.iter().map(|name| named(name)).collect::<anyhow::Result<_>>()?,
            };
            for model in models {
                println!("{}", pull(&model)?.display());
            }
            Ok(Outcome::Done)
        }
    }
}

fn list() -> anyhow::Result<Outcome> {
    let mut models = table(&["model", "licence", "MB", "here", "what it is"], 1);
    for model in registry::all()? {
        let here = if fetch::is_here(&model)? { "yes" } else { "no" };
        let megabytes = format!("{:.1}", model.bytes as f64 / 1e6);
        models.add_row(vec![model.name, model.licence, megabytes, here.to_owned(), model.what]);
    }
    println!("{models}");
    Ok(Outcome::Done)
}
