//! Local rules and notes in a file that may change while driving: `school on the left after the bridge`.
//!
//! A TOML file of notes. Each holds where it says, everywhere if it says nothing, and where one of its words is in the
//! scene, always if it has none:
//!
//! ```toml
//! [[note]]
//! text = "School on the left after the bridge; children cross on weekday mornings."
//! at = [412.0, 1180.5]     # in the map, m
//! within_m = 150.0
//!
//! [[note]]
//! text = "Cyclists here often ride against the traffic."
//! words = ["cyclist"]
//! ```

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nalgebra::Point2;
use serde::Deserialize;

use super::state::State;
use crate::Error;

/// Notes that a prompt gets at most.
const MOST: usize = 3;

/// No note is longer, characters.
const LONGEST: usize = 300;

/// How far from its place a note holds if it does not say, m.
const WITHIN_M: f64 = 100.0;

/// One note.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// What is to be known.
    pub text: String,
    /// Where, in the map, m; everywhere without.
    #[serde(default)]
    pub at: Option<[f64; 2]>,
    /// How far from there, m.
    #[serde(default)]
    pub within_m: Option<f64>,
    /// It is told where one of these is in the scene's text; always without.
    #[serde(default)]
    pub words: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    note: Vec<Note>,
}

/// The notes of a file.
#[derive(Debug, Clone)]
pub struct Knowledge {
    path: PathBuf,
    changed: Option<SystemTime>,
    notes: Vec<Note>,
}

impl Knowledge {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read, [`Error::Knowledge`] with what is wrong in it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let changed = std::fs::metadata(path).and_then(|file| file.modified()).map_err(Error::io(path))?;
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let wrong = |reason: String| Error::Knowledge { path: path.into(), reason };
        let file: File = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
            wrong(format!("line {line}: {}", error.message().lines().next().unwrap_or_default()))
        })?;
        for (number, note) in (1..).zip(&file.note) {
            if note.text.trim().is_empty() || note.text.chars().count() > LONGEST {
                return Err(wrong(format!("note {number}: the text has to have 1 to {LONGEST} characters")));
            }
            // Markup of a model's conversation would be taken for one's end.
            if note.text.contains(['<', '>', '|']) || note.text.contains(char::is_control) {
                return Err(wrong(format!("note {number}: the text may not have <, >, | or line breaks")));
            }
            let numbers = note.at.into_iter().flatten().chain(note.within_m);
            if numbers.into_iter().any(|number| !number.is_finite()) {
                return Err(wrong(format!("note {number}: at and within_m have to be finite")));
            }
        }
        Ok(Self { path: path.into(), changed: Some(changed), notes: file.note })
    }

    /// Reads the file again if it has changed; whether it had. What it said before holds if it can't be read now.
    ///
    /// # Errors
    /// As for [`Self::open`], once for every change.
    pub fn refresh(&mut self) -> Result<bool, Error> {
        let changed = std::fs::metadata(&self.path).and_then(|file| file.modified()).ok();
        if changed.is_none() || changed == self.changed {
            return Ok(false);
        }
        self.changed = changed;
        self.notes = Self::open(&self.path)?.notes;
        Ok(true)
    }

    /// What is to be known of a scene, the nearest first; `scene` is its text.
    pub fn about(&self, state: &State, scene: &str) -> Vec<&str> {
        let ego = state.map_from_ego.position();
        let mut told: Vec<(f64, &str)> = Vec::new();
        for note in &self.notes {
            let far_m = note.at.map_or(0.0, |[x, y]| (Point2::new(x, y) - ego).norm());
            let is_near = far_m <= note.at.map_or(f64::INFINITY, |_| note.within_m.unwrap_or(WITHIN_M));
            if is_near && (note.words.is_empty() || note.words.iter().any(|word| scene.contains(word.as_str()))) {
                told.push((far_m, note.text.as_str()));
            }
        }
        told.sort_by(|a, b| a.0.total_cmp(&b.0));
        told.into_iter().take(MOST).map(|(_, text)| text).collect()
    }
}
