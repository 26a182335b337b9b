//! Plays a canary in virtual time: the manifests are read, the objects really edited, the world invented.

mod args;
mod change;
mod clock;
mod diagnostics;
mod duration;
mod happening;
mod input;
mod names;
mod nearest;
mod objects;
mod recorder;
mod script;
mod state;
mod text;
mod waits;
mod words;
