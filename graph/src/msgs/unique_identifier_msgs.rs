//! Identifiers.

message! {
    /// A universally unique identifier.
    #[derive(Copy, Eq, Hash)]
    unique_identifier_msgs::UUID {
        /// Its bytes.
        uuid: [u8; 16],
    }
}

impl UUID {
    /// The identifier that carries a small number: its first four bytes, little endian; the rest is zero.
    pub fn from_number(number: u32) -> Self {
        let mut uuid = [0; 16];
        uuid[..4].copy_from_slice(&number.to_le_bytes());
        Self { uuid }
    }

    /// The small number that it carries.
    pub fn number(&self) -> u32 {
        let [a, b, c, d, ..] = self.uuid;
        u32::from_le_bytes([a, b, c, d])
    }
}
