//! The table that each object of the language is: its Rust names and its names on the wire.

use super::super::reader::Reader;
use serde_json::Value;

/// What can be read from a manifest.
pub(crate) trait Wire: Default {
    /// Whether `null` is a value of its own; elsewhere it means absent.
    const TAKES_NULL: bool = false;

    /// Reads the value, or notes why that is impossible.
    fn read(value: &Value, reader: &mut Reader) -> Option<Self>;
}

/// Declares an object of the language: a struct of options, read leniently, its unknown fields noted.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $name:ident like $example:literal $(ignoring [$($ignored:literal),* $(,)?])? {
            $( $field:ident: $type:ty = $key:literal, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default)]
        #[non_exhaustive]
        pub struct $name {
            $(
                #[doc = concat!("`", $key, "`, as it was written.")]
                pub $field: Option<$type>,
            )*
        }

        impl $name {
            /// What may stand in it.
            pub(crate) const FIELDS: &'static [&'static str] = &[$($key,)* $($($ignored,)*)?];
        }

        impl $crate::argo::wire::Wire for $name {
            fn read(value: &serde_json::Value, reader: &mut $crate::argo::reader::Reader) -> Option<Self> {
                let map = reader.object(value, $example, Self::FIELDS)?;
                Some(Self { $( $field: reader.field(map, $key), )* })
            }
        }
    };
}

/// Declares an object that is part of the step hash: the order of the fields is that of the hashed text,
/// and the word after a key says when it is in there (see `hash::text`).
macro_rules! hashed {
    (
        $(#[$doc:meta])*
        $name:ident like $example:literal, absent $absent:literal {
            $( $field:ident: $type:ty = $key:literal $mark:ident, )*
        }
    ) => {
        $crate::argo::wire::object::object! {
            $(#[$doc])*
            $name like $example { $( $field: $type = $key, )* }
        }

        impl $crate::argo::hash::Text for $name {
            const ABSENT: &'static str = $absent;

            fn write(&self, out: &mut alloc::string::String) {
                let mut object = $crate::argo::hash::ObjectText::begin(out);
                $( object.$mark($key, self.$field.as_ref()); )*
                object.end();
            }
        }
    };
}

pub(crate) use {hashed, object};
