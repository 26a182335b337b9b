//! All errors of the language at once, and what is most likely a mistake. One file a group of rules.

mod affinity;
mod delays;
mod experiment;
mod header;
mod kinds;
mod labels;
mod meant;
mod mirror;
mod names;
mod notes;
mod odd;
mod odd_steps;
mod ping_pong;
mod report;
mod routing;
mod selector;
mod services;
mod spec;
mod steps;
mod strings;
mod template;

pub use report::{Report, check};
