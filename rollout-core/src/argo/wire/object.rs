//! The macros that declare the objects of a manifest, with their Rust names and their names on the wire.

/// Declares an object of a manifest: a struct of options that is read leniently and records unknown fields.
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
            /// The fields that it may have.
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

/// Declares an object that is part of the step hash: the fields are in the order of the hashed text, and the word after
/// a key says when it is included (see `hash::text`).
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
