//! A decoder's weights out of a GGUF file or a directory of safetensors.

use std::path::{Path, PathBuf};

use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};

use super::{Adapter, Config, Layer, Model, Part, Stack, Table};
use crate::Error;
use crate::format::{Format, Width, rows};
use crate::gguf;
use crate::kernel::{InstructionSet, Matrix, Pairs};

/// A matrix as a file has it.
pub(super) struct Raw<'a> {
    format: Format,
    rows: usize,
    /// Numbers of a row; of four bits that are only bytes for the file, half as many as there are weights.
    columns: usize,
    bytes: &'a [u8],
    /// One a row if the format is [`Format::I8`], and none otherwise.
    scales: Vec<f32>,
}

impl Raw<'_> {
    /// How wide the numbers are where rows have one scale, if there are so many of them.
    fn width(&self, columns: usize) -> Option<Width> {
        Width::ALL.into_iter().find(|width| self.format == Format::I8 && width.bytes(columns) == self.columns)
    }

    /// The matrix, of so many columns; `None` if these are no whole blocks.
    fn matrix(&self, columns: usize) -> Option<Matrix> {
        match self.width(columns) {
            Some(width) => Matrix::of_rows(width, columns, self.bytes, &self.scales),
            None => Matrix::new(self.format, self.rows, columns, self.bytes),
        }
    }

    /// As plain numbers, `[rows, columns]`.
    fn decode(&self, columns: usize, values: &mut [f32]) {
        let Some(width) = self.width(columns) else { return self.format.decode(self.bytes, values) };
        let mut numbers = vec![0; columns];
        let rows = self.bytes.chunks_exact(self.columns).zip(values.chunks_exact_mut(columns));
        for ((bytes, values), scale) in rows.zip(&self.scales) {
            width.read(bytes, &mut numbers);
            values.iter_mut().zip(&numbers).for_each(|(value, number)| *value = scale * f32::from(*number));
        }
    }
}

/// A file with weights, by the names that GGUF gives them.
pub(super) trait Source {
    fn path(&self) -> &Path;

    /// A matrix or a vector, which is a matrix of one row.
    fn find(&self, name: &str) -> Result<Option<Raw<'_>>, Error>;

    fn get(&self, name: &str, rows: usize, columns: usize) -> Result<Raw<'_>, Error> {
        let raw = self.find(name)?.ok_or_else(|| Error::model(self.path(), format!("it has no tensor {name}")))?;
        let is_as_wide = raw.columns == columns || raw.width(columns).is_some();
        if raw.rows != rows || !is_as_wide {
            let (found_rows, found_columns) = (raw.rows, raw.columns);
            let reason = format!("tensor {name} is {found_rows} × {found_columns}, not {rows} × {columns}");
            return Err(Error::model(self.path(), reason));
        }
        Ok(raw)
    }

    fn vector(&self, name: &str, columns: usize) -> Result<Vec<f32>, Error> {
        self.plain(&[(name.to_owned(), 1)], columns)
    }

    /// Matrices with the same inputs; those of a kind become one.
    fn stack(&self, parts: &[(String, usize)], columns: usize) -> Result<Stack, Error> {
        let mut groups: Vec<(Raw<'_>, Vec<u8>)> = Vec::new();
        for (name, rows) in parts {
            let raw = self.get(name, *rows, columns)?;
            match groups.last_mut().filter(|(group, _)| (group.format, group.columns) == (raw.format, raw.columns)) {
                Some((group, bytes)) => {
                    group.rows += rows;
                    group.scales.extend(raw.scales);
                    bytes.extend_from_slice(raw.bytes);
                }
                None => groups.push((Raw { bytes: &[], ..raw }, raw.bytes.to_vec())),
            }
        }
        let matrices = groups.into_iter().map(|(group, bytes)| {
            let matrix = Raw { bytes: &bytes, ..group }.matrix(columns);
            matrix.ok_or_else(|| self.does_not_fit(&parts[0].0, columns))
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
            raw.decode(columns, &mut values[before..]);
        }
        Ok(values)
    }

    /// A matrix of plain numbers, kept in eight bits.
    fn eight_bits(&self, name: &str, values: &[f32], columns: usize) -> Result<Stack, Error> {
        let format = Format::Q8_0;
        let mut bytes = Vec::new();
        let encode = format.encoder().ok_or_else(|| self.does_not_fit(name, columns))?;
        encode(values, &mut bytes);
        let matrix = Matrix::new(format, values.len() / columns, columns, &bytes);
        Ok(Stack(vec![matrix.ok_or_else(|| self.does_not_fit(name, columns))?]))
    }

    fn embeddings(&self, config: &Config) -> Result<Table, Error> {
        let name = "token_embd.weight";
        let raw = self.get(name, config.vocabulary, config.hidden)?;
        if raw.format == Format::I8 {
            return Err(Error::model(self.path(), format!("tensor {name}: embeddings are not read from rows of I8")));
        }
        Ok(Table { format: raw.format, columns: config.hidden, bytes: raw.bytes.to_vec() })
    }

    /// The name of what makes logits: where there is no head of its own, it is the embeddings.
    fn head(&self) -> Result<&'static str, Error> {
        Ok(if self.find("output.weight")?.is_some() { "output.weight" } else { "token_embd.weight" })
    }

    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Matrix, Error> {
        let matrix = self.get(name, rows, columns)?.matrix(columns);
        matrix.ok_or_else(|| self.does_not_fit(name, columns))
    }

    fn does_not_fit(&self, name: &str, columns: usize) -> Error {
        Error::model(self.path(), format!("{columns} columns of tensor {name} are no whole blocks of its format"))
    }
}

impl Model {
    /// From a GGUF file.
    ///
    /// # Errors
    /// As [`Config::of_gguf`]; for tensors that are not there or of another shape.
    pub fn of_gguf(file: &gguf::File) -> Result<Self, Error> {
        if let Some(name) = file.find::<&str>(rows::KEY)?.filter(|name| Width::named(name).is_none()) {
            return Err(Error::model(file.path(), format!("its weights are of {name:?}, which is not known")));
        }
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

impl Gguf<'_> {
    /// What the whole numbers of a matrix stand for, row by row.
    fn scales(&self, name: &str, rows: usize) -> Result<Vec<f32>, Error> {
        let beside = rows::scale_name(name);
        let tensor = self.0.tensor(&beside)?;
        let wrong = |reason: &str| Err(Error::model(self.path(), format!("tensor {beside}: {reason}")));
        if tensor.shape != [rows] || tensor.format != Format::F32 {
            return wrong(&format!("it is no vector of F32 with a scale for each of the {rows} rows of {name}"));
        }
        match tensor.values() {
            scales if scales.iter().all(|scale| scale.is_finite()) => Ok(scales),
            _ => wrong("a scale is no finite number"),
        }
    }
}

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
        let scales = if tensor.format == Format::I8 { self.scales(name, rows)? } else { Vec::new() };
        Ok(Some(Raw { format: tensor.format, rows, columns, bytes: tensor.bytes, scales }))
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
        Ok(Some(Raw { format, rows, columns, bytes: tensor.data(), scales: Vec::new() }))
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
