//! Metadata as what a caller wants of it.

use std::any::type_name;

use super::value::{List, Value};

/// What a value of the metadata can be taken as: a `&str`, a `bool`, a whole number of any width that it fits, an `f32`
/// or `f64`, or a list of one of these: `&[String]`, `&[bool]`, `Vec` of numbers.
///
/// Implemented here only.
pub trait Take<'a>: Sized {
    /// What it is called in messages.
    #[doc(hidden)]
    const WANTED: &'static str;

    /// The value, if it is of the kind; why not, if it does not fit.
    #[doc(hidden)]
    fn take(value: &'a Value) -> Option<Result<Self, String>>;
}

/// A number of the metadata.
pub trait Number: for<'a> Take<'a> {}

macro_rules! borrowed {
    ($($type:ty, $wanted:literal, $pattern:pat => $taken:expr;)+) => { $(
        impl<'a> Take<'a> for $type {
            const WANTED: &'static str = $wanted;

            fn take(value: &'a Value) -> Option<Result<Self, String>> {
                if let $pattern = value { Some(Ok($taken)) } else { None }
            }
        }
    )+ };
}

borrowed! {
    bool, "a truth value", Value::Bool(truth) => *truth;
    &'a str, "a string", Value::Text(text) => text;
    &'a [bool], "a list of truth values", Value::List(List::Bool(truths)) => truths;
    &'a [String], "a list of strings", Value::List(List::Text(texts)) => texts;
}

macro_rules! numbers {
    ($($type:ty)+, $wanted:literal, $list:literal, $read:ident, $read_list:ident, $convert:expr) => { $(
        impl Number for $type {}

        impl Take<'_> for $type {
            const WANTED: &'static str = $wanted;

            fn take(value: &Value) -> Option<Result<Self, String>> {
                $read(value).map($convert)
            }
        }

        impl Take<'_> for Vec<$type> {
            const WANTED: &'static str = $list;

            fn take(value: &Value) -> Option<Result<Self, String>> {
                $read_list(value).map(|numbers| numbers.map($convert).collect())
            }
        }
    )+ };
}

numbers!(u8 i8 u16 i16 u32 i32 u64 i64 usize, "a whole number", "a list of whole numbers", whole, wholes, fit);
numbers!(f64, "a floating-point number", "a list of floating-point numbers", real, reals, Ok);
numbers!(f32, "a floating-point number", "a list of floating-point numbers", real, reals, |number| Ok(number as f32));

fn fit<N: TryFrom<i128>>(number: i128) -> Result<N, String> {
    N::try_from(number).map_err(|_| format!("{number} does not fit {}", type_name::<N>()))
}

fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::U8(number) => Some((*number).into()),
        Value::I8(number) => Some((*number).into()),
        Value::U16(number) => Some((*number).into()),
        Value::I16(number) => Some((*number).into()),
        Value::U32(number) => Some((*number).into()),
        Value::I32(number) => Some((*number).into()),
        Value::U64(number) => Some((*number).into()),
        Value::I64(number) => Some((*number).into()),
        _ => None,
    }
}

fn wholes(value: &Value) -> Option<Box<dyn Iterator<Item = i128> + '_>> {
    let Value::List(list) = value else { return None };
    match list {
        List::U8(numbers) => Some(each(numbers)),
        List::I8(numbers) => Some(each(numbers)),
        List::U16(numbers) => Some(each(numbers)),
        List::I16(numbers) => Some(each(numbers)),
        List::U32(numbers) => Some(each(numbers)),
        List::I32(numbers) => Some(each(numbers)),
        List::U64(numbers) => Some(each(numbers)),
        List::I64(numbers) => Some(each(numbers)),
        _ => None,
    }
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::F32(number) => Some((*number).into()),
        Value::F64(number) => Some(*number),
        _ => None,
    }
}

fn reals(value: &Value) -> Option<Box<dyn Iterator<Item = f64> + '_>> {
    match value {
        Value::List(List::F32(numbers)) => Some(each(numbers)),
        Value::List(List::F64(numbers)) => Some(each(numbers)),
        _ => None,
    }
}

fn each<N: Copy + Into<W>, W>(numbers: &[N]) -> Box<dyn Iterator<Item = W> + '_> {
    Box::new(numbers.iter().map(|number| (*number).into()))
}
