//! Results that several threads write, each its own.

#![allow(unsafe_code)]

/// Where the results begin.
pub(super) struct Shared(pub *mut f32);

// SAFETY: whoever shares it lets no two threads touch the same number.
unsafe impl Sync for Shared {}
