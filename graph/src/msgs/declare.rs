//! The macro that declares a message: the struct, and all that the graph must know of it.

/// Declares a ROS message as a struct and implements [`crate::Message`] for it.
///
/// Fields have their ROS names and Rust types, from which the ROS types follow; `as BYTE` says where ROS keeps
/// another type of the same form, and `= value` what ROS starts with where that is not zero or empty. Constants
/// follow in a block of their own, and a stamp where the message is one itself.
macro_rules! message {
    (
        $(#[$meta:meta])*
        $package:ident::$name:ident {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty $(as $ros:ident)? $(= $default:expr)? ),+ $(,)?
        }
        $( const {
            $( $(#[$constant_meta:meta])* $constant:ident: $constant_type:ty $(as $constant_ros:ident)? = $value:expr ),+
            $(,)?
        } )?
        $( stamp $stamp:expr )?
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )+
        }

        $( impl $name {
            $( $(#[$constant_meta])* pub const $constant: $constant_type = $value; )+
        } )?

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: message!(@initial $type $(, $default)?), )+ }
            }
        }

        impl $crate::field::Field for $name {
            const TYPE: $crate::description::FieldType = $crate::description::FieldType {
                base: $crate::description::Base::Message(<Self as $crate::Message>::DESCRIPTION),
                shape: $crate::description::Shape::Single,
            };
            const MIN_SIZE: usize = 0 $( + <$type as $crate::field::Field>::MIN_SIZE )+;

            fn initial() -> Self {
                Self::default()
            }

            fn write(&self, writer: &mut $crate::cdr::Writer<'_>) {
                $( $crate::field::Field::write(&self.$field, writer); )+
            }

            fn read(reader: &mut $crate::cdr::Reader<'_>) -> Result<Self, $crate::cdr::Malformed> {
                Ok(Self { $( $field: $crate::field::Field::read(reader)?, )+ })
            }

            fn stamp(&self) -> Option<$crate::Stamp> {
                None
                    $( .or_else(|| Some($stamp(self))) )?
                    $( .or_else(|| $crate::field::Field::stamp(&self.$field)) )+
            }
        }

        impl $crate::Message for $name {
            const DESCRIPTION: &'static $crate::description::Description = &$crate::description::Description {
                name: concat!(stringify!($package), "/msg/", stringify!($name)),
                fields: &[ $( $crate::description::FieldDescription {
                    rust_name: stringify!($field),
                    kind: message!(@type $type $(as $ros)?),
                }, )+ ],
                constants: &[ $( $( $crate::description::ConstantDescription {
                    name: stringify!($constant),
                    kind: message!(@type $constant_type $(as $constant_ros)?),
                    value: stringify!($value),
                }, )+ )? ],
            };

            fn type_hash() -> &'static str {
                static HASH: std::sync::OnceLock<std::string::String> = std::sync::OnceLock::new();
                HASH.get_or_init(|| <Self as $crate::Message>::DESCRIPTION.type_hash())
            }

            fn definition() -> &'static str {
                static TEXT: std::sync::OnceLock<std::string::String> = std::sync::OnceLock::new();
                TEXT.get_or_init(|| <Self as $crate::Message>::DESCRIPTION.text())
            }
        }
    };

    (@initial $type:ty) => { <$type as $crate::field::Field>::initial() };
    (@initial $type:ty, $default:expr) => { $default };
    (@type $type:ty) => { <$type as $crate::field::Field>::TYPE };
    (@type $type:ty as $ros:ident) => { $crate::description::FieldType::$ros };
}
