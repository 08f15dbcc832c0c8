//! The names and bytes by which ROS 2 nodes on zenoh (`rmw_zenoh`, Jazzy and later) know each other: pure functions.
//!
//! A message travels on a *data key* with an *attachment* beside it; a *liveliness token* tells every ROS node
//! which nodes, publishers and subscriptions exist. Source: ros2/rmw_zenoh, `docs/design.md` and
//! `rmw_zenoh_cpp/src/detail/{liveliness_utils,attachment_helpers,qos}.cpp`.
//!
//! ```
//! use tandem_graph::rmw;
//! let key = rmw::data_key(0, "/ego/odometry", "nav_msgs/msg/Odometry", "RIHS01_00").unwrap();
//! assert_eq!(key, "0/ego/odometry/nav_msgs::msg::dds_::Odometry_/RIHS01_00");
//! ```

mod attachment;
mod qos;
mod token;

pub use attachment::{ATTACHMENT_BYTES, Attachment};
pub use qos::{Durability, History, Qos, Reliability};
pub use token::{Endpoint, Entity, Gid, Kind};

/// Why a name cannot go on the wire, or bytes and strings from it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A type name is not of the form `package/msg/Type`.
    #[error("type {0:?}: not of the form package/msg/Type")]
    TypeName(String),
    /// A topic or node name is empty or holds characters that ROS forbids.
    #[error("name {0:?}: only letters, digits, '_' and '/' between non-empty parts are allowed")]
    Name(String),
    /// A liveliness token has the wrong shape.
    #[error("liveliness token {token:?}: {field} is missing or wrong")]
    Token {
        /// The whole token.
        token: String,
        /// The part that could not be read.
        field: &'static str,
    },
    /// A quality-of-service string has the wrong shape.
    #[error("QoS {qos:?}: {field} is missing or wrong")]
    Qos {
        /// The whole string.
        qos: String,
        /// The part that could not be read.
        field: &'static str,
    },
    /// An attachment has the wrong shape.
    #[error("attachment of {found} bytes: {reason}")]
    Attachment {
        /// How many bytes there were.
        found: usize,
        /// What is wrong with them.
        reason: &'static str,
    },
}

/// The key that a topic's messages travel on: `<domain>/<topic>/<DDS type>/<type hash>`.
///
/// `type_name` is the ROS name (`sensor_msgs/msg/Image`), `type_hash` the RIHS01 hash with its prefix.
pub fn data_key(domain: u32, topic: &str, type_name: &str, type_hash: &str) -> Result<String, Error> {
    check_name(topic)?;
    Ok(format!("{domain}/{}/{}/{type_hash}", topic.trim_matches('/'), dds_type(type_name)?))
}

/// The DDS spelling of a ROS type name: `sensor_msgs/msg/Image` is `sensor_msgs::msg::dds_::Image_`.
pub fn dds_type(type_name: &str) -> Result<String, Error> {
    let wrong = || Error::TypeName(type_name.to_owned());
    let parts: Vec<&str> = type_name.split('/').collect();
    let [package, interface, name] = parts[..] else { return Err(wrong()) };
    if parts.iter().any(|part| !is_word(part)) {
        return Err(wrong());
    }
    Ok(format!("{package}::{interface}::dds_::{name}_"))
}

/// The ROS spelling of a DDS type name, the inverse of [`dds_type`].
pub fn ros_type(dds_type: &str) -> Result<String, Error> {
    let wrong = || Error::TypeName(dds_type.to_owned());
    let parts: Vec<&str> = dds_type.split("::").collect();
    let [package, interface, "dds_", name] = parts[..] else { return Err(wrong()) };
    let name = name.strip_suffix('_').ok_or_else(wrong)?;
    if [package, interface, name].iter().any(|part| !is_word(part)) {
        return Err(wrong());
    }
    Ok(format!("{package}/{interface}/{name}"))
}

/// A topic or node name is words joined by `/`, with or without a leading one.
fn check_name(name: &str) -> Result<(), Error> {
    let words = name.strip_prefix('/').unwrap_or(name);
    if words.split('/').all(is_word) { Ok(()) } else { Err(Error::Name(name.to_owned())) }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the reference keys in rmw_zenoh's `docs/design.md`.
    #[test]
    fn data_keys_keep_inner_slashes_and_drop_outer_ones() {
        let key = |topic| data_key(7, topic, "std_msgs/msg/String", "RIHS01_df66");
        assert_eq!(key("/chatter").unwrap(), "7/chatter/std_msgs::msg::dds_::String_/RIHS01_df66");
        assert_eq!(key("/a/b").unwrap(), key("a/b").unwrap());
        assert_eq!(key("/a/b").unwrap(), "7/a/b/std_msgs::msg::dds_::String_/RIHS01_df66");
    }

    #[test]
    fn names_that_would_break_a_key_are_refused() {
        for topic in ["", "/", "/a//b", "/a/", "/a*", "/a b", "/a?x", "/a%b", "/ä"] {
            let key = data_key(0, topic, "std_msgs/msg/String", "RIHS01_0");
            assert_eq!(key, Err(Error::Name(topic.to_owned())), "{topic:?}");
        }
        for name in ["", "String", "std_msgs/String", "std_msgs/msg/", "a/msg/B/c", "a/msg/B*"] {
            assert_eq!(dds_type(name), Err(Error::TypeName(name.to_owned())), "{name:?}");
        }
    }

    #[test]
    fn type_names_survive_the_way_through_dds() {
        assert_eq!(ros_type(&dds_type("sensor_msgs/msg/Image").unwrap()).unwrap(), "sensor_msgs/msg/Image");
        for name in ["sensor_msgs::msg::Image_", "sensor_msgs::msg::dds_::Image", "::::dds_::_", "a/msg/B"] {
            assert!(ros_type(name).is_err(), "{name:?}");
        }
    }
}
