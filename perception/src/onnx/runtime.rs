//! onnxruntime, whose library is looked for when the first model is loaded: `ORT_DYLIB_PATH` names it, else the system's
//! own is taken.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::ep::{CUDA, TensorRT};
use ort::session::{Session, SessionInputValue};
use ort::value::TensorRef;

use crate::Error;

/// Who computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// The processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU through CUDA.
    Cuda,
    /// An NVIDIA GPU through TensorRT, and CUDA for what TensorRT cannot do.
    TensorRt,
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda),
            "tensorrt" => Ok(Self::TensorRt),
            _ => Err(format!("{name} is none of cpu, cuda, tensorrt")),
        }
    }
}

/// How a model is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Who computes.
    pub provider: Provider,
    /// Threads on the processor; 0 for as many as it has cores.
    pub threads: usize,
}

/// What goes into a model.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Floats(&'a [f32]),
    Ints(&'a [i32]),
}

/// What comes out of a model.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
}

/// A loaded model.
#[derive(Debug)]
pub(super) struct Model {
    path: PathBuf,
    session: Session,
}

impl Model {
    pub(super) fn load(path: &Path, options: Options) -> Result<Self, Error> {
        std::fs::metadata(path).map_err(Error::io(path))?;
        let session = session(environment()?, path, options).map_err(|error| Error::model(path, &error.to_string()))?;
        Ok(Self { path: path.into(), session })
    }

    pub(super) fn metadata(&self, key: &str) -> Option<String> {
        self.session.metadata().ok()?.custom(key)
    }

    /// That the model has inputs and outputs of these names.
    pub(super) fn has(&self, inputs: &[&str], outputs: &[&str]) -> Result<(), Error> {
        for (kind, wanted, there) in
            [("input", inputs, self.session.inputs()), ("output", outputs, self.session.outputs())]
        {
            if let Some(name) = wanted.iter().find(|name| there.iter().all(|outlet| outlet.name() != **name)) {
                return Err(Error::model(&self.path, &format!("it has no {kind} {name}")));
            }
        }
        Ok(())
    }

    /// Inputs with their shapes, and the names of outputs that [`Self::has`] found.
    pub(super) fn run<const N: usize>(
        &mut self,
        inputs: &[(&str, &[usize], Given<'_>)],
        outputs: [&str; N],
    ) -> Result<[Found; N], Error> {
        let mut values: Vec<(&str, SessionInputValue<'_>)> = Vec::with_capacity(inputs.len());
        for (name, shape, given) in inputs {
            let value = match given {
                Given::Floats(data) => {
                    TensorRef::from_array_view((*shape, *data)).map_err(wrong(&self.path, name))?.into()
                }
                Given::Ints(data) => {
                    TensorRef::from_array_view((*shape, *data)).map_err(wrong(&self.path, name))?.into()
                }
            };
            values.push((name, value));
        }
        let results = self.session.run(values).map_err(wrong(&self.path, "run"))?;
        let mut found = [const { Found::Floats(Vec::new()) }; N];
        for (found, name) in found.iter_mut().zip(outputs) {
            let value = &results[name];
            *found = if let Ok((_, data)) = value.try_extract_tensor::<i64>() {
                Found::Ints(data.to_vec())
            } else if let Ok((_, data)) = value.try_extract_tensor::<i32>() {
                Found::Ints(data.iter().map(|number| i64::from(*number)).collect())
            } else {
                Found::Floats(value.try_extract_tensor::<f32>().map_err(wrong(&self.path, name))?.1.to_vec())
            };
        }
        Ok(found)
    }
}

impl Found {
    pub(super) fn floats(self) -> Vec<f32> {
        match self {
            Self::Floats(values) => values,
            Self::Ints(values) => values.into_iter().map(|value| value as f32).collect(),
        }
    }

    pub(super) fn ints(self) -> Vec<i64> {
        match self {
            Self::Floats(values) => values.into_iter().map(|value| value as i64).collect(),
            Self::Ints(values) => values,
        }
    }
}

/// For `map_err`: what went wrong with an input, an output or the run.
fn wrong<'a>(path: &'a Path, what: &'a str) -> impl FnOnce(ort::Error) -> Error + 'a {
    move |error| Error::model(path, &format!("{what}: {error}"))
}

/// The one environment of this process.
fn environment() -> Result<&'static Environment, Error> {
    static ENVIRONMENT: OnceLock<Environment> = OnceLock::new();
    if let Some(environment) = ENVIRONMENT.get() {
        return Ok(environment);
    }
    let named = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    let library = named.unwrap_or_else(|| {
        format!("{}onnxruntime{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX).into()
    });
    let missing = |reason: String| {
        let reason = reason.lines().next().unwrap_or_default().to_owned();
        Error::Runtime { library: library.clone(), reason }
    };
    let builder = ort::init_from(&library).map_err(|error| missing(error.to_string()))?;
    let environment = builder.with_telemetry(false).build().map_err(|error| missing(error.to_string()))?;
    // What fails is an error of ours already, said once.
    environment.set_log_level(ort::logging::LogLevel::Fatal);
    Ok(ENVIRONMENT.get_or_init(|| environment))
}

fn session(environment: &Environment, path: &Path, options: Options) -> ort::Result<Session> {
    let providers = match options.provider {
        Provider::Cpu => Vec::new(),
        Provider::Cuda => vec![CUDA::default().build().error_on_failure()],
        Provider::TensorRt => {
            vec![TensorRT::default().build().error_on_failure(), CUDA::default().build().error_on_failure()]
        }
    };
    let builder = Session::builder(environment)?.with_execution_providers(providers)?;
    builder.with_intra_threads(options.threads)?.commit_from_file(path)
}
