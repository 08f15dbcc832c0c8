//! What can go wrong before a planner can plan.

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The list of lanes, or the driven path, has no usable entry.
    #[error("route: {field} is empty or holds no finite value")]
    Empty {
        /// The field: `lanes` or `path`.
        field: &'static str,
    },
    /// The route names a lane that the map does not have.
    #[error("route: lane number {number} is not in the map")]
    NoSuchLane {
        /// The lane's number.
        number: u32,
    },
}
