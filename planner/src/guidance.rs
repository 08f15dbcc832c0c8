//! What the planner makes of a scene judgment: only ever more care, or one more proposal.
#[derive(Debug, Clone, Default)]
pub struct Guidance {}
