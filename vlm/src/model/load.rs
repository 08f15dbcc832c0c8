//! A decoder's weights out of a GGUF file or a directory of safetensors.

use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use super::{Adapter, Config, Layer, Model, Part, Stack, Table};
use crate::Error;
use crate::format::Format;
use crate::gguf;
use crate::kernel::{InstructionSet, Matrix, Pairs};

/// A matrix as a file has it.
pub(super) struct Raw<'a> {
    format: Format,
    rows: usize,
    columns: usize,
    bytes: &'a [u8],
}

/// A file with weights, by the names that GGUF gives them.
pub(super) trait Source {
    fn path(&self) -> &Path;

    /// A matrix or a vector, which is a matrix of one row.
    fn find(&self, name: &str) -> Result<Option<Raw<'_>>, Error>;

    fn get(&self, name: &str, rows: usize, columns: usize) -> Result<Raw<'_>, Error> {
        let raw = self.find(name)?.ok_or_else(|| Error::model(self.path(), format!("it has no tensor {name}")))?;
        if (raw.rows, raw.columns) != (rows, columns) {
            let (found_rows, found_columns) = (raw.rows, raw.columns);
            let reason = format!("tensor {name} is {found_rows} × {found_columns}, not {rows} × {columns}");
            return Err(Error::model(self.path(), reason));
        }
        Ok(raw)
    }

    fn vector(&self, name: &str, columns: usize) -> Result<Vec<f32>, Error> {
        let raw = self.get(name, 1, columns)?;
        let mut values = vec![0.0; columns];
        raw.format.decode(raw.bytes, &mut values);
        Ok(values)
    }

    /// Matrices with the same inputs; those of a format become one.
    fn stack(&self, parts: &[(String, usize)], columns: usize) -> Result<Stack, Error> {
        let mut groups: Vec<(Format, usize, Vec<u8>)> = Vec::new();
        for (name, rows) in parts {
            let raw = self.get(name, *rows, columns)?;
            match groups.last_mut().filter(|(format, ..)| *format == raw.format) {
                Some((_, all_rows, bytes)) => {
                    *all_rows += rows;
                    bytes.extend_from_slice(raw.bytes);
                }
                None => groups.push((raw.format, *rows, raw.bytes.to_vec())),
            }
        }
        let matrices = groups.into_iter().map(|(format, rows, bytes)| {
            Matrix::new(format, rows, columns, &bytes).ok_or_else(|| self.does_not_fit(&parts[0].0, format, columns))
        });
        Ok(Stack(matrices.collect::<Result<_, _>>()?))
    }

    /// Matrices with the same inputs as plain numbers, one below the other.
    fn plain(&self, parts: &[(String, usize)], columns: usize) -> Result<Vec<f32>, Error> {
        let mut values = Vec::new();
        for (name, rows) in parts {
            // Only a tensor that is there says that there is so much of it.
            let raw = self.get(name, *rows, columns)?;
            let before = values.len();
            values.resize(before + rows * columns, 0.0);
            raw.format.decode(raw.bytes, &mut values[before..]);
        }
        Ok(values)
    }

    /// A matrix of plain numbers, kept in eight bits.
    fn eight_bits(&self, name: &str, values: &[f32], columns: usize) -> Result<Stack, Error> {
        let format = Format::Q8_0;
        let mut bytes = Vec::new();
        let encode = format.encoder().ok_or_else(|| self.does_not_fit(name, format, columns))?;
        encode(values, &mut bytes);
        let matrix = Matrix::new(format, values.len() / columns, columns, &bytes);
        Ok(Stack(vec![matrix.ok_or_else(|| self.does_not_fit(name, format, columns))?]))
    }

    fn embeddings(&self, config: &Config) -> Result<Table, Error> {
        let raw = self.get("token_embd.weight", config.vocabulary, config.hidden)?;
        Ok(Table { format: raw.format, columns: config.hidden, bytes: raw.bytes.to_vec() })
    }

    /// The name of what makes logits: where there is no head of its own, it is the embeddings.
    fn head(&self) -> Result<&'static str, Error> {
        Ok(if self.find("output.weight")?.is_some() { "output.weight" } else { "token_embd.weight" })
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix, Error> {
        let raw = self.get(name, rows, columns)?;
        let matrix = Matrix::new(raw.format, rows, columns, raw.bytes);
        matrix.ok_or_else(|| self.does_not_fit(name, raw.format, columns))
    }

    fn does_not_fit(&self, name: &str, format: Format, columns: usize) -> Error {
        Error::model(self.path(), format!("{columns} columns of tensor {name} are no whole blocks of {format}"))
    }
}

impl Model {
    /// From a GGUF file.
    ///
    /// # Errors
    /// As [`Config::of_gguf`]; for tensors that are not there or of another shape.
    pub fn of_gguf(file: &gguf::File) -> Result<Self, Error> {
        Self::of(&Gguf(file), Config::of_gguf(file)?, Pairs::Neighbours, None)
    }

    /// From a GGUF file, with what was learnt beside it: the matrices that it changes are kept in eight bits.
    ///
    /// # Errors
    /// As [`Self::of_gguf`].
    pub fn adapted(file: &gguf::File, adapter: &Adapter) -> Result<Self, Error> {
        Self::of(&Gguf(file), Config::of_gguf(file)?, Pairs::Neighbours, Some(adapter))
    }

    /// From a directory with `config.json` and `model.safetensors`: a Llama, or the text part of an Idefics3 or a SmolVLM,
    /// whose other part is [`crate::vision::Vision`].
    ///
    /// # Errors
    /// As [`Config::of_json`]; if the weights cannot be read; for tensors that are not there or of another shape.
    pub fn of_directory(directory: &Path) -> Result<Self, Error> {
        with_directory(directory, |tensors, config| Self::of(tensors, config, Pairs::Halves, None))
    }

    fn of(source: &impl Source, config: Config, pairs: Pairs, adapter: Option<&Adapter>) -> Result<Self, Error> {
        let Config { hidden, vocabulary, .. } = config;
        let layer = |number: usize| {
            let norm = |name: &str| source.vector(&format!("blk.{number}.{name}.weight"), hidden);
            let part = |part: Part| {
                let (tensors, [_, columns]) = (part.tensors(number, &config), part.shape(&config));
                let Some(adapter) = adapter else { return source.stack(&tensors, columns) };
                let mut values = source.plain(&tensors, columns)?;
                adapter.change(number, part, &mut values);
                source.eight_bits(&tensors[0].0, &values, columns)
            };
            Ok(Layer {
                attention_norm: norm("attn_norm")?,
                attention: part(Part::Attention)?,
                attention_out: part(Part::AttentionOut)?,
                inner_norm: norm("ffn_norm")?,
                gated: part(Part::Gated)?,
                out: part(Part::Out)?,
            })
        };
        Ok(Self {
            config,
            pairs,
            embeddings: source.embeddings(&config)?,
            layers: (0..config.layers).map(layer).collect::<Result<_, Error>>()?,
            norm: source.vector("output_norm.weight", hidden)?,
            head: source.matrix(source.head()?, vocabulary, hidden)?,
            set: InstructionSet::best(),
        })
    }
}

/// Does something with the weights of a directory and what its `config.json` says.
pub(super) fn with_directory<T>(
    directory: &Path,
    then: impl FnOnce(&Tensors<'_>, Config) -> Result<T, Error>,
) -> Result<T, Error> {
    let config = Config::of_json(&directory.join("config.json"))?;
    Tensors::with(directory, |tensors| then(tensors, config))
}

/// Rows and columns of a shape.
fn sides(shape: &[usize]) -> Option<(usize, usize)> {
    match *shape {
        [columns] => Some((1, columns)),
        [rows, columns] => Some((rows, columns)),
        _ => None,
    }
}

pub(super) struct Gguf<'a>(pub &'a gguf::File);

impl Source for Gguf<'_> {
    fn path(&self) -> &Path {
        self.0.path()
    }

    fn find(&self, name: &str) -> Result<Option<Raw<'_>>, Error> {
        if !self.0.names().any(|known| known == name) {
            return Ok(None);
        }
        let tensor = self.0.tensor(name)?;
        let wrong = || Error::model(self.path(), format!("tensor {name} is no matrix"));
        let (rows, columns) = sides(tensor.shape).ok_or_else(wrong)?;
        Ok(Some(Raw { format: tensor.format, rows, columns, bytes: tensor.bytes }))
    }
}

/// The weights of a directory of safetensors.
pub(crate) struct Tensors<'a> {
    path: PathBuf,
    tensors: SafeTensors<'a>,
    /// Whether a text part stands within a larger model.
    is_part: bool,
}

impl Tensors<'_> {
    /// Does something with the weights of a directory.
    pub fn with<T>(directory: &Path, then: impl FnOnce(&Tensors<'_>) -> Result<T, Error>) -> Result<T, Error> {
        let path = directory.join("model.safetensors");
        let file = std::fs::File::open(&path).map_err(Error::io(&path))?;
        // SAFETY: the file is only read; one that is changed by others meanwhile gives other numbers, as with any read.
        #[allow(unsafe_code)]
        let bytes = unsafe { Mmap::map(&file) }.map_err(Error::io(&path))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| Error::model(&path, error.to_string()))?;
        let is_part = tensors.iter().any(|(name, _)| name.starts_with(PART));
        then(&Tensors { path, tensors, is_part })
    }

    /// The numbers of a tensor by the name that transformers gives it, which must have a shape.
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, Error> {
        let wrong = |reason: String| Error::model(&self.path, format!("tensor {name}: {reason}"));
        let tensor = self.tensors.tensor(name).map_err(|_| wrong("it is not there".to_owned()))?;
        if tensor.shape() != shape {
            return Err(wrong(format!("its shape is {:?}, not {shape:?}", tensor.shape())));
        }
        let format = plain(tensor.dtype()).map_err(wrong)?;
        let mut values = vec![0.0; shape.iter().product()];
        format.decode(tensor.data(), &mut values);
        Ok(values)
    }
}

/// What the names of a text part begin with, within a larger model, and alone.
const PART: &str = "model.text_model.";
const ALONE: &str = "model.";

fn plain(dtype: Dtype) -> Result<Format, String> {
    match dtype {
        Dtype::F32 => Ok(Format::F32),
        Dtype::F16 => Ok(Format::F16),
        Dtype::BF16 => Ok(Format::Bf16),
        other => Err(format!("its numbers are {other:?}")),
    }
}

impl Source for Tensors<'_> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn find(&self, name: &str) -> Result<Option<Raw<'_>>, Error> {
        let mut name = transformers_name(name);
        if self.is_part && name.starts_with(ALONE) {
            name.replace_range(..ALONE.len(), PART);
        }
        let Ok(tensor) = self.tensors.tensor(&name) else { return Ok(None) };
        let wrong = |reason: String| Error::model(&self.path, format!("tensor {name}: {reason}"));
        let format = plain(tensor.dtype()).map_err(wrong)?;
        let (rows, columns) = sides(tensor.shape()).ok_or_else(|| wrong("it is no matrix".to_owned()))?;
        Ok(Some(Raw { format, rows, columns, bytes: tensor.data() }))
    }
}

/// What transformers calls a tensor of GGUF.
pub(super) fn transformers_name(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    match parts[..] {
        ["token_embd", _] => "model.embed_tokens.weight".to_owned(),
        ["output_norm", _] => "model.norm.weight".to_owned(),
        ["blk", layer, part, _] => {
            let part = match part {
                "attn_norm" => "input_layernorm",
                "attn_q" => "self_attn.q_proj",
                "attn_k" => "self_attn.k_proj",
                "attn_v" => "self_attn.v_proj",
                "attn_output" => "self_attn.o_proj",
                "ffn_norm" => "post_attention_layernorm",
                "ffn_gate" => "mlp.gate_proj",
                "ffn_up" => "mlp.up_proj",
                _ => "mlp.down_proj",
            };
            format!("model.layers.{layer}.{part}.weight")
        }
        _ => "lm_head.weight".to_owned(),
    }
}
