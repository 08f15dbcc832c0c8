//! What the eyes see at the moments of lessons, kept beside them: looking takes longer than learning from it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tandem_datasets::Pose2;
use tandem_datasets::log::upright;
use tandem_graph::Stamp;
use tandem_perception::kernel::Kernels;

use super::lesson::Lesson;
use crate::Error;
use crate::eyes::{Eyes, Place, ROWS, Rows, WIDTH};

/// The name of the one tensor.
const NAME: &str = "rows";

/// The metadata key under which it stands whose eyes they were.
const EYES: &str = "tandem.eyes";

/// What the eyes see of lessons, by world and moment.
#[derive(Debug, Default)]
pub struct Sights(HashMap<(u64, i64), Vec<f16>>);

impl Sights {
    /// Of the lessons of one world, in the order of time: out of a directory, or by looking, after which they are there.
    /// What other eyes saw is looked at anew.
    ///
    /// # Errors
    /// [`Error::World`] for a world that cannot be made; [`Error::Io`] and [`Error::Model`] for files.
    pub fn kept<B: Kernels>(directory: &Path, lessons: &[Lesson], eyes: &mut Eyes<B>) -> Result<Self, Error> {
        let Some(Lesson { world, .. }) = lessons.first() else { return Ok(Self::default()) };
        let path = directory.join(format!("{world:06}.rows"));
        let shape = [lessons.len(), ROWS, WIDTH];
        let numbers = match read(&path, eyes.digest(), &shape)? {
            Some(numbers) => numbers,
            None => {
                let numbers = look(*world, lessons, eyes)?;
                write(&path, eyes.digest(), &shape, &numbers)?;
                numbers
            }
        };
        let moments = lessons.iter().map(|lesson| (lesson.world, lesson.stamp_ns));
        Ok(Self(moments.zip(numbers.chunks_exact(ROWS * WIDTH).map(<[f16]>::to_vec)).collect()))
    }

    /// With those of other worlds.
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// At a lesson's moment.
    pub fn at(&self, lesson: &Lesson) -> Option<Rows> {
        let numbers = self.0.get(&(lesson.world, lesson.stamp_ns))?;
        Some(Rows { width: WIDTH, values: numbers.iter().map(|number| number.to_f32()).collect() })
    }
}

fn look<B: Kernels>(world: u64, lessons: &[Lesson], eyes: &mut Eyes<B>) -> Result<Vec<f16>, Error> {
    let place = Place::new(world)?;
    eyes.forget();
    let mut numbers = Vec::with_capacity(lessons.len() * ROWS * WIDTH);
    for lesson in lessons {
        let [x, y, yaw] = lesson.map_from_ego;
        let moment = (Stamp::from_ns(lesson.stamp_ns), upright(Pose2::new(x, y, yaw)));
        numbers.extend(place.see(eyes, moment, None)?.rows.values.into_iter().map(f16::from_f32));
    }
    Ok(numbers)
}

/// `None` for a file that is not there or of other eyes or lessons.
fn read(path: &PathBuf, eyes: &str, shape: &[usize]) -> Result<Option<Vec<f16>>, Error> {
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let wrong = |error: safetensors::SafeTensorError| Error::model(path, error.to_string());
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(wrong)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(wrong)?;
    let tensor = tensors.tensor(NAME).map_err(wrong)?;
    let whose = header.metadata().as_ref().and_then(|metadata| metadata.get(EYES));
    if whose.map(String::as_str) != Some(eyes) || tensor.shape() != shape || tensor.dtype() != Dtype::F16 {
        return Ok(None);
    }
    Ok(Some(tensor.data().as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect()))
}

fn write(path: &PathBuf, eyes: &str, shape: &[usize], numbers: &[f16]) -> Result<(), Error> {
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let wrong = |error: safetensors::SafeTensorError| Error::model(path, error.to_string());
    let view = TensorView::new(Dtype::F16, shape.to_vec(), &bytes).map_err(wrong)?;
    let metadata = HashMap::from([(EYES.to_owned(), eyes.to_owned())]);
    let unfinished = path.with_extension("unfinished");
    safetensors::serialize_to_file([(NAME, view)], Some(metadata), &unfinished).map_err(wrong)?;
    std::fs::rename(&unfinished, path).map_err(Error::io(path))
}
