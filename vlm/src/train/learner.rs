//! The decoder to learn with: a frozen one, and beside each of its matrices a product of two thin ones that learns.
//!
//! Low-rank adapters are those of Hu et al. 2021 (LoRA), one for each [`Part`] of a layer. What the eyes see takes the way
//! of LLaVA (Liu et al. 2023): a small network turns it into embeddings, which stand among those of tokens.

use std::path::Path;

use burn::module::{Module, Param};
use burn::nn::{Gelu, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, sigmoid, softmax};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Distribution, IndexingUpdateOp, Int, Tensor, TensorData};

use super::batch::Batch;
use crate::kernel::Pairs;
use crate::model::{About, Adapter, Config, Part, Plain, Projection, Thin};

/// What a token does not see is so much less likely, in logits.
const UNSEEN: f32 = -80.0;

/// A decoder that does not learn, on a device.
#[derive(Debug)]
pub struct Frozen<B: Backend> {
    config: Config,
    /// `[head_size, head_size]`: what a turn by a right angle makes of a head.
    quarter: Tensor<B, 2>,
    pairs: Pairs,
    layers: Vec<FrozenLayer<B>>,
    norm: Tensor<B, 2>,
    /// `[hidden, vocabulary]`.
    head: Tensor<B, 2>,
}

#[derive(Debug)]
struct FrozenLayer<B: Backend> {
    /// `[1, hidden]`.
    attention_norm: Tensor<B, 2>,
    inner_norm: Tensor<B, 2>,
    /// `[columns, rows]`, in the order of [`Part::ALL`].
    parts: [Tensor<B, 2>; 4],
}

/// What learns.
#[derive(Module, Debug)]
pub struct Adapters<B: Backend> {
    /// A layer's, in the order of [`Part::ALL`].
    pub layers: Vec<[LowRank<B>; 4]>,
    /// What the eyes see to embeddings.
    pub projector: Projector<B>,
}

/// What is added to a matrix: the product of two thin ones.
#[derive(Module, Debug)]
pub struct LowRank<B: Backend> {
    /// `[columns, rank]`.
    pub down: Param<Tensor<B, 2>>,
    /// `[rank, rows]`; zero at first.
    pub up: Param<Tensor<B, 2>>,
}

/// Rows of the eyes, `[rows, width]`, to embeddings, `[rows, hidden]`.
#[derive(Module, Debug)]
pub struct Projector<B: Backend> {
    /// Brings what rows hold to one scale.
    pub norm: LayerNorm<B>,
    /// `[width, hidden]`.
    pub first: Linear<B>,
    /// `[hidden, hidden]`.
    pub second: Linear<B>,
}

impl<B: Backend> Adapters<B> {
    /// That change nothing yet, for a decoder, of a rank, and for eyes whose rows have `width` numbers.
    pub fn new(config: &Config, rank: usize, width: usize, device: &Device<B>) -> Self {
        let low_rank = |part: Part| {
            let [rows, columns] = part.shape(config);
            // As wide as the numbers of a linear layer are at first (He et al. 2015, with a leak of √5).
            let reach = 1.0 / (columns as f64).sqrt();
            let down = Tensor::random([columns, rank], Distribution::Uniform(-reach, reach), device);
            LowRank { down: Param::from_tensor(down), up: Param::from_tensor(Tensor::zeros([rank, rows], device)) }
        };
        Self {
            layers: (0..config.layers).map(|_| Part::ALL.map(low_rank)).collect(),
            projector: Projector {
                norm: LayerNormConfig::new(width).init(device),
                first: LinearConfig::new(width, config.hidden).init(device),
                second: LinearConfig::new(config.hidden, config.hidden).init(device),
            },
        }
    }
}

impl<B: Backend> Adapters<B> {
    /// That go on from what a file has.
    pub fn of_adapter(adapter: &Adapter, device: &Device<B>) -> Self {
        let turned = |values: &[f32], columns: usize| {
            let data = TensorData::new(values.to_vec(), [values.len() / columns, columns]);
            Param::from_tensor(Tensor::<B, 2>::from_data(data, device).transpose())
        };
        let vector = |values: &[f32]| {
            Param::from_tensor(Tensor::<B, 1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device))
        };
        let rank = adapter.about.rank;
        let thin = |Thin { down, up }: &Thin| LowRank { down: turned(down, down.len() / rank), up: turned(up, rank) };
        let linear = |[weight, bias]: &[Vec<f32>; 2]| Linear {
            weight: turned(weight, weight.len() / bias.len()),
            bias: Some(vector(bias)),
        };
        let Projection { norm: [weight, bias], first, second } = &adapter.projection;
        let mut norm = LayerNormConfig::new(weight.len()).init(device);
        norm.gamma = vector(weight);
        norm.beta = Some(vector(bias));
        let projector = Projector { norm, first: linear(first), second: linear(second) };
        Self { layers: adapter.layers.iter().map(|layer| layer.each_ref().map(thin)).collect(), projector }
    }

    /// As a file has it.
    pub fn to_adapter(&self, about: About, path: &Path) -> Adapter {
        let turned = |tensor: Tensor<B, 2>| values(tensor.transpose());
        let thin = |part: &LowRank<B>| Thin { down: turned(part.down.val()), up: turned(part.up.val()) };
        let linear = |linear: &Linear<B>| {
            [turned(linear.weight.val()), linear.bias.as_ref().map_or_else(Vec::new, |bias| values(bias.val()))]
        };
        let Projector { norm, first, second } = &self.projector;
        let bias = norm.beta.as_ref().map_or_else(Vec::new, |beta| values(beta.val()));
        let norm = [values(norm.gamma.val()), bias];
        let projection = Projection { norm, first: linear(first), second: linear(second) };
        Adapter::new(about, self.layers.iter().map(|layer| layer.each_ref().map(thin)).collect(), projection, path)
    }
}

fn values<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

impl<B: Backend> LowRank<B> {
    /// `[tokens, columns]` → what is added to `[tokens, rows]`.
    fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x.matmul(self.down.val()).matmul(self.up.val())
    }
}

impl<B: Backend> Projector<B> {
    /// Rows, `[rows, width]`, to embeddings, `[rows, hidden]`.
    pub fn forward(&self, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        self.second.forward(Gelu::new_approximate().forward(self.first.forward(self.norm.forward(rows))))
    }
}

impl<B: Backend> Frozen<B> {
    /// Of plain weights.
    pub fn new(plain: &Plain, device: &Device<B>) -> Self {
        let config = plain.config;
        let vector = |values: &[f32]| Tensor::from_data(TensorData::new(values.to_vec(), [1, values.len()]), device);
        let matrix = |values: &[f32], columns: usize| {
            let data = TensorData::new(values.to_vec(), [values.len() / columns, columns]);
            Tensor::<B, 2>::from_data(data, device).transpose()
        };
        let layers = plain.layers.iter().map(|layer| FrozenLayer {
            attention_norm: vector(&layer.attention_norm),
            inner_norm: vector(&layer.inner_norm),
            parts: Part::ALL.map(|part| matrix(&layer.parts[part as usize], part.shape(&config)[1])),
        });
        let size = config.head_size;
        let mut quarter = vec![0.0_f32; size * size];
        for [first, second] in plain.pairs.of(size) {
            // Of what it makes, the second is the first that was, and the first the second that was with its sign changed.
            quarter[first * size + second] = 1.0;
            quarter[second * size + first] = -1.0;
        }
        Self {
            config,
            quarter: Tensor::from_data(TensorData::new(quarter, [size, size]), device),
            pairs: plain.pairs,
            layers: layers.collect(),
            norm: vector(&plain.norm),
            head: matrix(&plain.head, config.hidden),
        }
    }

    /// The logits after the wanted tokens, `[wanted, vocabulary]`.
    pub fn logits(&self, adapters: &Adapters<B>, batch: &Batch) -> Tensor<B, 2> {
        let device = self.norm.device();
        let Config { hidden, epsilon, .. } = self.config;
        let [lessons, tokens] = batch.shape;
        let data = TensorData::new(batch.embeddings.clone(), [lessons * tokens, hidden]);
        let mut x = Tensor::<B, 2>::from_data(data, &device);
        if !batch.places.is_empty() {
            let rows = TensorData::new(batch.rows.clone(), [batch.places.len(), batch.rows.len() / batch.places.len()]);
            let seen = adapters.projector.forward(Tensor::from_data(rows, &device));
            x = x.select_assign(0, indices(&batch.places, &device), seen, IndexingUpdateOp::Add);
        }
        let room = Room::new(self, batch.shape, &device);
        for (layer, adapters) in self.layers.iter().zip(&adapters.layers) {
            let [attention, attention_out, gated, out] = adapters;
            let [to_attention, to_attention_out, to_gated, to_out] = layer.parts.clone();
            let y = normalized(x.clone(), &layer.attention_norm, epsilon);
            let y = self.attend(y.clone().matmul(to_attention) + attention.forward(y), &room);
            x = x + y.clone().matmul(to_attention_out) + attention_out.forward(y);
            let y = normalized(x.clone(), &layer.inner_norm, epsilon);
            let y = y.clone().matmul(to_gated) + gated.forward(y);
            let gate = y.clone().narrow(1, 0, self.config.inner);
            let y = gate.clone() * sigmoid(gate) * y.narrow(1, self.config.inner, self.config.inner);
            x = x + y.clone().matmul(to_out) + out.forward(y);
        }
        let wanted = x.select(0, indices(&batch.wanted, &device));
        normalized(wanted, &self.norm, epsilon).matmul(self.head.clone())
    }

    /// The cross entropy of what should be said, summed over its tokens, `[1]`.
    pub fn loss(&self, adapters: &Adapters<B>, batch: &Batch) -> Tensor<B, 1> {
        let logits = self.logits(adapters, batch);
        let targets = indices::<B>(&batch.targets, &self.norm.device()).unsqueeze_dim(1);
        log_softmax(logits, 1).gather(1, targets).sum().neg()
    }

    /// Queries, keys and values of all tokens, `[tokens, …]` → what was attended to, `[tokens, heads · head_size]`.
    fn attend(&self, y: Tensor<B, 2>, room: &Room<B>) -> Tensor<B, 2> {
        let Config { heads, kv_heads, head_size, .. } = self.config;
        let [lessons, tokens] = room.shape;
        let turned = heads + kv_heads;
        let to_turn = y.clone().narrow(1, 0, turned * head_size);
        let quarter = to_turn.clone().reshape([lessons * tokens * turned, head_size]).matmul(self.quarter.clone());
        let quarter = quarter.reshape([lessons * tokens, turned * head_size]);
        let to_turn = to_turn * room.cos.clone() + quarter * room.sin.clone();
        let heads_of = |x: Tensor<B, 2>, first: usize, count: usize| {
            let x = x.narrow(1, first * head_size, count * head_size).reshape([lessons, tokens, count, head_size]);
            x.swap_dims(1, 2).reshape([lessons * kv_heads, count / kv_heads * tokens, head_size])
        };
        let query = heads_of(to_turn.clone(), 0, heads);
        let key = heads_of(to_turn, heads, kv_heads);
        let value = heads_of(y, turned, kv_heads);
        let scores = query.matmul(key.transpose()) + room.mask.clone();
        let gathered = softmax(scores, 2).matmul(value).reshape([lessons, heads, tokens, head_size]);
        gathered.swap_dims(1, 2).reshape([lessons * tokens, heads * head_size])
    }
}

/// What is the same in all layers.
struct Room<B: Backend> {
    /// Lessons, and tokens of each.
    shape: [usize; 2],
    /// Cosines of every number's angle, `[tokens, (heads + kv_heads) · head_size]`; queries' with what scores are scaled by.
    cos: Tensor<B, 2>,
    /// Sines likewise.
    sin: Tensor<B, 2>,
    /// What is added to scores, `[1, heads of a key · tokens, tokens]`.
    mask: Tensor<B, 3>,
}

impl<B: Backend> Room<B> {
    fn new(frozen: &Frozen<B>, shape: [usize; 2], device: &Device<B>) -> Self {
        let Config { heads, kv_heads, head_size, rope_base, .. } = frozen.config;
        let [lessons, tokens] = shape;
        let scale = 1.0 / (head_size as f64).sqrt();
        let table = |of: fn(f64) -> f64| {
            let mut values = Vec::with_capacity(tokens * (heads + kv_heads) * head_size);
            let mut head = vec![0.0; head_size];
            for position in 0..tokens {
                for (pair, numbers) in frozen.pairs.of(head_size).enumerate() {
                    let angle = position as f64 * rope_base.powf(-2.0 * pair as f64 / head_size as f64);
                    numbers.into_iter().for_each(|number| head[number] = of(angle));
                }
                (0..heads).for_each(|_| values.extend(head.iter().map(|value| (value * scale) as f32)));
                (0..kv_heads).for_each(|_| values.extend(head.iter().map(|value| *value as f32)));
            }
            let width = (heads + kv_heads) * head_size;
            Tensor::<B, 2>::from_data(TensorData::new(values, [tokens, width]), device).repeat_dim(0, lessons)
        };
        let row = |token: usize| (0..tokens).map(move |other| if other <= token { 0.0 } else { UNSEEN });
        let mask: Vec<f32> = (0..heads / kv_heads).flat_map(|_| (0..tokens).flat_map(row)).collect();
        let mask = TensorData::new(mask, [1, heads / kv_heads * tokens, tokens]);
        Self { shape, cos: table(f64::cos), sin: table(f64::sin), mask: Tensor::from_data(mask, device) }
    }
}

/// Root-mean-square norm (Zhang and Sennrich 2019), `[tokens, hidden]`.
fn normalized<B: Backend>(x: Tensor<B, 2>, weight: &Tensor<B, 2>, epsilon: f32) -> Tensor<B, 2> {
    let square = x.clone().powi_scalar(2).mean_dim(1);
    x * (square + epsilon).sqrt().recip() * weight.clone()
}

fn indices<B: Backend>(values: &[i32], device: &Device<B>) -> Tensor<B, 1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}
