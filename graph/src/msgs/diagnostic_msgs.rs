//! The health of parts, as `/diagnostics` carries it.

use super::std_msgs::Header;

message! {
    /// A key and its value, both text.
    #[derive(Eq)]
    diagnostic_msgs::KeyValue {
        /// The key.
        key: String,
        /// The value.
        value: String,
    }
}

message! {
    /// The health of one part.
    #[derive(Eq)]
    diagnostic_msgs::DiagnosticStatus {
        /// How bad it is.
        level: u8 as BYTE,
        /// Which part.
        name: String,
        /// What is the matter, for people.
        message: String,
        /// Which hardware, if any.
        hardware_id: String,
        /// Measured values.
        values: Vec<KeyValue>,
    }
    const {
        /// All well.
        OK: u8 as BYTE = 0,
        /// Something to look at.
        WARN: u8 as BYTE = 1,
        /// Something is broken.
        ERROR: u8 as BYTE = 2,
        /// Nothing was heard for too long.
        STALE: u8 as BYTE = 3,
    }
}

message! {
    /// The health of many parts.
    #[derive(Eq)]
    diagnostic_msgs::DiagnosticArray {
        /// When it was looked at.
        header: Header,
        /// One entry a part.
        status: Vec<DiagnosticStatus>,
    }
}
