//! What a field of a message may be: its ROS type, and how it is written to and read from CDR.

use std::array;

use crate::Stamp;
use crate::cdr::{Malformed, Reader, Writer};
use crate::description::{Base, FieldType, Shape};

/// A type that a message's field may have: numbers, strings, messages, and arrays and sequences of these.
pub trait Field: Sized {
    /// The ROS type.
    const TYPE: FieldType;

    /// The fewest bytes that a value takes in CDR, padding not counted; never 0.
    const MIN_SIZE: usize;

    /// The value that ROS starts with.
    fn initial() -> Self;

    /// Appends the value.
    fn write(&self, writer: &mut Writer<'_>);

    /// Reads a value.
    ///
    /// # Errors
    /// If the bytes do not hold one.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// Appends many values.
    fn write_all(values: &[Self], writer: &mut Writer<'_>) {
        for value in values {
            value.write(writer);
        }
    }

    /// Reads `count` values; the caller has made sure that the bytes left can hold so many.
    ///
    /// # Errors
    /// If the bytes do not hold them.
    fn read_all(count: usize, reader: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            values.push(Self::read(reader)?);
        }
        Ok(values)
    }

    /// The first stamp in it, if it has one.
    fn stamp(&self) -> Option<Stamp> {
        None
    }
}

/// Numbers: fixed size, aligned to it; bytes are copied as they are. The ids are those of
/// `type_description_interfaces/msg/FieldType`.
macro_rules! numbers {
    (@write $values:ident $writer:ident bytes) => { $writer.put($values) };
    (@write $values:ident $writer:ident) => {
        if !$values.is_empty() {
            $writer.align(size_of::<Self>());
            let (room, _) = $writer.room(size_of_val($values)).as_chunks_mut();
            for (bytes, value) in room.iter_mut().zip($values) {
                *bytes = value.to_le_bytes();
            }
        }
    };
    ($($type:ident $ros:literal $id:literal $($bytes:ident)?),+ $(,)?) => {$(
        impl Field for $type {
            const TYPE: FieldType = FieldType::primitive($ros, $id);
            const MIN_SIZE: usize = size_of::<Self>();

            fn initial() -> Self {
                Self::default()
            }

            #[inline]
            fn write(&self, writer: &mut Writer<'_>) {
                writer.align(size_of::<Self>());
                writer.put(&self.to_le_bytes());
            }

            #[inline]
            fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
                let mut bytes = [0; size_of::<Self>()];
                bytes.copy_from_slice(reader.take(size_of::<Self>(), size_of::<Self>())?);
                Ok(Self::from_le_bytes(bytes))
            }

            fn write_all(values: &[Self], writer: &mut Writer<'_>) {
                numbers!(@write values writer $($bytes)?);
            }

            fn read_all(count: usize, reader: &mut Reader<'_>) -> Result<Vec<Self>, Malformed> {
                if count == 0 {
                    return Ok(Vec::new());
                }
                let bytes = reader.take(count.saturating_mul(size_of::<Self>()), size_of::<Self>())?;
                Ok(bytes.as_chunks().0.iter().map(|bytes| Self::from_le_bytes(*bytes)).collect())
            }
        }
    )+};
}

numbers! {
    i8 "int8" 2,
    u8 "uint8" 3 bytes,
    i16 "int16" 4,
    u16 "uint16" 5,
    i32 "int32" 6,
    u32 "uint32" 7,
    i64 "int64" 8,
    u64 "uint64" 9,
    f32 "float32" 10,
    f64 "float64" 11,
}

impl Field for bool {
    const TYPE: FieldType = FieldType::primitive("bool", 15);
    const MIN_SIZE: usize = 1;

    fn initial() -> Self {
        false
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.put(&[u8::from(*self)]);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match u8::read(reader)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a bool is neither 0 nor 1")),
        }
    }
}

/// A length that counts the terminating zero, the UTF-8 bytes, and the zero.
impl Field for String {
    const TYPE: FieldType = FieldType::STRING;
    const MIN_SIZE: usize = 4;

    fn initial() -> Self {
        Self::new()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.length(self.len() + 1);
        writer.put(self.as_bytes());
        writer.put(&[0]);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let length = reader.length(1)?;
        let bytes = match reader.take(length, 1)? {
            // Some writers leave the terminator of an empty string out.
            [] => &[],
            [text @ .., 0] => text,
            _ => return Err(Malformed("a string has no terminating zero")),
        };
        Ok(std::str::from_utf8(bytes).map_err(|_| Malformed("a string is not UTF-8"))?.to_owned())
    }
}

/// A fixed-size array: the values alone.
impl<T: Field, const N: usize> Field for [T; N] {
    const TYPE: FieldType = FieldType { base: T::TYPE.base, shape: Shape::Array(N) };
    const MIN_SIZE: usize = N * T::MIN_SIZE;

    fn initial() -> Self {
        array::from_fn(|_| T::initial())
    }

    fn write(&self, writer: &mut Writer<'_>) {
        T::write_all(self, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut values = Self::initial();
        for value in &mut values {
            *value = T::read(reader)?;
        }
        Ok(values)
    }
}

/// A sequence: its length, then the values.
impl<T: Field> Field for Vec<T> {
    const TYPE: FieldType = FieldType { base: T::TYPE.base, shape: Shape::Sequence };
    const MIN_SIZE: usize = 4;

    fn initial() -> Self {
        Self::new()
    }

    fn write(&self, writer: &mut Writer<'_>) {
        writer.length(self.len());
        T::write_all(self, writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = reader.length(T::MIN_SIZE)?;
        T::read_all(count, reader)
    }

    fn stamp(&self) -> Option<Stamp> {
        self.first()?.stamp()
    }
}

impl FieldType {
    /// ROS's `byte`, which is a `u8` like `uint8` but another type to the type hash.
    pub const BYTE: Self = Self::primitive("byte", 16);

    /// ROS's `string`.
    pub const STRING: Self = Self::primitive("string", 17);

    const fn primitive(name: &'static str, id: u8) -> Self {
        Self { base: Base::Primitive { name, id }, shape: Shape::Single }
    }
}
