//! The real logs that tests of every crate look at.

use std::path::PathBuf;

/// The folder of real logs; `None`, with a printed reason, where `TANDEM_DATA` names none. In CI that is a failure.
pub fn data() -> Option<PathBuf> {
    let data = std::env::var_os("TANDEM_DATA").map(PathBuf::from);
    assert!(data.is_some() || std::env::var_os("CI").is_none(), "CI must set TANDEM_DATA, the folder of real logs");
    if data.is_none() {
        eprintln!("skipped: TANDEM_DATA does not name the folder of real logs");
    }
    // Absolute, for tests that run elsewhere.
    data.map(|data| data.canonicalize().unwrap_or(data))
}
