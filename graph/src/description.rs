//! What a message type is made of, and what follows from that: its `.msg` text and its RIHS01 type hash.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// A message type: its name, fields and constants.
#[derive(Debug)]
pub struct Description {
    /// The ROS name, such as `sensor_msgs/msg/Image`.
    pub name: &'static str,
    /// The fields in order.
    pub fields: &'static [FieldDescription],
    /// The constants in order; they have no part in the type hash.
    pub constants: &'static [ConstantDescription],
}

/// One field of a message type.
#[derive(Debug)]
pub struct FieldDescription {
    /// The name as Rust writes it, `r#type` where ROS has `type`.
    pub rust_name: &'static str,
    /// The type.
    pub kind: FieldType,
}

/// One constant of a message type.
#[derive(Debug)]
pub struct ConstantDescription {
    /// The name.
    pub name: &'static str,
    /// The type.
    pub kind: FieldType,
    /// The value as text.
    pub value: &'static str,
}

/// The type of a field.
#[derive(Debug, Clone, Copy)]
pub struct FieldType {
    /// What it holds.
    pub base: Base,
    /// How many of it.
    pub shape: Shape,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    /// A number, a bool or a string.
    Primitive {
        /// Its name in `.msg` files.
        name: &'static str,
        /// Its number in `type_description_interfaces/msg/FieldType`.
        id: u8,
    },
    /// Another message.
    Message(&'static Description),
}

/// How many values a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// One.
    Single,
    /// So many as said here.
    Array(usize),
    /// Any number.
    Sequence,
}

impl FieldDescription {
    /// The name in ROS.
    pub fn name(&self) -> &'static str {
        self.rust_name.trim_start_matches("r#")
    }
}

impl FieldType {
    /// The type as `.msg` files write it, such as `geometry_msgs/Point[]`.
    fn text(&self) -> String {
        let base = match self.base {
            Base::Primitive { name, .. } => name.to_owned(),
            Base::Message(description) => description.short_name(),
        };
        match self.shape {
            Shape::Single => base,
            Shape::Array(length) => format!("{base}[{length}]"),
            Shape::Sequence => format!("{base}[]"),
        }
    }

    /// The type as the type hash sees it.
    ///
    /// `type_description_interfaces/msg/FieldType` numbers the base types, and adds 48 for an array and 144 for
    /// an unbounded sequence.
    fn hashed(&self) -> String {
        let (id, nested) = match self.base {
            Base::Primitive { id, .. } => (id, ""),
            Base::Message(description) => (1, description.name),
        };
        let (id, capacity) = match self.shape {
            Shape::Single => (id, 0),
            Shape::Array(length) => (id + 48, length),
            Shape::Sequence => (id + 144, 0),
        };
        format!(r#"{{"type_id": {id}, "capacity": {capacity}, "string_capacity": 0, "nested_type_name": "{nested}"}}"#)
    }
}

impl Description {
    /// The name as `.msg` files write it, such as `sensor_msgs/Image`.
    fn short_name(&self) -> String {
        self.name.replacen("/msg/", "/", 1)
    }

    /// The messages that this one is made of, directly or not, by name.
    fn referenced(&self) -> BTreeMap<&'static str, &'static Description> {
        let mut found = BTreeMap::new();
        self.collect(&mut found);
        found
    }

    fn collect(&self, found: &mut BTreeMap<&'static str, &'static Description>) {
        for field in self.fields {
            if let Base::Message(description) = field.kind.base
                && found.insert(description.name, description).is_none()
            {
                description.collect(found);
            }
        }
    }

    /// The `.msg` text with that of all referenced types, as MCAP's `ros2msg` schema encoding wants it
    /// (<https://mcap.dev/spec/registry#ros2msg>). Defaults are left out: readers have no use for them.
    pub fn text(&self) -> String {
        let mut text = self.own_text();
        for description in self.referenced().values() {
            let rule = "=".repeat(80);
            // Writing to a string can't fail.
            let _ = write!(text, "{rule}\nMSG: {}\n{}", description.short_name(), description.own_text());
        }
        text
    }

    fn own_text(&self) -> String {
        let mut text = String::new();
        for ConstantDescription { name, kind, value } in self.constants {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{} {name}={value}", kind.text());
        }
        for field in self.fields {
            let _ = writeln!(text, "{} {}", field.kind.text(), field.name());
        }
        text
    }

    /// The RIHS01 type hash: SHA-256 over the type description as JSON (ROS REP-2016, "ROS Interface Hashing
    /// Standard"; defaults, constants and comments are left out).
    pub fn type_hash(&self) -> String {
        let mut hash = String::from("RIHS01_");
        for byte in Sha256::digest(self.described()) {
            // Writing to a string can't fail.
            let _ = write!(hash, "{byte:02x}");
        }
        hash
    }

    /// The type description, as JSON in the form that is hashed.
    fn described(&self) -> String {
        let referenced: Vec<_> = self.referenced().values().map(|description| description.hashed()).collect();
        format!(
            r#"{{"type_description": {}, "referenced_type_descriptions": [{}]}}"#,
            self.hashed(),
            referenced.join(", ")
        )
    }

    fn hashed(&self) -> String {
        let field =
            |field: &FieldDescription| format!(r#"{{"name": "{}", "type": {}}}"#, field.name(), field.kind.hashed());
        let fields: Vec<_> = self.fields.iter().map(field).collect();
        format!(r#"{{"type_name": "{}", "fields": [{}]}}"#, self.name, fields.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use crate::Message;
    use crate::msgs::{diagnostic_msgs, std_msgs};

    #[test]
    fn the_text_names_each_referenced_type_once() {
        let rule = "=".repeat(80);
        let time = "MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n";
        let expected = format!("builtin_interfaces/Time stamp\nstring frame_id\n{rule}\n{time}");
        assert_eq!(std_msgs::Header::definition(), expected);
        assert!(diagnostic_msgs::DiagnosticArray::definition().contains("\nbyte STALE=3\nbyte level\n"));
    }
}
