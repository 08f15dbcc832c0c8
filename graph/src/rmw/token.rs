//! Liveliness tokens: how nodes, publishers and subscriptions announce themselves to every ROS node.

use std::fmt;
use std::str::FromStr;

use xxhash_rust::xxh3::xxh3_128;

use super::{Error, Qos, check_name, dds_type, ros_type};

/// The first part of every token.
const ADMIN_SPACE: &str = "@ros2_lv";

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A node.
    Node,
    /// A publisher of messages.
    Publisher,
    /// A subscription to messages.
    Subscription,
    /// A service's server.
    Service,
    /// A service's client.
    Client,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Node, "NN"),
    (Kind::Publisher, "MP"),
    (Kind::Subscription, "MS"),
    (Kind::Service, "SS"),
    (Kind::Client, "SC"),
];

/// The topic that a publisher or subscription is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The topic's name with its leading slash.
    pub topic: String,
    /// The ROS type name, such as `sensor_msgs/msg/Image`.
    pub type_name: String,
    /// The RIHS01 type hash.
    pub type_hash: String,
    /// Its quality of service.
    pub qos: Qos,
}

/// A node, or an endpoint of a node, as its liveliness token tells it.
///
/// The token is `@ros2_lv/<domain>/<session>/<node id>/<entity id>/<kind>/<enclave>/<namespace>/<node>`, for an
/// endpoint followed by `/<topic>/<type>/<hash>/<qos>`; in every name `/` is written `%`, and so is an empty name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// The ROS domain.
    pub domain: u32,
    /// The id of the zenoh session, in hex.
    pub session: String,
    /// The node's number in its session.
    pub node_id: u64,
    /// The entity's own number in its session; a node's is its node id.
    pub id: u64,
    /// What it is.
    pub kind: Kind,
    /// The security enclave, usually `/`.
    pub enclave: String,
    /// The node's namespace, usually `/`.
    pub namespace: String,
    /// The node's name.
    pub node: String,
    /// The topic, unless it is a node.
    pub endpoint: Option<Endpoint>,
}

impl Entity {
    /// A node in the root namespace and enclave.
    pub fn node(domain: u32, session: impl Into<String>, id: u64, name: &str) -> Result<Self, Error> {
        check_name(name)?;
        Ok(Self {
            domain,
            session: session.into(),
            node_id: id,
            id,
            kind: Kind::Node,
            enclave: "/".to_owned(),
            namespace: "/".to_owned(),
            node: name.to_owned(),
            endpoint: None,
        })
    }

    /// An endpoint of this node.
    pub fn with_endpoint(&self, id: u64, kind: Kind, endpoint: Endpoint) -> Result<Self, Error> {
        check_name(&endpoint.topic)?;
        dds_type(&endpoint.type_name)?;
        Ok(Self { id, kind, endpoint: Some(endpoint), ..self.clone() })
    }

    /// The identity that goes with every message of this entity.
    pub fn gid(&self) -> Gid {
        Gid::of_token(&self.to_string())
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, code)| code);
        write!(
            f,
            "{ADMIN_SPACE}/{}/{}/{}/{}/{kind}/{}/{}/{}",
            self.domain,
            self.session,
            self.node_id,
            self.id,
            mangle(&self.enclave),
            mangle(&self.namespace),
            mangle(&self.node),
        )?;
        if let Some(endpoint) = &self.endpoint {
            // The type was checked when the entity was made, and a parsed one came in DDS spelling.
            let dds_type = dds_type(&endpoint.type_name).unwrap_or_else(|_| endpoint.type_name.clone());
            write!(
                f,
                "/{}/{}/{}/{}",
                mangle(&endpoint.topic),
                mangle(&dds_type),
                mangle(&endpoint.type_hash),
                endpoint.qos
            )?;
        }
        Ok(())
    }
}

impl FromStr for Entity {
    type Err = Error;

    fn from_str(token: &str) -> Result<Self, Error> {
        let wrong = |field| Error::Token { token: token.to_owned(), field };
        let mut parts = token.split('/');
        let mut next = |field| parts.next().filter(|part| !part.is_empty()).ok_or_else(|| wrong(field));
        if next("the leading @ros2_lv")? != ADMIN_SPACE {
            return Err(wrong("the leading @ros2_lv"));
        }
        let domain = next("domain")?.parse().map_err(|_| wrong("domain"))?;
        let session = next("session")?.to_owned();
        let node_id = next("node id")?.parse().map_err(|_| wrong("node id"))?;
        let id = next("entity id")?.parse().map_err(|_| wrong("entity id"))?;
        let code = next("kind")?;
        let kind = KINDS.iter().find(|(_, known)| *known == code).ok_or_else(|| wrong("kind"))?.0;
        let enclave = unmangle(next("enclave")?);
        let namespace = unmangle(next("namespace")?);
        let node = unmangle(next("node")?);
        let endpoint = if kind == Kind::Node {
            None
        } else {
            Some(Endpoint {
                topic: unmangle(next("topic")?),
                type_name: ros_type(next("type")?).map_err(|_| wrong("type"))?,
                type_hash: next("type hash")?.to_owned(),
                qos: next("qos")?.parse()?,
            })
        };
        // Newer publishers append what buffers they offer; nothing here depends on it.
        Ok(Self { domain, session, node_id, id, kind, enclave, namespace, node, endpoint })
    }
}

fn mangle(name: &str) -> String {
    if name.is_empty() { "%".to_owned() } else { name.replace('/', "%") }
}

fn unmangle(name: &str) -> String {
    name.replace('%', "/")
}

/// The identity of a publisher, subscription or node: XXH3-128 of its token, low half first, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gid(pub [u8; 16]);

impl Gid {
    /// The identity of the entity that has this token.
    pub fn of_token(token: &str) -> Self {
        // The low 64 bits come first, each half little endian: together the little-endian 128-bit number.
        Self(xxh3_128(token.as_bytes()).to_le_bytes())
    }
}

impl fmt::Display for Gid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{History, Reliability};
    use super::*;
    use proptest::prelude::*;

    fn publisher() -> Entity {
        let endpoint = Endpoint {
            topic: "/camera/front/image".to_owned(),
            type_name: "sensor_msgs/msg/Image".to_owned(),
            type_hash: "RIHS01_d31d".to_owned(),
            qos: Qos { reliability: Reliability::BestEffort, history: History::KeepLast(5), ..Qos::default() },
        };
        Entity::node(3, "aa11", 0, "driver").unwrap().with_endpoint(10, Kind::Publisher, endpoint).unwrap()
    }

    const TOKEN: &str = "@ros2_lv/3/aa11/0/10/MP/%/%/driver/%camera%front%image/\
                         sensor_msgs::msg::dds_::Image_/RIHS01_d31d/2::,5:,:,:,,";

    #[test]
    fn tokens_are_those_of_rmw_zenoh() {
        assert_eq!(publisher().to_string(), TOKEN);
        assert_eq!(TOKEN.parse(), Ok(publisher()));
        let node = Entity::node(0, "aa11", 4, "planner").unwrap();
        assert_eq!(node.to_string(), "@ros2_lv/0/aa11/4/4/NN/%/%/planner");
        assert_eq!(node.to_string().parse(), Ok(node));
    }

    /// The example token of `rmw_zenoh_cpp/src/detail/liveliness_utils.hpp`'s format, with the rolling suffix.
    #[test]
    fn what_newer_publishers_append_is_ignored() {
        let token = format!("{TOKEN}/backends:cpu");
        assert_eq!(token.parse(), Ok(publisher()));
    }

    /// Computed with the reference implementation: python3 -c
    /// "import xxhash; d = xxhash.xxh3_128(TOKEN).intdigest(); print(d.to_bytes(16, 'little').hex())".
    #[test]
    fn gid_is_the_tokens_hash_low_half_first() {
        assert_eq!(publisher().gid().to_string(), "33a195f863da9fe904acf2f2e4ffb21a");
    }

    #[test]
    fn a_wrong_part_is_named() {
        let field = |token: &str| match token.parse::<Entity>() {
            Err(Error::Token { field, .. }) => field,
            other => panic!("{token:?} gave {other:?}"),
        };
        assert_eq!(field("@other/0"), "the leading @ros2_lv");
        assert_eq!(field("@ros2_lv/x"), "domain");
        assert_eq!(field("@ros2_lv/0//0/0/NN/%/%/n"), "session");
        assert_eq!(field("@ros2_lv/0/aa/0/0/XX/%/%/n"), "kind");
        assert_eq!(field("@ros2_lv/0/aa/0/0/NN/%/%"), "node");
        assert_eq!(field("@ros2_lv/0/aa/0/1/MP/%/%/n"), "topic");
        assert_eq!(field("@ros2_lv/0/aa/0/1/MP/%/%/n/%t/String/RIHS01_0/::,:,:,:,,"), "type");
        let qos = "@ros2_lv/0/aa/0/1/MP/%/%/n/%t/std_msgs::msg::dds_::String_/RIHS01_0/x";
        assert!(matches!(qos.parse::<Entity>(), Err(Error::Qos { .. })));
    }

    proptest! {
        #[test]
        fn any_token_is_read_or_refused_without_panic(
            head in "(@ros2_lv/[0-9]{1,3}/[0-9a-f]{1,4}/[0-9]/[0-9]/(NN|MP|MS|SS|SC)/%/%/n)?",
            tail in "[/%a-z0-9:,_]{0,60}",
        ) {
            let _ = format!("{head}{tail}").parse::<Entity>();
        }

        #[test]
        fn a_token_with_one_byte_changed_does_not_panic(at in 0..TOKEN.len(), byte in 0x20u8..0x7f) {
            let mut bytes = TOKEN.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = String::from_utf8(bytes).unwrap().parse::<Entity>();
        }
    }
}
