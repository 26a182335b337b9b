//! The edits as plain functions from objects to objects and from bytes to bytes, for test vectors and benchmarks.
//!
//! A controller uses [`IstioEditor`](crate::IstioEditor), which also checks who owns what it edits.

pub use crate::{
    bytes::{BytesError, edit_bytes},
    steps::{ApplyError, InForce, apply_steps},
};
