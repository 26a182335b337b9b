//! Plays a canary in virtual time; `simulate --help` says how.

fn main() {}
