//! Reads everything, checks everything, and makes the worlds.

use super::{
    args::Args,
    claims::Claims,
    diagnostics::Findings,
    given::{Given, Leading},
    group,
    lint::{self, Judged},
    load::load,
    metrics,
    model::{Model, namespace},
    nearest::nearest,
    parts::{Parts, named_at},
    play::Play,
    reach::{self, When},
    setup,
    specs::too_many,
    update::{self, Update},
    whole::Whole,
    workloads,
};
use rollout_core::{
    Spec,
    argo::{Document, Finding, Severity},
    traffic::ObjectRef,
};
use std::{collections::BTreeSet, io::Read, sync::Arc};

/// Rollouts that are played together, and which of all they are.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) places: Vec<usize>,
    pub(crate) plays: Vec<Play<'a>>,
}

/// One Rollout that can be played.
struct Ready<'a> {
    name: String,
    whole: Whole<'a>,
    spec: Spec,
    parts: Parts,
    /// The objects that are read for it.
    around: BTreeSet<ObjectRef>,
    update: Update,
    templates: Arc<metrics::Given>,
}

/// What was given.
#[derive(Debug)]
pub(crate) struct Loaded {
    model: Model,
    update: Model,
}

impl Loaded {
    /// Reads everything.
    pub(crate) fn read(args: &Args, stdin: &mut dyn Read, findings: &mut Findings) -> Self {
        let mut model = load(&args.inputs, stdin, findings);
        let mut update = load(&args.update.paths, stdin, findings);
        workloads::add([&mut model, &mut update], findings);
        Self { model, update }
    }
}

/// Checks everything, and makes the worlds.
pub(crate) fn prepare<'a>(
    args: &'a Args,
    Loaded { model, update }: &Loaded,
    findings: &mut Findings,
) -> Vec<Group<'a>> {
    let labels = model.labels();
    let names: Vec<&str> = labels.iter().map(String::as_str).collect();
    names_fit(args, model, update, &names, findings);
    lint::not_used(model, update, findings);
    let given = Given { model, update: None };
    let after = Given { model, update: Some(update) };
    let (leading, leading_after) = (Leading::of(given), Leading::of(after));
    let (mut claims, templates) = (Claims::default(), model.templates());
    let (mut ready, mut metrics_named) = (Vec::new(), BTreeSet::new());
    for (rollout, name) in model.rollouts.iter().zip(&labels) {
        let whole = Whole::of(rollout, given);
        let (spec, found) = whole.understand();
        note(args, &whole, &found, findings);
        let parts = Parts::of(rollout, given, findings);
        let around = parts.as_ref().and_then(|parts| {
            driven_twice(rollout, parts, &mut claims, findings);
            let pods = (whole.known_template(&whole.manifest), &whole.manifest);
            reach::check(pods, parts, given, When::Given, findings);
            setup::around(rollout, parts, given, &leading, findings)
        });
        let Some(mut spec) = spec else { continue };
        spec.replicas = args.world.replicas.unwrap_or(spec.replicas);
        if let Some((path, what, instead)) = too_many(&spec) {
            findings.located(rollout.finding(Severity::Error, &path, &what, &instead));
            continue;
        }
        let update = update::of(args, name, &whole, (after, &leading_after), findings);
        let templates = templates.of(namespace(rollout));
        let judged = Judged {
            rollout: &whole,
            after: update.as_ref().map_or(&whole.manifest, |update| &update.manifest),
            strategy: &spec.strategy,
            templates: &templates,
        };
        metrics_named.extend(lint::note(args, &judged, model, findings));
        let Some(update) = update else { continue };
        if let (Some(parts), Some(around)) = (parts, around) {
            ready.push(Ready { name: name.clone(), whole, spec, parts, around, update, templates });
        }
    }
    unmeasured(args, &metrics_named, findings);
    if findings.refuse() { Vec::new() } else { worlds(args, ready, given) }
}

/// Every metric on the command line must be one that is measured.
fn unmeasured(args: &Args, named: &BTreeSet<String>, findings: &mut Findings) {
    for scripted in args.script.metrics.iter().filter(|scripted| !named.contains(&scripted.name)) {
        let near = nearest(&scripted.name, named.iter().map(String::as_str));
        let instead =
            near.map_or_else(|| "leave it out".to_owned(), |near| format!("did you mean {near:?}?"));
        findings.plain(format!("--metric: no analysis measures {:?}; {instead}", scripted.name));
    }
}

/// The worlds: one store for those that share an object.
fn worlds<'a>(args: &'a Args, ready: Vec<Ready<'_>>, given: Given<'_>) -> Vec<Group<'a>> {
    let driven: Vec<BTreeSet<ObjectRef>> = ready.iter().map(|one| one.parts.objects(given)).collect();
    let mut ready: Vec<Option<Ready<'_>>> = ready.into_iter().map(Some).collect();
    let mut groups = Vec::new();
    for places in group::sharing(&driven) {
        let members: Vec<Ready<'_>> =
            places.iter().filter_map(|place| ready.get_mut(*place).and_then(Option::take)).collect();
        let names: BTreeSet<&ObjectRef> = members.iter().flat_map(|one| &one.around).collect();
        let store = setup::store(names, given);
        // An object that several share is updated once.
        let mut updated = BTreeSet::new();
        let plays = members.iter().map(|one| {
            let world =
                setup::world((&one.whole.manifest, one.spec.clone()), &one.parts, given, &store, args);
            let mut update = one.update.clone();
            update.objects.retain(|(name, _)| updated.insert(name.clone()));
            let manifest = one.whole.manifest.clone();
            Play::new(one.name.clone(), args, world, manifest, update).with_templates(one.templates.clone())
        });
        let plays = plays.collect();
        groups.push(Group { places, plays });
    }
    groups
}

/// Notes what another Rollout drives already.
fn driven_twice(rollout: &Document, parts: &Parts, claims: &mut Claims, findings: &mut Findings) {
    for claim in parts.claims() {
        let at = named_at(rollout, &claim.object);
        if let Some(error) = claims.add(claim) {
            let what = format!("{}: {}", error.object, error.finding.what);
            findings.located(rollout.finding(Severity::Error, &at, &what, &error.finding.instead));
        }
    }
}

/// What is named must be there, and something must be there to be played.
fn names_fit(args: &Args, model: &Model, update: &Model, names: &[&str], findings: &mut Findings) {
    if names.is_empty() && findings.has_next_step() {
        findings.nothing_else();
    } else if names.is_empty() && !findings.refuse() {
        findings.plain(model.no_rollout());
    }
    let usable =
        |object: &ObjectRef| model.objects.contains_key(object) || workloads::holds_template(&object.kind);
    if !args.update.paths.is_empty()
        && update.rollouts.is_empty()
        && !update.objects.keys().any(usable)
        && !findings.refuse()
    {
        findings.plain(
            "--update: there is no Rollout and no object of one in it; name the manifests that change",
        );
    }
    known_names(args, names, findings);
    for other in &update.rollouts {
        if !names.is_empty() && model.same_as(other).is_none() {
            let what = format!(
                "there is no Rollout {:?} in namespace {} to update",
                other.name().unwrap_or_default(),
                namespace(other)
            );
            let near = nearest(other.name().unwrap_or_default(), names.iter().copied());
            let instead = near.map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean {near:?}?"),
            );
            findings.located(other.finding(Severity::Error, "metadata.name", &what, &instead));
        }
    }
}

/// Notes what there is to say about a manifest.
pub(crate) fn note(args: &Args, rollout: &Whole<'_>, found: &[Finding], findings: &mut Findings) {
    for finding in found {
        let mut shown = rollout.locate(finding);
        if args.output.strict && finding.is_unknown_field() && finding.path.starts_with("spec.strategy") {
            shown.severity = Severity::Error;
        }
        findings.located(shown);
    }
}

/// Every name on the command line must be one that was given.
fn known_names(args: &Args, names: &[&str], findings: &mut Findings) {
    let changes = args.changes().map(|change| change.rollout.as_deref());
    let script = args.script.said.iter().map(|scripted| scripted.about());
    let lose = args.world.lose.iter().map(|lose| lose.rollout.as_deref());
    let never = args.world.never_ready.iter().map(|never| never.rollout.as_deref());
    let expect = args.output.expect.names().map(Some);
    for name in changes.chain(script).chain(lose).chain(never).chain(expect).flatten() {
        if names.contains(&name) || names.is_empty() {
            continue;
        }
        let instead = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean {near:?}?"),
            None => format!("there are {}", names.join(", ")),
        };
        findings.plain(format!("there is no Rollout {name:?}; {instead}"));
    }
}
