use crate::{
    Time,
    sim::{Content, Moment, Truth, What},
    traffic::{RoutesSeen, Selection, Settled},
};
use alloc::{
    collections::VecDeque,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::{self, Write as _};

/// The number of moments kept.
const KEPT: usize = 60;

/// The last moments of a history as text: events, the controller's own view, and the truth beside it.
///
/// ```
/// use rollout_core::testing::{history::{Histories, play_under}, laws::{Laws, all}};
/// let history = Histories::new().draw(7).unwrap();
/// let laws = play_under(&history, Laws::new(all()).recording());
/// let timeline = laws.timeline().unwrap().to_string();
/// assert!(timeline.lines().count() > 3, "{timeline}");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    began: Option<Time>,
    lines: VecDeque<String>,
    left_out: usize,
    truth: String,
}

impl Timeline {
    /// Records a moment.
    ///
    /// [`Laws::recording`](crate::testing::laws::Laws::recording) calls it; see [`Timeline`] for an example.
    pub fn see(&mut self, moment: &Moment<'_>) {
        let truth = moment.truth;
        let began = *self.began.get_or_insert(truth.now);
        let at = truth.now.since(began).as_millis();
        let mut line = format!("{:>7}.{:03}  {}", at / 1000, at % 1000, what(&moment.what));
        let now = said(truth);
        if now != self.truth {
            add(&mut line, format_args!("\n             truth  {now}"));
            self.truth = now;
        }
        self.lines.push_back(line);
        if self.lines.len() > KEPT {
            self.lines.pop_front();
            self.left_out += 1;
        }
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.left_out > 0 {
            writeln!(f, "({} moments before these)", self.left_out)?;
        }
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Appends to a text.
fn add(text: &mut String, more: fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = text.write_fmt(more);
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a moment without a text of its own shows its debug form")]
fn what(what: &What<'_>) -> String {
    match what {
        What::Decided { process, decision, stored, observed, now, plan, .. } => {
            let mut text = format!("process {process} decides (#{decision}, its clock says {now})");
            add(&mut text, format_args!("\n             stored {}", status(stored)));
            text.push_str("\n             sees   ");
            match &observed.revisions {
                None => text.push_str("revisions unknown"),
                Some(revisions) => {
                    for seen in revisions {
                        add(&mut text, format_args!("{} {}/{}", seen.revision, seen.ready, seen.wanted));
                        text.push_str(if seen.scale_down_deadline.is_some() { " marked" } else { "" });
                        if let Some(unavailable) = seen.unavailable {
                            add(&mut text, format_args!(" unavailable {unavailable:?}"));
                        }
                        text.push_str(", ");
                    }
                }
            }
            match &observed.traffic {
                None => text.push_str(" traffic unknown"),
                Some(seen) => {
                    let routes: Vec<String> = seen.routes.iter().map(routed).collect();
                    let ends: Vec<String> = seen
                        .endpoints
                        .iter()
                        .map(|(of, answer)| format!("{of} {}", settled(answer)))
                        .collect();
                    add(
                        &mut text,
                        format_args!(
                            "| stable→{} canary→{} | {} | routes {}, selectors {}, endpoints {}",
                            selections(&seen.behind.stable),
                            selections(&seen.behind.canary),
                            routes.join(" & "),
                            settled(&seen.routes_settled),
                            settled(&seen.selectors_settled),
                            ends.join(" "),
                        ),
                    );
                }
            }
            if observed.proceed.is_some() {
                text.push_str(" | proceed override");
            }
            if plan.status != **stored {
                add(&mut text, format_args!("\n             stores {}", status(&plan.status)));
            }
            for action in &plan.actions {
                add(&mut text, format_args!("\n             does   {}", action_text(action)));
            }
            for waiting in &plan.waiting {
                add(&mut text, format_args!("\n             waits  {waiting}"));
            }
            if let Some(wake) = plan.wake {
                add(&mut text, format_args!("\n             wakes  {} ({})", wake.at, wake.why));
            }
            text
        }
        What::Stored { by } => format!("stored by process {}{}", by.process, late(by.late)),
        What::Acted { by, action, took_effect, answer } => format!(
            "process {} (#{}){}: {} — {}{}",
            by.process,
            by.decision,
            late(by.late),
            action_text(action),
            if *took_effect { "took effect" } else { "no effect" },
            match answer {
                Some(Ok(_)) => String::new(),
                Some(Err(failure)) => format!(", answered {failure:?}"),
                None => ", no process received the answer".to_string(),
            }
        ),
        What::Commanded { command, answer } => match answer {
            crate::Answer::Accepted { .. } => format!("a person says {}: accepted", command.kind),
            crate::Answer::Rejected(why) => format!("a person says {}: {why}", command.kind),
        },
        other => format!("{other:?}"),
    }
}

fn late(late: bool) -> &'static str {
    if late { " (late)" } else { "" }
}

fn action_text(action: &crate::Action) -> String {
    match action {
        crate::Action::Scale { revision, pods, scale_down_deadline } => {
            format!("{revision}: {pods} pods{}", if scale_down_deadline.is_some() { ", marked" } else { "" })
        }
        crate::Action::Select(to) => {
            let of = |selection: &Option<Selection>| {
                selection.as_ref().map_or("kept".to_string(), ToString::to_string)
            };
            format!("select stable→{} canary→{}", of(&to.stable), of(&to.canary))
        }
        crate::Action::Route(routes) => format!(
            "route {:?} managed {} for {}",
            routes.weight,
            match &routes.managed {
                crate::traffic::ManagedChange::Keep => "kept".to_string(),
                crate::traffic::ManagedChange::Retain(names) => format!("only {names:?}"),
                crate::traffic::ManagedChange::To(to) =>
                    format!("{:?}", to.iter().map(|route| &*route.name).collect::<Vec<_>>()),
            },
            routes.written_for
        ),
        crate::Action::Run(change) => crate::Event::Run(change.clone()).to_string(),
        crate::Action::Prune { revision } => format!("prune {revision}"),
    }
}

fn status(status: &crate::Status) -> String {
    let or = |revision: &Option<crate::Revision>| {
        revision.as_ref().map_or("none".to_string(), ToString::to_string)
    };
    let mut text =
        format!("stable {} canary {} step {}", or(&status.stable), or(&status.canary), status.step);
    for (is, word) in [
        (status.paused_at.is_some(), " pausing"),
        (status.aborted.is_some(), " aborted"),
        (status.promote_full, " promote-full"),
        (status.scaled_to_zero, " scaled to zero"),
        (status.progress.is_some(), " progress"),
    ] {
        text.push_str(if is { word } else { "" });
    }
    text
}

fn selections(behind: &[Selection]) -> String {
    let names: Vec<String> = behind
        .iter()
        .map(|selection| match selection {
            Selection::Unpinned => "*".to_string(),
            Selection::Revision(revision) => revision.to_string(),
        })
        .collect();
    names.join("+")
}

fn routed(routes: &RoutesSeen) -> String {
    let names: Vec<&str> = routes.managed.iter().map(|seen| &*seen.name).collect();
    let of = routes.written_for.as_ref().map_or(String::new(), |of| format!(" for {of}"));
    format!(
        "{}%{}{}",
        routes.weight,
        if names.is_empty() { String::new() } else { format!(" {names:?}") },
        of
    )
}

fn settled(answer: &Settled) -> String {
    match answer {
        Settled::Yes => "yes".to_string(),
        Settled::NotYet { behind, .. } => format!("not yet ({})", behind.join(" ")),
        Settled::Unknown { age } => format!("unknown {age:?}"),
    }
}

fn content(content: &Content) -> String {
    match content {
        Content::Selectors { stable, canary } => {
            let of = |selection: &Option<Selection>| selections(selection.as_slice());
            format!("s→{} c→{}", of(stable), of(canary))
        }
        Content::Routes { routes, .. } => routed(routes),
    }
}

fn said(truth: &Truth) -> String {
    let mut text = format!(
        "wants {} of {}{}",
        truth.spec.replicas,
        truth.spec.target,
        if truth.spec.paused { ", paused" } else { "" }
    );
    for workload in &truth.workloads {
        let scale_down_deadline = if workload.scale_down_deadline.is_some() { " marked" } else { "" };
        let ids: Vec<String> = workload
            .pods
            .iter()
            .map(|pod| {
                format!(
                    "{}{}{}",
                    pod.id,
                    if pod.ready { "" } else { "!" },
                    if pod.ends.is_some() { "~" } else { "" }
                )
            })
            .collect();
        add(
            &mut text,
            format_args!(
                " | {} {}{scale_down_deadline} [{}]",
                workload.revision,
                workload.wanted,
                ids.join(" ")
            ),
        );
    }
    for object in &truth.traffic {
        add(&mut text, format_args!(" | {}", content(&object.content)));
    }
    for proxy in &truth.proxies {
        add(&mut text, format_args!("\n                    {}:", proxy.name));
        for (_, copy) in &proxy.objects {
            add(&mut text, format_args!(" {} |", content(copy)));
        }
        for endpoints in &proxy.endpoints {
            add(&mut text, format_args!(" {} {:?}", endpoints.revision, endpoints.pods));
        }
    }
    text
}
