//! Sizes of a convolution, and what follows it.

/// A convolution over images `[images, inputs, height, width]` with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// How many images.
    pub images: usize,
    /// Channels in.
    pub inputs: usize,
    /// Channels out.
    pub outputs: usize,
    /// Height and width of the input.
    pub from: [usize; 2],
    /// Height and width of the output.
    pub to: [usize; 2],
    /// Side of the kernel.
    pub kernel: usize,
    /// Step along both axes.
    pub stride: usize,
    /// Zeros above and on the left.
    pub pad: [usize; 2],
}

impl Geometry {
    /// Pixels of an input's plane.
    pub fn plane_in(&self) -> usize {
        self.from[0] * self.from[1]
    }

    /// Pixels of an output's plane.
    pub fn plane_out(&self) -> usize {
        self.to[0] * self.to[1]
    }

    /// Numbers that one output reads.
    pub fn patch(&self) -> usize {
        self.inputs * self.kernel * self.kernel
    }

    /// Whether every output reads one pixel.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == 1 && self.stride == 1
    }

    /// The row of the input that a tap of the kernel reads for a row of the output.
    pub fn source(&self, row: usize, tap: usize) -> Option<usize> {
        (row * self.stride + tap).checked_sub(self.pad[0]).filter(|row| *row < self.from[0])
    }

    /// The columns of the output for which a tap of the kernel lies within the input.
    pub fn inside(&self, tap: usize) -> std::ops::Range<usize> {
        let first = self.pad[1].saturating_sub(tap).div_ceil(self.stride);
        let last = (self.from[1] + self.pad[1]).saturating_sub(tap).div_ceil(self.stride);
        first.min(self.to[1])..last.min(self.to[1])
    }
}

/// What is done with every number after a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    None,
    /// No less than 0.
    Relu,
    /// Between 0 and 6.
    Relu6,
}

impl Activation {
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Self::None => {}
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
            Self::Relu6 => values.iter_mut().for_each(|value| *value = value.clamp(0.0, 6.0)),
        }
    }

    /// The gradient before the activation from the one after it and what came out.
    pub(super) fn back(self, gradient: &[f32], y: &[f32]) -> Vec<f32> {
        let highest = if self == Self::Relu6 { 6.0 } else { f32::INFINITY };
        let pass = |(gradient, y): (&f32, &f32)| if *y > 0.0 && *y < highest { *gradient } else { 0.0 };
        gradient.iter().zip(y).map(pass).collect()
    }
}

/// The sum of every channel over images and pixels.
pub fn sum_planes(values: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    for image in values.chunks_exact(channels * plane) {
        for (sum, plane) in sums.iter_mut().zip(image.chunks_exact(plane)) {
            let lanes = plane.chunks_exact(8);
            let rest: f32 = lanes.remainder().iter().sum();
            let mut part = [0.0_f32; 8];
            lanes.for_each(|lane| part.iter_mut().zip(lane).for_each(|(sum, value)| *sum += value));
            *sum += part.iter().sum::<f32>() + rest;
        }
    }
    sums
}
