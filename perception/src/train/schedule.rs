//! How fast is learnt at a step, and how fast the average of the weights follows.

/// The share of the highest learning rate at a step: it rises over `warmup` steps and falls as half a cosine to `least`.
pub fn rate(step: u64, steps: u64, warmup: u64, least: f64) -> f64 {
    let rise = ((step + 1) as f64 / warmup.max(1) as f64).min(1.0);
    let fall = 0.5 * (1.0 + (std::f64::consts::PI * (step as f64 / steps as f64)).cos());
    rise * (least + (1.0 - least) * fall)
}

/// How much of the average remains at a step, `decay` at most: while it is young, it follows faster.
pub fn decay(step: u64, decay: f64) -> f64 {
    decay.min((1.0 + step as f64) / (10.0 + step as f64))
}
