//! One zenoh session: the door of this process to the graph.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use zenoh::Wait;
use zenoh::bytes::ZBytes;
use zenoh::liveliness::LivelinessToken;
use zenoh::qos::{CongestionControl, Reliability as Channel};
use zenoh::sample::{Locality, Sample as ZenohSample};
use zenoh::shm::{Defragment, GarbageCollect, PosixShmProviderBackend, ShmProvider, ShmProviderBuilder};
use zenoh_ext::{
    AdvancedPublisher, AdvancedPublisherBuilderExt, AdvancedSubscriber, AdvancedSubscriberBuilderExt, CacheConfig,
    HistoryConfig, MissDetectionConfig,
};

use super::link::{Arrival, Payload};
use super::mailbox::Mailbox;
use super::{Config, Delivery, Error, wall_time};
use crate::Stamp;
use crate::node::{InputSpec, OutputSpec};
use crate::rmw::{self, Attachment, Durability, Endpoint, Entity, Gid, History, Kind, Qos, Reliability};

/// How long to wait for answers to the question who is there.
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(1);

/// How often a publisher says how many messages it has sent, if it sent any.
pub(super) const ANNOUNCE_PERIOD: Duration = Duration::from_millis(100);

/// How often `rmw_zenoh`'s reliable, latched publishers do so for zenoh's own recovery.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// The part of a key, after the data key, on which publishers announce how many messages they have sent.
const SENT: &str = "@sent";

/// Messages from this size on go through shared memory: below it, a socket is as fast.
const SHARED_MEMORY_FROM_BYTES: usize = 16 << 10;

type SharedMemory = ShmProvider<PosixShmProviderBackend>;

/// An open zenoh session.
pub struct Session {
    zenoh: zenoh::Session,
    memory: Option<Arc<SharedMemory>>,
    config: Config,
    next_id: AtomicU64,
}

impl Session {
    /// Opens a session, after removing shared memory that killed processes have left behind.
    ///
    /// # Errors
    /// If an endpoint can't be understood or listened on, or there is no room for the shared memory.
    pub fn open(config: &Config) -> Result<Self, Error> {
        zenoh::shm::cleanup_orphaned_shm_segments();
        let opened = |source| Error::Open { source };
        let zenoh = zenoh::open(config.to_zenoh()?).wait().map_err(opened)?;
        let memory = match config.shared_memory_bytes {
            0 => None,
            bytes => Some(Arc::new(ShmProviderBuilder::default_backend(bytes).wait().map_err(opened)?)),
        };
        Ok(Self { zenoh, memory, config: config.clone(), next_id: AtomicU64::new(0) })
    }

    /// The endpoints that others can connect to, with the ports that were really taken.
    pub fn endpoints(&self) -> Vec<String> {
        self.zenoh.info().locators().wait().iter().map(ToString::to_string).collect()
    }

    /// All nodes, publishers and subscriptions of the domain, this session's included, in the order of their tokens.
    ///
    /// # Errors
    /// If the session is closed.
    pub fn entities(&self) -> Result<Vec<Entity>, Error> {
        let key = format!("@ros2_lv/{}/**", self.config.domain);
        let failed = |source| Error::Declare { key: key.clone(), source };
        let replies = self.zenoh.liveliness().get(&key).timeout(DISCOVERY_TIMEOUT).wait().map_err(failed)?;
        let mut tokens: Vec<String> =
            replies.iter().filter_map(|reply| Some(reply.into_result().ok()?.key_expr().to_string())).collect();
        tokens.sort_unstable();
        Ok(tokens.iter().filter_map(|token| token.parse().ok()).collect())
    }

    /// Announces a node. It exists until the answer is dropped.
    pub(super) fn node(&self, name: &str) -> Result<Announced, Error> {
        let session = self.zenoh.zid().to_string();
        self.declare_token(Entity::node(self.config.domain, session, self.id(), name)?)
    }

    /// Declares a publisher of a node.
    pub(super) fn publisher(&self, node: &Entity, output: &OutputSpec) -> Result<Publisher, Error> {
        let key = rmw::data_key(self.config.domain, &output.topic, output.type_name, output.type_hash)?;
        let failed = |source| Error::Declare { key: key.clone(), source };
        let reliable = output.latched || self.config.delivery == Delivery::Reliable;
        let qos = Qos {
            reliability: if reliable { Reliability::Reliable } else { Reliability::BestEffort },
            durability: if output.latched { Durability::TransientLocal } else { Durability::Volatile },
            history: History::KeepLast(1),
            ..Qos::default()
        };
        let (congestion, channel) = match reliable {
            true => (CongestionControl::Block, Channel::Reliable),
            false => (CongestionControl::Drop, Channel::BestEffort),
        };
        // Nodes of this process hand each other their messages without zenoh.
        let mut publisher = self
            .zenoh
            .declare_publisher(key.clone())
            .congestion_control(congestion)
            .reliability(channel)
            .allowed_destination(Locality::Remote)
            .advanced();
        if output.latched {
            publisher = publisher
                .cache(CacheConfig::default().max_samples(1))
                .sample_miss_detection(MissDetectionConfig::default().sporadic_heartbeat(HEARTBEAT))
                .publisher_detection();
        }
        let publisher = publisher.wait().map_err(failed)?;
        let wanted = Arc::new(AtomicBool::new(false));
        let listener = Arc::clone(&wanted);
        publisher
            .matching_listener()
            .callback(move |status| listener.store(status.matching(), Ordering::Relaxed))
            .background()
            .wait()
            .map_err(failed)?;
        // The listener tells of changes only.
        let status = publisher.matching_status().wait().map_err(failed)?;
        wanted.fetch_or(status.matching(), Ordering::Relaxed);
        let announced = self.declare_token(node.with_endpoint(
            self.id(),
            Kind::Publisher,
            Endpoint {
                topic: output.topic.clone(),
                type_name: output.type_name.to_owned(),
                type_hash: output.type_hash.to_owned(),
                qos,
            },
        )?)?;
        let gid = announced.entity.gid();
        let announcements = self
            .zenoh
            .declare_publisher(format!("{key}/{SENT}/{gid}"))
            .congestion_control(congestion)
            .reliability(channel)
            .allowed_destination(Locality::Remote)
            .wait()
            .map_err(failed)?;
        Ok(Publisher {
            publisher,
            announcements,
            zenoh: self.zenoh.clone(),
            memory: self.memory.clone(),
            _announced: announced,
            gid,
            wanted,
            latched: output.latched,
            sent: 0,
            told: None,
        })
    }

    /// Declares a subscription of a node that fills one link of its mailbox.
    pub(super) fn subscription(
        &self,
        node: &Entity,
        input: &InputSpec,
        mailbox: &Arc<Mailbox>,
        link: usize,
    ) -> Result<Subscription, Error> {
        let key = rmw::data_key(self.config.domain, &input.topic, input.type_name, input.type_hash)?;
        let failed = |source| Error::Declare { key: key.clone(), source };
        // The last message of a latched publisher is asked for whatever the input; others keep none. The token says
        // "volatile" all the same, because by ROS rules a transient-local subscription fits no volatile publisher.
        let history = HistoryConfig::default().detect_late_publishers().max_samples(1);
        let messages = Arc::clone(mailbox);
        let subscriber = self
            .zenoh
            .declare_subscriber(key.clone())
            .allowed_origin(Locality::Remote)
            .history(history)
            .callback(move |sample| deliver(&messages, link, &sample))
            .wait()
            .map_err(failed)?;
        let announcements = Arc::clone(mailbox);
        let sent = self
            .zenoh
            .declare_subscriber(format!("{key}/{SENT}/*"))
            .allowed_origin(Locality::Remote)
            .callback(move |sample| {
                if let Some((gid, next)) = read_announcement(&sample) {
                    announcements.with_link(link, |link| link.announce(gid, next, Instant::now()));
                }
            })
            .wait()
            .map_err(failed)?;
        let announced = self.declare_token(node.with_endpoint(
            self.id(),
            Kind::Subscription,
            Endpoint {
                topic: input.topic.clone(),
                type_name: input.type_name.to_owned(),
                type_hash: input.type_hash.to_owned(),
                qos: Qos {
                    reliability: match self.config.delivery {
                        Delivery::Latest => Reliability::BestEffort,
                        Delivery::Reliable => Reliability::Reliable,
                    },
                    history: History::KeepLast(input.queue),
                    ..Qos::default()
                },
            },
        )?)?;
        Ok(Subscription { _announced: announced, _subscriber: subscriber, _sent: sent })
    }

    fn declare_token(&self, entity: Entity) -> Result<Announced, Error> {
        let key = entity.to_string();
        let token = self.zenoh.liveliness().declare_token(key.clone()).wait();
        Ok(Announced { entity, _token: token.map_err(|source| Error::Declare { key, source })? })
    }

    fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }
}

/// Puts a sample from the wire into a link; one that is no message is counted there.
fn deliver(mailbox: &Mailbox, link: usize, sample: &ZenohSample) {
    let attachment = sample.attachment().and_then(|bytes| Attachment::decode(&bytes.to_bytes()).ok());
    let numbered = attachment.and_then(|attachment| Some((attachment, u64::try_from(attachment.sequence).ok()?)));
    mailbox.with_link(link, |link| match numbered {
        None => link.counters.malformed += 1,
        Some((attachment, sequence)) => link.arrive(
            attachment.gid,
            Arrival {
                payload: Payload::Encoded(sample.payload().clone()),
                publish: attachment.publish,
                receive: wall_time(),
                sequence,
            },
            Instant::now(),
        ),
    });
}

fn read_announcement(sample: &ZenohSample) -> Option<(Gid, u64)> {
    let hex = sample.key_expr().as_str().rsplit('/').next()?;
    let gid = u128::from_str_radix(hex, 16).ok()?.to_be_bytes();
    let next = u64::from_le_bytes(sample.payload().to_bytes().as_ref().try_into().ok()?);
    Some((Gid(gid), next))
}

/// An entity that exists in the graph until this is dropped.
pub(super) struct Announced {
    pub entity: Entity,
    _token: LivelinessToken,
}

/// A subscription that fills a link until it is dropped.
pub(super) struct Subscription {
    _announced: Announced,
    _subscriber: AdvancedSubscriber<()>,
    _sent: zenoh::pubsub::Subscriber<()>,
}

/// A publisher on the wire.
pub(super) struct Publisher {
    publisher: AdvancedPublisher<'static>,
    announcements: zenoh::pubsub::Publisher<'static>,
    zenoh: zenoh::Session,
    memory: Option<Arc<SharedMemory>>,
    _announced: Announced,
    gid: Gid,
    wanted: Arc<AtomicBool>,
    latched: bool,
    sent: u64,
    told: Option<u64>,
}

impl Publisher {
    /// Who publishes.
    pub fn gid(&self) -> Gid {
        self.gid
    }

    /// Whether a message has to be encoded at all: somebody outside listens, or may later ask for the last one.
    pub fn is_wanted(&self) -> bool {
        self.latched || self.wanted.load(Ordering::Relaxed)
    }

    /// Sends a message with the number that it has on its topic.
    pub fn put(&mut self, sequence: u64, publish: Stamp, bytes: &[u8]) -> Result<(), Error> {
        if self.told.is_none() || sequence != self.sent {
            // The first message for whoever listens now: tell from which number on to count, in case it is lost.
            self.sent = sequence;
            self.announce()?;
        }
        self.sent = sequence + 1;
        let attachment = Attachment { sequence: sequence as i64, publish, gid: self.gid };
        let put = self.publisher.put(self.payload(bytes)).attachment(attachment.encode().as_slice());
        put.wait().map_err(|source| Error::Put { key: self.publisher.key_expr().to_string(), source })
    }

    /// The message in shared memory if it is large and there is room, else on its own.
    fn payload(&self, bytes: &[u8]) -> ZBytes {
        if bytes.len() >= SHARED_MEMORY_FROM_BYTES
            && let Some(memory) = &self.memory
            && let Ok(mut room) = memory.alloc(bytes.len()).with_policy::<Defragment<GarbageCollect>>().wait()
        {
            room.copy_from_slice(bytes);
            return room.into();
        }
        bytes.into()
    }

    /// Says how many messages were sent, unless it was said already.
    pub fn announce(&mut self) -> Result<(), Error> {
        if self.told == Some(self.sent) {
            return Ok(());
        }
        let put = self.announcements.put(self.sent.to_le_bytes().as_slice());
        put.wait().map_err(|source| Error::Put { key: self.announcements.key_expr().to_string(), source })?;
        self.told = Some(self.sent);
        Ok(())
    }

    /// Says at the end how many messages were sent, waiting for the wire if need be.
    pub fn announce_last(&mut self) -> Result<(), Error> {
        if self.told.is_none() {
            return Ok(());
        }
        let key = self.announcements.key_expr();
        let put = self.zenoh.put(key, self.sent.to_le_bytes().as_slice());
        let put = put.congestion_control(CongestionControl::Block).allowed_destination(Locality::Remote);
        put.wait().map_err(|source| Error::Put { key: key.to_string(), source })
    }

    /// Whether [`announce`](Self::announce) has something to say.
    pub fn has_news(&self) -> bool {
        self.told.is_some_and(|told| told != self.sent)
    }
}
