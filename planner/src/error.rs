//! What can go wrong before a planner can plan.

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The list of lanes, or the driven path, has no usable entry.
    #[error("{field} is empty or holds no finite value")]
    Empty {
        /// The field: `lanes`, `path` or `human track`.
        field: &'static str,
    },
    /// The route names a lane that the map does not have.
    #[error("route: lane number {number} is not in the map")]
    NoSuchLane {
        /// The lane's number.
        number: i64,
    },
    /// A primitive of a route message has a type that is none of ours.
    #[error("route: the primitive type {text:?} can't be read")]
    Primitive {
        /// The beginning of the type.
        text: String,
    },
    /// There is no planner of that name.
    #[error("there is no planner {name:?}: tandem, pdm, idm, constant-velocity and human are known")]
    NoSuchPlanner {
        /// The name that was asked for.
        name: String,
    },
}
