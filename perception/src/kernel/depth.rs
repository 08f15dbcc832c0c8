//! How likely every depth of a pixel is, on a processor: pixel by pixel, without a tensor for each of its steps.

use rayon::prelude::*;

use crate::decode::sigmoid;

/// The shapes of a distribution over depths, and where the ground is put in it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroundBins {
    /// The middles of the bins, in the numbers that rays give depths in.
    pub middles: Vec<f32>,
    /// Factor of the squared distance to the ground in the logits of its distribution.
    pub sharpness: f32,
}

/// What is known and said of the pixels of one image, each of `[channels, pixels]`.
struct Image<'a> {
    bins: &'a GroundBins,
    /// The logits of the bins, then that of the ground.
    said: &'a [f32],
    /// Whether a pixel can show the ground, then its depth there.
    rays: &'a [f32],
    pixels: usize,
}

/// One pixel's distributions.
struct Pixel {
    free: Vec<f32>,
    ground: Vec<f32>,
}

impl Image<'_> {
    /// Fills in the two distributions of a pixel; what remains is how likely it shows the ground, and the derivative of
    /// that by its logit.
    fn read(&self, pixel: usize, out: &mut Pixel) -> (f32, f32) {
        let Pixel { free, ground } = out;
        let count = self.bins.middles.len();
        let at = |channel: usize| self.said[channel * self.pixels + pixel];
        let (meets, depth) = (self.rays[pixel], self.rays[self.pixels + pixel]);
        free.iter_mut().enumerate().for_each(|(bin, free)| *free = at(bin));
        softmax(free);
        let logit = |middle: &f32| -self.bins.sharpness * (depth - middle) * (depth - middle);
        ground.iter_mut().zip(&self.bins.middles).for_each(|(ground, middle)| *ground = logit(middle));
        softmax(ground);
        let share = sigmoid(at(count));
        (share * meets, share * (1.0 - share) * meets)
    }
}

fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    logits.iter_mut().for_each(|logit| *logit = (*logit - most).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|logit| *logit /= sum);
}

impl GroundBins {
    fn images<'a>(
        &'a self,
        said: &'a [f32],
        rays: &'a [f32],
        [kinds, pixels]: [usize; 2],
    ) -> impl IndexedParallelIterator<Item = (Image<'a>, Pixel)> {
        let count = self.middles.len();
        let said = said.par_chunks_exact((count + 1) * pixels);
        said.zip(rays.par_chunks_exact(kinds * pixels)).map(move |(said, rays)| {
            let pixel = Pixel { free: vec![0.0; count], ground: vec![0.0; count] };
            (Image { bins: self, said, rays, pixels }, pixel)
        })
    }

    /// `said`: `[images, bins + 1, pixels]`, `rays`: `[images, kinds, pixels]` → `[images · pixels, bins]`.
    pub(super) fn forward(&self, said: &[f32], rays: &[f32], [kinds, pixels]: [usize; 2]) -> Vec<f32> {
        let count = self.middles.len();
        let mut all = vec![0.0; said.len() / (count + 1) * count];
        let images = self.images(said, rays, [kinds, pixels]);
        images.zip(all.par_chunks_exact_mut(count * pixels)).for_each(|((image, mut read), out)| {
            for (pixel, out) in out.chunks_exact_mut(count).enumerate() {
                let (is_ground, _) = image.read(pixel, &mut read);
                for ((out, free), ground) in out.iter_mut().zip(&read.free).zip(&read.ground) {
                    *out = free + (ground - free) * is_ground;
                }
            }
        });
        all
    }

    /// The gradient of `said` from that of the result.
    pub(super) fn back(&self, said: &[f32], rays: &[f32], gradient: &[f32], [kinds, pixels]: [usize; 2]) -> Vec<f32> {
        let count = self.middles.len();
        let mut all = vec![0.0; said.len()];
        let gradients = gradient.par_chunks_exact(count * pixels);
        let out = all.par_chunks_exact_mut((count + 1) * pixels);
        self.images(said, rays, [kinds, pixels]).zip(gradients).zip(out).for_each(
            |(((image, mut read), gradient), out)| {
                for (pixel, gradient) in gradient.chunks_exact(count).enumerate() {
                    let (is_ground, slope) = image.read(pixel, &mut read);
                    let Pixel { free, ground } = &read;
                    let mean: f32 = free.iter().zip(gradient).map(|(free, gradient)| free * gradient).sum();
                    let toward: f32 = ground.iter().zip(gradient).map(|(ground, gradient)| ground * gradient).sum();
                    for (bin, (free, gradient)) in free.iter().zip(gradient).enumerate() {
                        out[bin * pixels + pixel] = free * (gradient - mean) * (1.0 - is_ground);
                    }
                    out[count * pixels + pixel] = (toward - mean) * slope;
                }
            },
        );
        all
    }
}
