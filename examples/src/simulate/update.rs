//! What an update changes, checked before anything is played.

use super::{
    args::Args,
    change::{Change, What},
    diagnostics::Findings,
    given::{Given, Leading},
    model::understand,
    parts::Parts,
    play::spec,
    prepare::note,
    reach::{self, When},
    script::Said,
    setup,
};
use rollout_core::{
    argo::{Document, Severity},
    traffic::ObjectRef,
};
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
    rollout: &Document,
    (after, leading): (Given<'_>, &Leading),
    findings: &mut Findings,
) -> Option<Update> {
    let mut result = Update { words: Vec::new(), manifest: rollout.value().clone(), objects: Vec::new() };
    let another = after.update.and_then(|update| update.same_as(rollout));
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
    if let Some(other) = another {
        let (_, found) = understand(other.value());
        note(args, other, &found, findings);
        result.manifest = other.value().clone();
        result.words.push(format!("the manifest in {}", other.file()));
    }
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
            && change.is_of_elsewhere(&result.manifest)
            && after.model.rollouts.iter().any(|other| !change.is_of_elsewhere(other.value()))
        {
            continue;
        }
        if let Err(why) = change.apply(&mut result.manifest) {
            findings.plain(format!("{name}: {change}: {why}"));
            return None;
        }
        result.words.push(change.to_string());
    }
    let same = Value::eq(&result.manifest, rollout.value());
    if !same && let Err(why) = spec(&result.manifest, args) {
        findings.plain(format!("{name}: after {}: {why}", result.words.join(", ")));
        return None;
    }
    if let Some(parts) = &parts {
        reach::check(&result.manifest, parts, after, When::AfterUpdate, findings);
        reach::check(rollout.value(), parts, after, When::DuringRelease, findings);
    }
    odd_changes(
        args,
        (name, another.unwrap_or(rollout)),
        &result.manifest,
        (parts.as_ref(), after),
        findings,
    );
    Some(result)
}

/// Notes what is odd about the manifest only since it was changed, by the update or by the script.
fn odd_changes(
    args: &Args,
    (name, given): (&str, &Document),
    updated: &Value,
    (parts, after): (Option<&Parts>, Given<'_>),
    findings: &mut Findings,
) {
    let odd = |manifest: &Value| {
        let (_, found) = understand(manifest);
        found.into_iter().filter(|finding| finding.severity == Severity::Warning).collect::<Vec<_>>()
    };
    let mut known = odd(given.value());
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
                reach::check(&manifest, parts, after, When::AfterUpdate, findings);
            }
        }
    }
}
