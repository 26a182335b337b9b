//! What an update changes, checked before anything is played.

use super::{
    args::Args,
    change::{Change, What},
    diagnostics::Findings,
    given::{Given, Leading},
    model::understand,
    parts::Parts,
    prepare::note,
    reach::{self, When},
    script::Said,
    setup,
    specs::spec,
    whole::{self, Whole},
};
use rollout_core::{argo::Severity, traffic::ObjectRef};
use serde_json::Value;
use std::collections::BTreeSet;

/// What an update changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Update {
    /// In the user's words.
    pub(crate) words: Vec<String>,
    /// The manifest afterwards.
    pub(crate) manifest: Value,
    /// Other objects that the user changes with it.
    pub(crate) objects: Vec<(ObjectRef, Value)>,
}

/// The manifest after the update, checked; `None` when something is wrong with it.
pub(crate) fn of(
    args: &Args,
    name: &str,
    before: &Whole<'_>,
    (after, leading): (Given<'_>, &Leading),
    findings: &mut Findings,
) -> Option<Update> {
    let rollout = before.rollout;
    let another = after.update.and_then(|update| update.same_as(rollout));
    let now = Whole::of(another.unwrap_or(rollout), after);
    let mut result = Update { words: Vec::new(), manifest: now.manifest.clone(), objects: Vec::new() };
    // What is wrong with the parts of the manifest as it was given is said already.
    let parts = Parts::of(another.unwrap_or(rollout), after, &mut Findings::default());
    let parts = match (parts, another) {
        (None, Some(other)) => {
            Parts::of(other, after, findings)?;
            None
        }
        (parts, _) => parts,
    };
    let mut around = BTreeSet::new();
    if let Some(parts) = &parts {
        around = setup::around(another.unwrap_or(rollout), parts, after, leading, findings)?;
    }
    let workload = now
        .workload()
        .filter(|(object, _)| after.update.is_some_and(|update| update.objects.contains_key(*object)));
    if another.is_some() || workload.is_some() {
        let (spec, found) = now.understand();
        note(args, &now, &found, findings);
        spec?;
    }
    result.words.extend(another.map(|other| format!("the manifest in {}", other.file())));
    result.words.extend(workload.map(|(object, document)| format!("the {object} in {}", document.file())));
    let objects = after.update.into_iter().flat_map(|update| &update.objects);
    for (object, document) in objects.filter(|(object, _)| around.contains(object)) {
        result.words.push(format!("the {} in {}", object, document.file()));
        result.objects.push((object.clone(), document.value().clone()));
    }
    let mut changes: Vec<Change> = args.changes().filter(|change| change.is_about(name)).cloned().collect();
    if args.changes().next().is_none() && args.update.paths.is_empty() {
        changes.push(Change { rollout: None, what: What::Touch });
    }
    for change in changes {
        // A container that is not named with its Rollout is meant wherever there is one.
        if change.rollout.is_none()
            && change.is_of_elsewhere(now.known_template(&result.manifest))
            && after.model.rollouts.iter().any(|other| !change.is_of_elsewhere(whole::template(other, after)))
        {
            continue;
        }
        let applied = match now.missing() {
            Some(object) if change.is_of_container() => {
                Err(format!("the container is in {object}, which was not given; add its manifest"))
            }
            _ => change.apply(&mut result.manifest),
        };
        if let Err(why) = applied {
            findings.plain(format!("{name}: {change}: {why}"));
            return None;
        }
        result.words.push(change.to_string());
    }
    let same = result.manifest == before.manifest;
    if !same && let Err(why) = spec(&result.manifest, args) {
        findings.plain(format!("{name}: after {}: {why}", result.words.join(", ")));
        return None;
    }
    if let Some(parts) = &parts {
        reach::check(
            (now.known_template(&result.manifest), &result.manifest),
            parts,
            after,
            When::AfterUpdate,
            findings,
        );
        let serving = (before.known_template(&before.manifest), &before.manifest);
        reach::check(serving, parts, after, When::DuringRelease, findings);
    }
    odd_changes(args, (name, &now), &result.manifest, (parts.as_ref(), after), findings);
    Some(result)
}

/// Notes what is odd about the manifest only since it was changed, by the update or by the script.
fn odd_changes(
    args: &Args,
    (name, given): (&str, &Whole<'_>),
    updated: &Value,
    (parts, after): (Option<&Parts>, Given<'_>),
    findings: &mut Findings,
) {
    let odd = |manifest: &Value| {
        let (_, found) = understand(manifest);
        found.into_iter().filter(|finding| finding.severity == Severity::Warning).collect::<Vec<_>>()
    };
    let mut known = odd(&given.manifest);
    let mut note = |manifest: &Value, findings: &mut Findings| {
        for finding in odd(manifest) {
            if !known.contains(&finding) {
                findings.odd(format!("{name}: {finding}"));
                known.push(finding);
            }
        }
    };
    note(updated, findings);
    let mut manifest = updated.clone();
    for scripted in &args.script.said {
        if let Said::Change(change) = &scripted.what
            && change.is_about(name)
            && scripted.rollout.as_deref().is_none_or(|about| about == name)
            && change.apply(&mut manifest).is_ok()
        {
            note(&manifest, findings);
            if let Some(parts) = parts {
                reach::check(
                    (given.known_template(&manifest), &manifest),
                    parts,
                    after,
                    When::AfterUpdate,
                    findings,
                );
            }
        }
    }
}
