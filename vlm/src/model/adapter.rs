//! What was learnt beside a frozen decoder, as a file: low-rank adapters, and the projector of what the eyes see.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use half::f16;
use rayon::prelude::*;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use super::{Config, Part};
use crate::format::Format;
use crate::kernel::{Dense, InstructionSet, ROWS, Then, layer_norm};
use crate::{Error, gguf};

/// The metadata key under which it stands what an adapter is for.
const ABOUT: &str = "tandem.adapter";

/// What is added to a variance in the projector's norm: burn's default.
const EPSILON: f32 = 1e-5;

/// What an adapter is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The name of the model that it was learnt beside.
    pub base: String,
    /// SHA-256 of the model's file, in hexadecimal digits.
    pub base_sha256: String,
    /// Rows of its thin matrices.
    pub rank: usize,
    /// Numbers of a row of the eyes.
    pub width: usize,
}

impl About {
    /// Of an adapter to a model.
    ///
    /// # Errors
    /// [`Error::Model`] for a file without a name.
    pub fn new(base: &gguf::File, rank: usize, width: usize) -> Result<Self, Error> {
        Ok(Self { base: base.text("general.name")?.to_owned(), base_sha256: base.sha256(), rank, width })
    }
}

/// What is added to a matrix: `up · down`.
#[derive(Debug, Clone, PartialEq)]
pub struct Thin {
    /// `[rank, columns]`.
    pub down: Vec<f32>,
    /// `[rows, rank]`.
    pub up: Vec<f32>,
}

/// What turns rows of the eyes into embeddings: a norm, then two linear layers with a GELU between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Weight and bias of the norm, `[width]` each.
    pub norm: [Vec<f32>; 2],
    /// Weight `[hidden, width]` and bias `[hidden]`.
    pub first: [Vec<f32>; 2],
    /// Weight `[hidden, hidden]` and bias `[hidden]`.
    pub second: [Vec<f32>; 2],
}

/// What was learnt.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapter {
    /// What it is for.
    pub about: About,
    /// A layer's, in the order of [`Part::ALL`].
    pub layers: Vec<[Thin; 4]>,
    /// For what the eyes see.
    pub projection: Projection,
    path: PathBuf,
}

impl Adapter {
    /// Out of what was learnt, to be written to `path`.
    pub fn new(about: About, layers: Vec<[Thin; 4]>, projection: Projection, path: &Path) -> Self {
        Self { about, layers, projection, path: path.into() }
    }

    /// Reads a file for a model.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read; [`Error::Model`] if it is damaged, or was learnt beside another model.
    pub fn open(path: &Path, base: &gguf::File) -> Result<Self, Error> {
        Self::of(&std::fs::read(path).map_err(Error::io(path))?, path, base)
    }

    /// What tandem's default model has learnt, which comes with the program, see `weights/judge.md`; `None` for another
    /// model.
    ///
    /// # Errors
    /// As [`Self::open`]; never for the file as it was committed.
    pub fn own(base: &gguf::File) -> Result<Option<Self>, Error> {
        let bytes = include_bytes!("../../../weights/judge.safetensors");
        let path = Path::new("weights/judge.safetensors");
        if about(bytes, path)?.base_sha256 != base.sha256() {
            return Ok(None);
        }
        Self::of(bytes, path, base).map(Some)
    }

    fn of(bytes: &[u8], path: &Path, base: &gguf::File) -> Result<Self, Error> {
        let wrong = |reason: String| Error::model(path, reason);
        let about = about(bytes, path)?;
        if about.base_sha256 != base.sha256() {
            let reason = format!("it is for {}, SHA-256 {}, not for this model", about.base, about.base_sha256);
            return Err(wrong(reason));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| wrong(error.to_string()))?;
        let get = |name: String, shape: &[usize]| {
            let tensor = tensors.tensor(&name).map_err(|_| wrong(format!("it has no tensor {name}")))?;
            if tensor.shape() != shape || tensor.dtype() != Dtype::F16 {
                let (found, dtype) = (tensor.shape(), tensor.dtype());
                return Err(wrong(format!("tensor {name} is {found:?} in {dtype:?}, not {shape:?} in F16")));
            }
            let mut values = vec![0.0; shape.iter().product()];
            Format::F16.decode(tensor.data(), &mut values);
            match values.iter().all(|value| value.is_finite()) {
                true => Ok(values),
                false => Err(wrong(format!("tensor {name} has numbers that are none"))),
            }
        };
        let config = Config::of_gguf(base)?;
        let About { rank, width, .. } = about;
        if rank == 0 || width == 0 || !width.is_multiple_of(ROWS) {
            return Err(wrong(format!(
                "rank {rank} and rows of {width} numbers: no rank is 0, and rows are whole {ROWS}s"
            )));
        }
        let thin = |layer: usize, part: Part| {
            let [rows, columns] = part.shape(&config);
            let name = |end: &str| format!("layers.{layer}.{}.{end}", part.name());
            Ok(Thin { down: get(name("down"), &[rank, columns])?, up: get(name("up"), &[rows, rank])? })
        };
        let [attention, attention_out, gated, out] = Part::ALL;
        let layer = |number: usize| {
            Ok([thin(number, attention)?, thin(number, attention_out)?, thin(number, gated)?, thin(number, out)?])
        };
        let layers = (0..config.layers).map(layer).collect::<Result<_, Error>>()?;
        let pair = |name: &str, weight: &[usize], bias: usize| {
            let get = |end: &str, shape: &[usize]| get(format!("projector.{name}.{end}"), shape);
            Ok::<_, Error>([get("weight", weight)?, get("bias", &[bias])?])
        };
        let hidden = config.hidden;
        let projection = Projection {
            norm: pair("norm", &[width], width)?,
            first: pair("first", &[hidden, width], hidden)?,
            second: pair("second", &[hidden, hidden], hidden)?,
        };
        Ok(Self { about, layers, projection, path: path.into() })
    }

    /// Writes it, by way of a file beside it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn save(&self) -> Result<(), Error> {
        let mut tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
        let mut put = |name: String, shape: Vec<usize>, values: &[f32]| {
            let bytes = values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
            tensors.insert(name, (shape, bytes));
        };
        let About { rank, .. } = self.about;
        for (number, layer) in self.layers.iter().enumerate() {
            for (part, thin) in Part::ALL.into_iter().zip(layer) {
                let name = |end: &str| format!("layers.{number}.{}.{end}", part.name());
                put(name("down"), vec![rank, thin.down.len() / rank], &thin.down);
                put(name("up"), vec![thin.up.len() / rank, rank], &thin.up);
            }
        }
        let Projection { norm, first, second } = &self.projection;
        for (name, [weight, bias]) in [("norm", norm), ("first", first), ("second", second)] {
            let columns = weight.len() / bias.len();
            let shape = if columns == 1 { vec![weight.len()] } else { vec![bias.len(), columns] };
            put(format!("projector.{name}.weight"), shape, weight);
            put(format!("projector.{name}.bias"), vec![bias.len()], bias);
        }
        let wrong = |reason: String| Error::model(&self.path, reason);
        let about = serde_json::to_string(&self.about).map_err(|error| wrong(error.to_string()))?;
        let views = tensors.iter().map(|(name, (shape, bytes))| {
            TensorView::new(Dtype::F16, shape.clone(), bytes).map(|view| (name.as_str(), view))
        });
        let views = views.collect::<Result<Vec<_>, _>>().map_err(|error| wrong(error.to_string()))?;
        let unfinished = self.path.with_extension("unfinished");
        safetensors::serialize_to_file(views, Some(HashMap::from([(ABOUT.to_owned(), about)])), &unfinished)
            .map_err(|error| wrong(error.to_string()))?;
        std::fs::rename(&unfinished, &self.path).map_err(Error::io(&self.path))
    }

    /// What becomes of a matrix of plain numbers, `[rows, columns]`.
    pub(super) fn change(&self, layer: usize, part: Part, values: &mut [f32]) {
        let Thin { down, up } = &self.layers[layer][part as usize];
        let rank = self.about.rank;
        let columns = down.len() / rank;
        values.par_chunks_exact_mut(columns).zip(up.par_chunks_exact(rank)).for_each(|(row, up)| {
            for (up, down) in up.iter().zip(down.chunks_exact(columns)) {
                row.iter_mut().zip(down).for_each(|(value, down)| *value += up * down);
            }
        });
    }
}

/// What a file says that it is for.
fn about(bytes: &[u8], path: &Path) -> Result<About, Error> {
    let wrong = |reason: String| Error::model(path, reason);
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| wrong(error.to_string()))?;
    let text = header.metadata().as_ref().and_then(|metadata| metadata.get(ABOUT));
    let text = text.ok_or_else(|| wrong("it is no adapter: it does not say for which model it is".to_owned()))?;
    serde_json::from_str(text).map_err(|error| wrong(error.to_string()))
}

/// A projection ready to be computed.
#[derive(Debug)]
pub struct Projector {
    set: InstructionSet,
    norm: [Vec<f32>; 2],
    first: Dense,
    second: Dense,
    hidden: usize,
}

impl Projector {
    /// Of an adapter.
    pub fn new(adapter: &Adapter) -> Self {
        let Projection { norm, first, second } = &adapter.projection;
        let dense = |[weight, bias]: &[Vec<f32>; 2]| Dense::new(weight.len() / bias.len(), weight, bias.clone());
        Self {
            set: InstructionSet::best(),
            norm: norm.clone(),
            first: dense(first),
            second: dense(second),
            hidden: second[1].len(),
        }
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.norm[0].len()
    }

    /// Rows of the eyes, `[rows, width]`, as embeddings, `[rows, hidden]`.
    pub fn project(&self, rows: &[f32]) -> Vec<f32> {
        let [weight, bias] = &self.norm;
        let mut normed = vec![0.0; rows.len()];
        layer_norm(self.set, rows, weight, bias, EPSILON, &mut normed);
        // Both layers put out numbers of the model's embeddings.
        let mut inner = vec![0.0; rows.len() / self.width() * self.hidden];
        self.first.product(self.set, &normed, Then::Gelu, &mut inner);
        let mut out = vec![0.0; inner.len()];
        self.second.product(self.set, &inner, Then::Set, &mut out);
        out
    }
}
