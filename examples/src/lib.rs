//! What the example binaries share.

pub mod analysis_answers;
#[cfg(feature = "cluster")]
pub mod controller;
pub mod generate;
#[cfg(feature = "cluster")]
pub mod istio;
pub mod pool;
pub mod simulate;

/// What the README shows is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
