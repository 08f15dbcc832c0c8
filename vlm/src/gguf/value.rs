//! What metadata can be: numbers, truth values, strings, and lists of one of these.
//!
//! The numbers of the types: ggml `docs/gguf.md`, `gguf_metadata_value_type`. A list of lists, which that text allows,
//! is refused by ggml's own reader, and so here.

use super::cursor::Cursor;

/// The number of a list's type.
const LIST: u32 = 9;

/// One thing that a list can hold.
pub(super) trait Item: Sized {
    /// The fewest bytes that one takes.
    const BYTES: usize;
    /// What it is called in messages.
    const NAME: &'static str;

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String>;
    fn write(&self, bytes: &mut Vec<u8>);
}

macro_rules! number_items {
    ($($type:ty)+) => { $(
        impl Item for $type {
            const BYTES: usize = size_of::<Self>();
            const NAME: &'static str = stringify!($type);

            fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
                cursor.array().map(Self::from_le_bytes)
            }

            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_le_bytes());
            }
        }
    )+ };
}

number_items!(u8 i8 u16 i16 u32 i32 u64 i64 f32 f64);

impl Item for bool {
    const BYTES: usize = 1;
    const NAME: &'static str = "bool";

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let at = cursor.at();
        match cursor.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [byte] => Err(format!("the truth value at byte {at} is {byte}")),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push((*self).into());
    }
}

impl Item for String {
    const BYTES: usize = 8;
    const NAME: &'static str = "string";

    fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        cursor.text().map(str::to_owned)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        write_text(self, bytes);
    }
}

/// Writes a string with its length before it.
pub(super) fn write_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

macro_rules! values {
    ($($kind:ident $type:ty = $number:literal, $doc:literal;)+) => {
        /// A value of a file's metadata.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Value {
            $( #[doc = $doc] $kind($type), )+
            /// Any number of the same.
            List(List),
        }

        /// A list of a file's metadata.
        #[derive(Debug, Clone, PartialEq)]
        pub enum List {
            $( #[doc = concat!($doc, " Each.")] $kind(Vec<$type>), )+
        }

        impl Value {
            /// Reads the number of a type, and a value of it.
            pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
                match cursor.u32()? {
                    $( $number => <$type as Item>::read(cursor).map(Self::$kind), )+
                    LIST => List::read(cursor).map(Self::List),
                    other => Err(format!("there is no type {other}")),
                }
            }

            /// Writes the number of its type, and itself.
            pub(super) fn write(&self, bytes: &mut Vec<u8>) {
                match self {
                    $( Self::$kind(value) => {
                        bytes.extend(u32::to_le_bytes($number));
                        value.write(bytes);
                    } )+
                    Self::List(list) => {
                        bytes.extend(LIST.to_le_bytes());
                        list.write(bytes);
                    }
                }
            }

            /// Its type, for messages.
            pub(super) fn describe(&self) -> String {
                match self {
                    $( Self::$kind(_) => <$type>::NAME.to_owned(), )+
                    $( Self::List(List::$kind(items)) => format!("[{}; {}]", <$type>::NAME, items.len()), )+
                }
            }
        }

        impl List {
            fn read(cursor: &mut Cursor<'_>) -> Result<Self, String> {
                match cursor.u32()? {
                    $( $number => {
                        let count = cursor.count(<$type>::BYTES)?;
                        let mut items = Vec::with_capacity(count);
                        for _ in 0..count {
                            items.push(Item::read(cursor)?);
                        }
                        Ok(Self::$kind(items))
                    } )+
                    LIST => Err("lists of lists are not read".into()),
                    other => Err(format!("there is no type {other}")),
                }
            }

            fn write(&self, bytes: &mut Vec<u8>) {
                match self {
                    $( Self::$kind(items) => {
                        bytes.extend(u32::to_le_bytes($number));
                        bytes.extend((items.len() as u64).to_le_bytes());
                        items.iter().for_each(|item| item.write(bytes));
                    } )+
                }
            }
        }

        $(
            impl From<$type> for Value {
                fn from(value: $type) -> Self {
                    Self::$kind(value)
                }
            }

            impl From<Vec<$type>> for Value {
                fn from(items: Vec<$type>) -> Self {
                    Self::List(List::$kind(items))
                }
            }
        )+
    };
}

values! {
    U8 u8 = 0, "A whole number of 8 bits.";
    I8 i8 = 1, "A whole number of 8 bits with a sign.";
    U16 u16 = 2, "A whole number of 16 bits.";
    I16 i16 = 3, "A whole number of 16 bits with a sign.";
    U32 u32 = 4, "A whole number of 32 bits.";
    I32 i32 = 5, "A whole number of 32 bits with a sign.";
    F32 f32 = 6, "A number of single precision.";
    Bool bool = 7, "A truth value.";
    Text String = 8, "A string.";
    U64 u64 = 10, "A whole number of 64 bits.";
    I64 i64 = 11, "A whole number of 64 bits with a sign.";
    F64 f64 = 12, "A number of double precision.";
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
