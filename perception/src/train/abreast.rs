//! The batches of a step learnt side by side.

use burn::module::AutodiffModule;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

/// What batches taught; a loss has `PARTS` parts.
pub struct Learnt<const PARTS: usize> {
    /// The weighted loss.
    pub loss: f32,
    /// Its parts.
    pub parts: [f32; PARTS],
    /// Of all weights that are not frozen.
    pub gradients: GradientsParams,
}

/// The sums of the losses of batches and of their gradients, each batch on a thread of its own. `own` makes the weights
/// that a batch is learnt by; `loss` is a batch's share of the loss, `[1]`, and of its parts, `[PARTS]`.
///
/// Much of the tensor library runs on one thread; batches side by side keep the others busy.
pub fn learn_abreast<B: AutodiffBackend, M: AutodiffModule<B> + Send, T: Sync, const PARTS: usize>(
    network: &M,
    batches: &[T],
    own: impl Fn() -> M,
    loss: impl Fn(&M, &T) -> (Tensor<B, 1>, Tensor<B, 1>) + Sync,
) -> Learnt<PARTS> {
    let one = |network: M, batch: &T| {
        let (total, parts) = loss(&network, batch);
        let gradients = GradientsParams::from_grads(total.backward(), &network);
        // Read last: until then a device works on by itself.
        let mut numbers = Tensor::cat(vec![total, parts], 0).into_data().iter::<f32>().collect::<Vec<_>>().into_iter();
        let loss = numbers.next().unwrap_or(f32::NAN);
        Learnt { loss, parts: std::array::from_fn(|_| numbers.next().unwrap_or(f32::NAN)), gradients }
    };
    // Weights of its own keep a batch's graph apart from those of the others, which would lock each other.
    let learnt: Vec<Learnt<PARTS>> = match batches {
        // LibTorch keeps how to convolve best by thread, so one batch is learnt on the thread that stays.
        [batch] => vec![one(own(), batch)],
        _ => std::thread::scope(|scope| {
            let threads: Vec<_> = batches
                .iter()
                .map(|batch| {
                    let (network, one) = (own(), &one);
                    scope.spawn(move || one(network, batch))
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, Learnt<PARTS>>| match thread.join() {
                Ok(learnt) => learnt,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            threads.into_iter().map(join).collect()
        }),
    };
    let mut gradients = GradientsAccumulator::new();
    let (mut loss, mut parts) = (0.0, [0.0; PARTS]);
    // In their order, so that sums are the same in every run.
    for learnt in learnt {
        loss += learnt.loss;
        parts.iter_mut().zip(learnt.parts).for_each(|(sum, part)| *sum += part);
        gradients.accumulate(network, learnt.gradients);
    }
    Learnt { loss, parts, gradients: gradients.grads() }
}
