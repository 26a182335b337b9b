//! Writes down what happens in a world.

#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    reason = "it looks at what it wants to see"
)]

use rollout_core::{
    Time,
    sim::{Moment, Watcher, What},
};

#[derive(Debug, Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Vec<String>,
    pub(crate) late: u32,
    pub(crate) stale: u32,
    pub(crate) overtaken: bool,
    pub(crate) went_back: bool,
    times: Vec<(usize, Time)>,
}

impl Recorder {
    /// When a line with this text was first written.
    pub(crate) fn at(&self, text: &str) -> Time {
        let line = self.lines.iter().position(|line| line.contains(text)).unwrap_or_default();
        let time = self.times.iter().rev().take(self.lines.len()).find(|(at, _)| *at == line);
        time.map_or(Time::default(), |(_, time)| *time)
    }
}

impl Watcher for Recorder {
    fn see(&mut self, moment: &Moment<'_>) {
        let now = moment.truth.now;
        match moment.what {
            What::Decided { seen_at, .. } => self.stale += u32::from(seen_at < now),
            What::Acted { by, .. } => self.late += u32::from(by.late),
            What::DeliveredObject { proxy, object, from } => {
                self.went_back |= moment.truth.proxies[proxy].objects[object].0 <= from;
                // A selector that leads to pods which this proxy does not know yet.
                self.overtaken |= moment.truth.proxies[proxy].endpoints.iter().any(|endpoints| {
                    endpoints.pods.is_empty()
                        && format!("{:?}", moment.truth.proxies[proxy].objects)
                            .contains(endpoints.revision.as_str())
                });
            }
            _ => {}
        }
        self.times.push((self.lines.len(), now));
        let line = match moment.what {
            What::Decided { process, observed, plan, .. } => {
                let settled = observed.traffic.as_ref().map(|seen| &seen.routes_settled);
                format!("{now} {process} decides {:?} {:?} {settled:?}", plan.status.step, plan.actions)
            }
            What::Acted { by, action, took_effect, answer } => {
                format!(
                    "{now} {}{} {action:?} {took_effect} {answer:?}",
                    by.process,
                    if by.late { " late" } else { "" }
                )
            }
            other => format!("{now} {other:?}"),
        };
        self.lines.push(line);
    }
}
