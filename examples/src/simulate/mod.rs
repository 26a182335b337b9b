//! Plays a canary in virtual time: the manifests are read, the objects really edited, the world invented.

#![expect(
    clippy::format_push_string,
    reason = "a report is put together once; one more allocation a line is no matter"
)]
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the engine's enums grow: what is newer than this program is told in the engine's own words"
)]

mod args;
mod change;
mod claims;
mod clock;
mod clusters;
mod diagnostics;
mod duration;
mod elsewhere;
mod given;
mod group;
mod happening;
mod identity;
mod ignore_rules;
mod input;
mod json;
mod lint;
mod load;
mod metrics;
mod model;
mod names;
mod nearest;
mod next_version;
mod objects;
mod parts;
mod play;
mod prepare;
mod promql;
mod reach;
mod recorder;
mod replay;
mod restart;
mod roles;
mod run;
mod script;
mod seeds;
mod setup;
mod side_by_side;
mod snippet;
mod specs;
mod state;
mod summary;
mod text;
mod traffic;
mod update;
mod waits;
mod whole;
mod words;
mod workloads;

pub use run::run;
