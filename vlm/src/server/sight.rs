//! Images of requests on their way to the engine: looked at off its thread, and only if it does not keep them.

use std::sync::{Mutex, PoisonError};

use super::service::{Failure, Handle, Shown};
use crate::vision::{Picture, Placed, Vision};

/// Eyes beside an engine.
#[derive(Debug)]
pub struct Sight {
    pub vision: Vision,
    handle: Handle,
    /// The tower takes all of the processor: one looks at a time, and who waits often finds what it looked for.
    looking: Mutex<()>,
}

impl Sight {
    /// Of the model that an engine has.
    pub fn new(vision: Vision, handle: Handle) -> Self {
        Self { vision, handle, looking: Mutex::new(()) }
    }

    /// Shows a picture to the engine, and says where it is in prompts as long as the engine keeps it.
    pub fn show(&self, picture: &Picture) -> Result<(Placed, Shown), Failure> {
        let (key, [rows, columns]) = (self.vision.key(picture), self.vision.grid(picture));
        let placed = |shown: Shown| (Placed { rows, columns, first: shown.first() }, shown);
        if let Some(shown) = self.handle.find_image(key)? {
            return Ok(placed(shown));
        }
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = self.handle.find_image(key)? {
            return Ok(placed(shown));
        }
        let features = self.vision.look(&self.vision.cut(picture));
        Ok(placed(self.handle.show_image(key, features)?))
    }
}
