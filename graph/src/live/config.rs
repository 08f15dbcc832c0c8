//! Where a live process listens, whom it connects to, and how its messages travel.

use zenoh::Config as Zenoh;

use super::Error;

/// Where ROS 2 nodes on `rmw_zenoh` expect a router.
pub const ROS_ROUTER: &str = "tcp/localhost:7447";

/// What a process is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Speaks with every other peer directly.
    Peer,
    /// Introduces peers to each other, as `rmw_zenohd` does.
    Router,
}

/// What happens when a subscriber in another process can't keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The message is dropped for it, which it counts as lost: the publisher never waits. For driving.
    Latest,
    /// The publisher waits. For recording and replay.
    Reliable,
}

/// How a live process takes part in the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The ROS domain; processes of different domains don't see each other.
    pub domain: u32,
    /// What the process is to the others.
    pub role: Role,
    /// Endpoints to listen on, such as `tcp/127.0.0.1:0`, where 0 stands for any free port.
    pub listen: Vec<String>,
    /// Endpoints to connect to; tried again until they answer.
    pub connect: Vec<String>,
    /// What happens when a subscriber can't keep up. Latched topics are always reliable.
    pub delivery: Delivery,
    /// Shared memory for large messages to processes of this machine, in bytes; 0 for none. A message that finds
    /// no room in it travels through the socket.
    pub shared_memory_bytes: usize,
}

impl Default for Config {
    /// A peer on any free loopback port that connects to nobody.
    fn default() -> Self {
        Self {
            domain: 0,
            role: Role::Peer,
            listen: vec!["tcp/127.0.0.1:0".to_owned()],
            connect: Vec::new(),
            delivery: Delivery::Latest,
            shared_memory_bytes: 64 << 20,
        }
    }
}

impl Config {
    /// This configuration with one more endpoint to connect to.
    pub fn connect_to(mut self, endpoint: impl Into<String>) -> Self {
        self.connect.push(endpoint.into());
        self
    }

    pub(super) fn to_zenoh(&self) -> Result<Zenoh, Error> {
        let role = match self.role {
            Role::Peer => "peer",
            Role::Router => "router",
        };
        let settings = [
            ("mode", serde_json::json!(role)),
            ("listen/endpoints", serde_json::json!(self.listen)),
            ("connect/endpoints", serde_json::json!(self.connect)),
            // As rmw_zenoh: others are heard of from those one is connected to, never by multicast.
            ("scouting/multicast/enabled", serde_json::json!(false)),
            ("scouting/gossip/enabled", serde_json::json!(true)),
            ("transport/shared_memory/enabled", serde_json::json!(self.shared_memory_bytes > 0)),
            ("transport/shared_memory/mode", serde_json::json!("init")),
            // Publishers put their messages there themselves.
            ("transport/shared_memory/transport_optimization/enabled", serde_json::json!(false)),
        ];
        let mut zenoh = Zenoh::default();
        for (key, value) in settings {
            zenoh.insert_json5(key, &value.to_string()).map_err(|source| Error::Setting { key, source })?;
        }
        Ok(zenoh)
    }
}
