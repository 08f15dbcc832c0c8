//! Who looks at every published message without being a node: recorders and digests.

use crate::Stamp;

/// One published message with everything that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published<'a> {
    /// The topic's name, with its leading slash.
    pub topic: &'a str,
    /// The ROS type name, such as `sensor_msgs/msg/Image`.
    pub type_name: &'a str,
    /// The message definition text.
    pub definition: &'a str,
    /// When what the message speaks of was captured.
    pub capture: Stamp,
    /// When it was published.
    pub publish: Stamp,
    /// Its number on its topic.
    pub sequence: u64,
    /// The message as CDR, with its header.
    pub bytes: &'a [u8],
}

/// Sees every message that the nodes of a run publish, in the order of publishing.
pub trait Observer {
    /// Sees one message.
    fn observe(&mut self, published: &Published<'_>);
}

/// A borrowed observer.
impl<O: Observer + ?Sized> Observer for &mut O {
    fn observe(&mut self, published: &Published<'_>) {
        (**self).observe(published);
    }
}
