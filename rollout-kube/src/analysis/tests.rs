//! Runs in virtual time, over a simulated API server and a provider that is played.

mod compared;
mod datadog;
mod jobs;
mod loopback;
mod oauth2;
mod played;
mod standing_alone;
mod trouble;
