//! Headers, strings, colours and plain arrays of numbers.

use super::builtin_interfaces::Time;
use crate::Stamp;

message! {
    /// When and in which frame a message holds.
    #[derive(Eq)]
    std_msgs::Header {
        /// When what the message speaks of was captured.
        stamp: Time,
        /// The frame its coordinates are in.
        frame_id: std::string::String,
    }
}

impl Header {
    /// A header from a stamp and a frame.
    pub fn new(stamp: Stamp, frame_id: impl Into<std::string::String>) -> Self {
        Self { stamp: stamp.into(), frame_id: frame_id.into() }
    }
}

message! {
    /// A text.
    #[derive(Eq)]
    std_msgs::String {
        /// The text.
        data: std::string::String,
    }
}

message! {
    /// A colour, each part 0 to 1.
    #[derive(Copy)]
    std_msgs::ColorRGBA {
        /// Red.
        r: f32,
        /// Green.
        g: f32,
        /// Blue.
        b: f32,
        /// Opacity.
        a: f32,
    }
}

message! {
    /// One dimension of an array.
    #[derive(Eq)]
    std_msgs::MultiArrayDimension {
        /// What it counts.
        label: std::string::String,
        /// Its length.
        size: u32,
        /// Values from one step of the dimension outside to the next.
        stride: u32,
    }
}

message! {
    /// How an array's values are laid out.
    #[derive(Eq)]
    std_msgs::MultiArrayLayout {
        /// The dimensions, outermost first.
        dim: Vec<MultiArrayDimension>,
        /// Values before the first one.
        data_offset: u32,
    }
}

message! {
    /// An array of f64.
    std_msgs::Float64MultiArray {
        /// How the values are laid out.
        layout: MultiArrayLayout,
        /// The values.
        data: Vec<f64>,
    }
}

message! {
    /// An array of f32, as for embeddings.
    std_msgs::Float32MultiArray {
        /// How the values are laid out.
        layout: MultiArrayLayout,
        /// The values.
        data: Vec<f32>,
    }
}
