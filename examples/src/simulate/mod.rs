//! Plays a canary in virtual time: the manifests are read, the objects really edited, the world invented.

mod args;
mod change;
mod clock;
mod diagnostics;
mod duration;
mod happening;
mod input;
mod json;
mod model;
mod names;
mod nearest;
mod objects;
mod play;
mod recorder;
mod run;
mod script;
mod setup;
mod state;
mod summary;
mod text;
mod waits;
mod words;

pub use run::run;
