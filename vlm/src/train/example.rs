//! A lesson in tokens, with some of what is told left out now and then.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::batch::Example;
use super::lesson::Lesson;
use crate::Error;
use crate::eyes::Rows;
use crate::text::{Special, Template, Tokenizer};

/// How likely it is that something is left out, so that a model learns to do without.
const WITHOUT_IMAGES: f64 = 0.25;
const WITHOUT_SEEN: f64 = 0.1;
const WITHOUT_PAST: f64 = 0.3;

/// What of a moment is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// What the eyes see.
    pub images: bool,
    /// What the fast system sees.
    pub seen: bool,
    /// What was judged before.
    pub past: bool,
}

impl Told {
    /// All there is.
    pub const ALL: Self = Self { images: true, seen: true, past: true };

    /// What is told of a lesson this time. What the fast system sees is only left out where there are images.
    pub fn draw(rng: &mut ChaCha8Rng, has_images: bool) -> Self {
        let [images, seen, past] =
            [WITHOUT_IMAGES, WITHOUT_SEEN, WITHOUT_PAST].map(|without| rng.random::<f64>() >= without);
        Self { images, seen: seen || !(images && has_images), past }
    }
}

/// How a model is spoken to.
#[derive(Debug, Clone, Copy)]
pub struct Speech<'a> {
    /// Its tokens.
    pub tokenizer: &'a Tokenizer,
    /// Its conversations.
    pub template: &'a Template,
}

impl Speech<'_> {
    /// The lesson of a number in tokens: all of them in an order of their own, time after time. `rows` says what the eyes
    /// see of one.
    ///
    /// # Errors
    /// As [`Self::example`].
    pub fn nth(
        &self,
        lessons: &[Lesson],
        rows: impl Fn(&Lesson) -> Option<Rows>,
        seed: u64,
        number: u64,
    ) -> Result<Example, Error> {
        let (round, place) = (number / lessons.len() as u64, (number % lessons.len() as u64) as usize);
        let mut order: Vec<usize> = (0..lessons.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9).wrapping_add(round)));
        let lesson = &lessons[order[place]];
        let rows = rows(lesson);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        let told = Told::draw(&mut rng, rows.is_some());
        self.example(lesson, rows, told)
    }

    /// A lesson in tokens; `rows` are what the eyes see of it.
    ///
    /// # Errors
    /// If the template refuses conversations of this kind.
    pub fn example(&self, lesson: &Lesson, rows: Option<Rows>, told: Told) -> Result<Example, Error> {
        let prompt = if told.past { lesson.prompt.clone() } else { lesson.prompt.without_past() };
        let prompt = if told.seen { prompt } else { prompt.without_seen() };
        let rows = rows.filter(|_| told.images);
        let prompt = rows.as_ref().map_or_else(|| prompt.clone(), |rows| prompt.with_sight(rows));
        let first = self.tokenizer.size() as u32;
        let seen: Vec<u32> = (first..).take(rows.as_ref().map_or(0, Rows::count)).collect();
        let mut tokens = prompt.encode(self.tokenizer, self.template, &seen)?;
        let answer = tokens.len();
        tokens.extend(self.tokenizer.encode(&lesson.answer.to_text(), Special::Text));
        tokens.extend(self.tokenizer.ends().iter().find(|end| self.is_turn(**end)));
        Ok(Example { tokens, answer, rows })
    }

    /// Whether a token ends a turn, and not only a text.
    fn is_turn(&self, end: u32) -> bool {
        self.tokenizer.named().eos.and_then(|eos| self.tokenizer.id_of(&eos)) == Some(end)
    }
}
