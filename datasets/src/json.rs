//! Reading JSON logs, plain or gzip, with the loose typing that Python exporters leave behind.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::error::Error;

/// The most that one JSON log may hold once unpacked; real ones hold up to some 30 MB.
const LIMIT_BYTES: u64 = 1 << 30;

/// Parses a whole file.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`] for a bad gzip stream, [`Error::Json`] with the path of the field.
pub(crate) fn parse<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let mut bytes = Vec::new();
    open(path)?.take(LIMIT_BYTES + 1).read_to_end(&mut bytes).map_err(|error| Error::damaged(path, error))?;
    if bytes.len() as u64 > LIMIT_BYTES {
        return Err(Error::damaged(path, format!("more than {LIMIT_BYTES} bytes of JSON")));
    }
    parse_bytes(path, &bytes)
}

/// Parses bytes that came from `path`.
pub(crate) fn parse_bytes<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| {
        // Only a failing file is read a second time, to learn which field it was.
        let field = match serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(bytes)) {
            Err(traced) if traced.path().iter().len() > 0 => Some(traced.path().to_string()),
            _ => None,
        };
        match (Error::json(path)(error), field) {
            (Error::Json { path, line, column, reason }, Some(field)) => {
                Error::Json { path, line, column, reason: format!("`{field}`: {reason}") }
            }
            (error, _) => error,
        }
    })
}

/// Opens a file for reading; gzip is recognised by its first two bytes.
fn open(path: &Path) -> Result<Box<dyn BufRead>, Error> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(path).map_err(Error::io(path))?);
    let gzip = reader.fill_buf().map_err(Error::io(path))?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) })
}

/// What the keys at a JSON file's top level say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A ScenarioNet record.
    ScenarioNet,
    /// A Waymo scenario as GPUDrive and Nocturne write it.
    Waymo,
}

/// What a JSON file is, by its first top-level keys. `None` for everything else, readable or not.
pub(crate) fn kind(path: &Path) -> Option<Kind> {
    keys(path, false)?.kind
}

/// The name that a scenario's file gives it at its top level; its file name where it gives none.
pub(crate) fn id(path: &Path) -> String {
    keys(path, true).and_then(|keys| keys.id).unwrap_or_else(|| stem(path))
}

/// A file's name without `.json` and `.gz`.
pub(crate) fn stem(path: &Path) -> String {
    let name = crate::source::file_name(path);
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.strip_suffix(".json").unwrap_or(name).to_owned()
}

/// Reads a file's top-level keys, no further than it takes to know its kind, and its id if that is wanted.
fn keys(path: &Path, id_wanted: bool) -> Option<Keys> {
    let name = path.file_name()?.to_string_lossy();
    if !(name.ends_with(".json") || name.ends_with(".json.gz")) || !path.is_file() {
        return None;
    }
    let mut keys = Keys { id_wanted, kind: None, id: None };
    let mut json = serde_json::Deserializer::from_reader(open(path).ok()?);
    // The visitor leaves in the middle of the object, which serde_json reports; what it saw is in `keys`.
    let _left_early = (&mut json).deserialize_map(&mut keys);
    Some(keys)
}

/// The keys seen so far.
struct Keys {
    id_wanted: bool,
    kind: Option<Kind>,
    id: Option<String>,
}

impl<'de> Visitor<'de> for &mut Keys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while self.kind.is_none() || (self.id_wanted && self.id.is_none()) {
            let Some(key) = map.next_key::<String>()? else { break };
            match key.as_str() {
                "id" | "scenario_id" => {
                    self.id = Some(map.next_value::<Name>()?.0);
                    continue;
                }
                "tracks" | "map_features" | "dynamic_map_states" => self.kind = Some(Kind::ScenarioNet),
                "objects" | "roads" | "tl_states" => self.kind = Some(Kind::Waymo),
                _ => {}
            }
            if self.kind.is_none() || self.id_wanted {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A number, plain, as a flag, or alone in a list; `null` is "not known" and becomes NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scalar(pub f64);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
                Ok(Scalar(number))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number as f64))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number as f64))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Scalar, E> {
                Ok(Scalar(f64::from(u8::from(flag))))
            }
            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar(f64::NAN))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scalar, E> {
                text.parse().map(Scalar).map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
                let first = list.next_element()?.ok_or_else(|| serde::de::Error::invalid_length(0, &self))?;
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar(first))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// Whether something holds: a boolean, or a number that is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;
        impl Visitor<'_> for FlagVisitor {
            type Value = Flag;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a boolean or a number")
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Flag, E> {
                Ok(Flag(number != 0.0))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Flag, E> {
                Ok(Flag(number != 0))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Flag, E> {
                Ok(Flag(number != 0))
            }
            fn visit_unit<E>(self) -> Result<Flag, E> {
                Ok(Flag(false))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Flag, E> {
                match text {
                    "True" | "true" => Ok(Flag(true)),
                    "False" | "false" => Ok(Flag(false)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(FlagVisitor)
    }
}

/// An id: text, or a number that stands for its text; `null` is the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a number")
            }
            fn visit_str<E>(self, text: &str) -> Result<Name, E> {
                Ok(Name(text.to_owned()))
            }
            fn visit_string<E>(self, text: String) -> Result<Name, E> {
                Ok(Name(text))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Name, E> {
                Ok(Name(number.to_string()))
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Name, E> {
                Ok(Name(flag.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Name, E> {
                Ok(Name::default())
            }
        }
        deserializer.deserialize_any(NameVisitor)
    }
}

/// Up to three coordinates, as `[x, y, …]` or `{"x": …, "y": …}`; a missing third one is zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Coordinates(pub [f64; 3]);

impl<'de> Deserialize<'de> for Coordinates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CoordinatesVisitor;
        impl<'de> Visitor<'de> for CoordinatesVisitor {
            type Value = Coordinates;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two or three coordinates")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Coordinates, A::Error> {
                let mut coordinates = [0.0; 3];
                let mut count = 0;
                while let Some(Scalar(number)) = list.next_element()? {
                    if let Some(slot) = coordinates.get_mut(count) {
                        *slot = number;
                    }
                    count += 1;
                }
                if count < 2 {
                    Err(serde::de::Error::invalid_length(count, &self))
                } else {
                    Ok(Coordinates(coordinates))
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Coordinates, A::Error> {
                let [mut x, mut y, mut z] = [None, None, None];
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "x" => x = Some(map.next_value::<Scalar>()?.0),
                        "y" => y = Some(map.next_value::<Scalar>()?.0),
                        "z" => z = Some(map.next_value::<Scalar>()?.0),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                let x = x.ok_or_else(|| serde::de::Error::missing_field("x"))?;
                let y = y.ok_or_else(|| serde::de::Error::missing_field("y"))?;
                Ok(Coordinates([x, y, z.unwrap_or(0.0)]))
            }
        }
        deserializer.deserialize_any(CoordinatesVisitor)
    }
}

/// A series over time: one value a row, or one value for all rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Series {
    /// The same at all times.
    Constant(f64),
    /// One value a row.
    Rows(Vec<f64>),
}

impl<'de> Deserialize<'de> for Series {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SeriesVisitor;
        impl<'de> Visitor<'de> for SeriesVisitor {
            type Value = Series;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a list of numbers")
            }
            fn visit_f64<E>(self, number: f64) -> Result<Series, E> {
                Ok(Series::Constant(number))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Series, E> {
                Ok(Series::Constant(number as f64))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Series, E> {
                Ok(Series::Constant(number as f64))
            }
            fn visit_unit<E>(self) -> Result<Series, E> {
                Ok(Series::Constant(f64::NAN))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Series, A::Error> {
                let mut rows = Vec::new();
                while let Some(Scalar(number)) = list.next_element()? {
                    rows.push(number);
                }
                Ok(Series::Rows(rows))
            }
        }
        deserializer.deserialize_any(SeriesVisitor)
    }
}

/// An object's entries in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Ordered<T>(pub Vec<(String, T)>);

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrderedVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OrderedVisitor<T> {
            type Value = Ordered<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(OrderedVisitor(PhantomData))
    }
}

/// For `deserialize_with`: `null` like an absent field.
pub(crate) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
