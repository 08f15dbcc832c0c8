//! What a perception without fault can know of what is there.

use std::sync::Arc;

use tandem_datasets::messages::Object;
use tandem_datasets::{DetectionClass, Log, Pose2};

use crate::occlusion;

/// Which of the true objects a perception without fault tells of: all of them, or, in a world with a staged corner case,
/// those that the fast system has a class for and of which something shows.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// By track, whether it has a detection class; `None` where all is told.
    has_class: Option<Arc<[bool]>>,
}

impl Known {
    /// What can be known in a world with a staged corner case.
    pub(crate) fn staged(log: &Log) -> Self {
        Self { has_class: Some(log.tracks.iter().map(|track| DetectionClass::of(track).is_some()).collect()) }
    }

    /// The numbers of those of `objects` that are told of to an ego at `map_from_ego`, by their order.
    pub fn of(&self, objects: &[Object], map_from_ego: Pose2) -> Vec<usize> {
        let is_told = |index: &usize| {
            let object = &objects[*index];
            self.has_class.as_ref().is_none_or(|has_class| {
                has_class.get(object.number as usize) == Some(&true)
                    && occlusion::is_seen(map_from_ego, object, objects)
            })
        };
        (0..objects.len()).filter(is_told).collect()
    }
}
