//! Plays a canary in virtual time: the manifests are read, the objects really edited, the world invented.

mod args;
mod change;
mod diagnostics;
mod duration;
mod input;
mod nearest;
mod script;
