//! Models of few bits, whose weights are rounded so that what a model makes of texts changes least.
//!
//! As OdysseyLLM makes them (Li et al. 2023, arXiv 2311.09550): rows of whole numbers with one scale each, so that
//! products are of integers throughout. The scale is searched for that cuts off as much of the largest weights as makes
//! results best, and GPTQ lets columns make up for the rounding of others. Results are measured on what a matrix is given
//! when the model, as far as it is quantized, reads texts. Q4_0, with a scale for every 32 weights, is made in the same
//! way.
//!
//! ```no_run
//! use std::path::Path;
//! use tandem_vlm::format::Width;
//! use tandem_vlm::gguf;
//! use tandem_vlm::quantize::{Method, Target, quantize};
//!
//! # fn main() -> Result<(), tandem_vlm::Error> {
//! let file = gguf::File::open(Path::new("model.gguf"))?;
//! let (target, texts) = (Target::Rows(Width::Four), [vec![1, 4093, 281]]);
//! let quantized = quantize(&file, target, Method::Gptq, &texts, |done, all| println!("{done} of {all}"))?;
//! quantized.write(&file, Path::new("model.w4a8.gguf"))?;
//! # Ok(())
//! # }
//! ```

mod gptq;
mod gram;
mod own;
mod smooth;
mod target;
#[cfg(test)]
mod tests;

use std::path::Path;

use gptq::{Metric, Try};
use gram::Gram;
pub use own::own_words;
pub use target::Target;
use target::Tensor;

use crate::Error;
use crate::format::{Format, rows};
use crate::gguf;
use crate::model::{Model, Part, Plain, Walk};

/// How weights become numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Each to the nearest, by scales that cut off nothing.
    Round,
    /// Each to the nearest, by the scales that make results best.
    Clip,
    /// With [`Method::Clip`]'s scales, and columns that make up for others' rounding.
    Gptq,
}

/// Texts that a model is calibrated by, as OdysseyLLM has it.
pub const TEXTS: usize = 128;

/// Tokens of each.
pub const TEXT_TOKENS: usize = 512;

/// Excerpts of a text, from all over it: as many as are wanted, or as it has tokens for; a short text as a whole.
pub fn excerpts(tokens: &[u32], count: usize, length: usize) -> Vec<Vec<u32>> {
    if tokens.len() <= length {
        return (!tokens.is_empty()).then(|| tokens.to_vec()).into_iter().collect();
    }
    let last = tokens.len() - length;
    let count = count.min(last + 1);
    let firsts = (0..count).map(|number| number * last / (count - 1).max(1));
    firsts.map(|first| tokens[first..first + length].to_vec()).collect()
}

/// What is added to the diagonal of inputs' Gram matrix, of its mean. Ten times what GPTQ has: the less columns go by the
/// texts, the better they do on others.
const DAMPING: f64 = 0.1;

/// Scales that are tried, as parts of those that are best for each group by itself.
const CLIPS: [f32; 7] = [1.0, 0.9, 0.95, 1.05, 1.1, 0.85, 1.15];

impl Method {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Round, Self::Clip, Self::Gptq];

    /// What command lines call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Round => "round",
            Self::Clip => "clip",
            Self::Gptq => "gptq",
        }
    }

    /// The method of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The ways that are tried with each row; the first is [`Method::Round`]'s, so that none does worse.
    fn tries(self) -> Vec<Try> {
        let mut tries = vec![Try { clip: 1.0, search: false, feedback: false }];
        if self != Self::Round {
            tries.extend(CLIPS.map(|clip| Try { clip, search: true, feedback: self == Self::Gptq }));
        }
        tries
    }
}

/// A model's tensors that were quantized, and those that changed with them.
#[derive(Debug, Clone)]
pub struct Quantized {
    target: Target,
    tensors: Vec<Tensor>,
}

/// Quantizes the matrices of a model's layers. `texts` are tokens for it to read; if there are none, all inputs count
/// the same, and [`Method::Gptq`] is as [`Method::Clip`]. `progress` hears how many of the layers are done.
///
/// # Errors
/// [`Error::Model`] as [`Model::of_gguf`]; if the file is quantized so already; if a text is empty or has tokens that
/// the model has not; and for weights or inputs that are no finite numbers.
pub fn quantize(
    file: &gguf::File,
    target: Target,
    method: Method,
    texts: &[Vec<u32>],
    mut progress: impl FnMut(usize, usize),
) -> Result<Quantized, Error> {
    let wrong = |reason: String| Error::model(file.path(), reason);
    if let Some(name) = file.find::<&str>(rows::KEY)? {
        return Err(wrong(format!("it is quantized already, as {name}")));
    }
    let mut plain = Plain::of_gguf(file)?;
    let config = plain.config;
    if texts.iter().any(|text| text.is_empty() || text.iter().any(|token| *token as usize >= config.vocabulary)) {
        return Err(wrong("a text to calibrate it is empty, or is not of its tokens".to_owned()));
    }
    // Where nothing is searched for, nothing is measured.
    let texts = if method == Method::Round { &[] } else { texts };
    if let Some(share) = target.share().filter(|_| !texts.is_empty()) {
        smooth::smooth(file, &mut plain, texts, share)?;
    }
    let mut model = Model::of_gguf(file)?;
    let mut tensors = Vec::new();
    for (number, layer) in plain.layers.iter().enumerate() {
        model.replace_norms(number, &layer.attention_norm, &layer.inner_norm);
        for (name, norm) in [("attn_norm", &layer.attention_norm), ("ffn_norm", &layer.inner_norm)] {
            tensors.push(Tensor::plain(format!("blk.{number}.{name}.weight"), norm));
        }
    }
    let mut walk = Walk::new(model, texts);
    for (number, layer) in plain.layers.iter().enumerate() {
        for part in Part::ALL {
            let wrong = |reason: &str| wrong(format!("layer {number}, {}: {reason}", part.name()));
            let weights = &layer.parts[part as usize];
            if weights.iter().any(|weight| !weight.is_finite()) {
                return Err(wrong("a weight is no finite number"));
            }
            let columns = part.shape(&config)[1];
            let mut metric = Metric::plain(columns);
            if !texts.is_empty() {
                let mut gram = Gram::new(columns);
                walk.inputs().for_each(|inputs| gram.add(inputs));
                let found = Metric::of(&gram.mean(), columns, DAMPING);
                metric = found.ok_or_else(|| wrong("it is given what are no finite numbers"))?;
            }
            let rows = metric.round(weights, &target.grid(columns), &method.tries());
            let matrix = target.matrix(columns, &rows);
            walk.replace(number, part, matrix.ok_or_else(|| wrong("its rows are too long, or no whole blocks"))?);
            walk.pass(number, part);
            let mut rest = rows.as_slice();
            for (name, count) in part.tensors(number, &config) {
                let (rows, others) = rest.split_at(count);
                tensors.extend(target.tensors(&name, columns, rows));
                rest = others;
            }
        }
        progress(number + 1, config.layers);
    }
    Ok(Quantized { target, tensors })
}

/// What tells of the formats that the matrices had before.
const FILE_TYPE: &str = "general.file_type";

impl Quantized {
    /// Writes what [`Model::of_gguf`] reads: all that the model's file has, and what embeddings and head have of more
    /// than eight bits in Q8_0. Eight bits are as good there as sixteen if blocks have scales, and not if only rows have.
    ///
    /// # Errors
    /// As [`gguf::Writer::write`], and if a tensor of the model's file is not known.
    pub fn write(&self, file: &gguf::File, path: &Path) -> Result<(), Error> {
        let mut writer = gguf::Writer::default();
        for (key, value) in file.metadata().filter(|(key, _)| *key != FILE_TYPE) {
            writer.set(key, value.clone());
        }
        if let Target::Rows(width) = self.target {
            writer.set(rows::KEY, width.name());
        }
        let format = |tensor: &gguf::Tensor<'_>| match tensor.format {
            Format::F32 | Format::F16 | Format::Bf16 if tensor.shape.len() > 1 => Format::Q8_0,
            format => format,
        };
        for name in file.names() {
            let tensor = file.tensor(name)?;
            writer.tensor(name, tensor.shape, format(&tensor));
        }
        for Tensor { name, shape, format, .. } in &self.tensors {
            writer.tensor(name, shape, *format);
        }
        writer.write(path, |name, bytes| {
            if let Some(tensor) = self.tensors.iter().find(|tensor| tensor.name == name) {
                bytes.extend_from_slice(&tensor.bytes);
                return Ok(());
            }
            let tensor = file.tensor(name)?;
            match format(&tensor).encoder().filter(|_| format(&tensor) != tensor.format) {
                Some(encode) => encode(&tensor.values(), bytes),
                None => bytes.extend_from_slice(tensor.bytes),
            }
            Ok(())
        })
    }
}
