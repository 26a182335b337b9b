//! Reads everything, checks everything, and makes the worlds.

use super::{
    args::Args,
    claims::Claims,
    clusters::{self, Fleet, Member},
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
    backend::CopiedFrom,
    fleet::{ClusterName, FLEET_ANNOTATION, Policy},
    traffic::ObjectRef,
};
use std::{collections::BTreeSet, io::Read, sync::Arc};

/// Rollouts that are played together, and which of all they are.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) places: Vec<usize>,
    pub(crate) plays: Vec<Play<'a>>,
    /// Those of them that release together in several clusters.
    pub(crate) fleets: Vec<Fleet>,
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

    /// What is in force at the beginning.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }
}

/// Says which objects a mesh of several clusters has copied: a Rollout must drive the original.
fn note_copies(model: &Model, findings: &mut Findings) {
    for document in model.objects.values() {
        if let Some(from) = CopiedFrom::of(document.value()) {
            let what = format!("this object {from}");
            findings.located(document.finding(
                Severity::Warning,
                "metadata.labels",
                &what,
                CopiedFrom::INSTEAD,
            ));
        }
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
    note_copies(model, findings);
    let given = Given { model, update: None };
    let after = Given { model, update: Some(update) };
    let (leading, leading_after) = (Leading::of(given), Leading::of(after));
    let (mut claims, templates) = (Claims::default(), model.templates());
    let (mut ready, mut metrics_named, mut policies) = (Vec::new(), BTreeSet::new(), Vec::new());
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
        match (&spec.fleet, args.clusters.policy()) {
            (Some(_), Some(_)) => {
                let what = "names the clusters already, and so does --clusters";
                let path = format!("metadata.annotations[{FLEET_ANNOTATION}]");
                findings.located(rollout.finding(Severity::Error, &path, what, "leave --clusters out"));
            }
            (None, policy) => spec.fleet = policy,
            (Some(_), None) => {}
        }
        policies.extend(spec.fleet.clone());
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
    let clusters = clusters_of(&policies, &labels);
    let names: Vec<&str> = labels.iter().chain(&clusters).map(String::as_str).collect();
    known_names(args, &names, findings);
    let policies: Vec<&Policy> = policies.iter().map(|policy| &**policy).collect();
    for name in clusters::unknown(args, &policies) {
        findings.plain(format!("there is no cluster {name}; name one of --clusters, or of the annotation"));
    }
    unmeasured(args, &metrics_named, findings);
    if findings.refuse() { Vec::new() } else { worlds(args, ready, given) }
}

/// What Rollouts are called in several clusters.
fn clusters_of(policies: &[Arc<Policy>], labels: &[String]) -> Vec<String> {
    let clusters: BTreeSet<&ClusterName> = policies.iter().flat_map(|policy| policy.clusters()).collect();
    let each = clusters.into_iter().flat_map(|cluster| {
        let both = labels.iter().map(move |label| format!("{cluster}:{label}"));
        std::iter::once(cluster.to_string()).chain(both)
    });
    each.collect()
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
        groups.push(group_of(args, &places, &members, given));
    }
    groups
}

/// The worlds of Rollouts that share objects: in each of their clusters, with a store of its own.
fn group_of<'a>(args: &'a Args, places: &[usize], members: &[Ready<'_>], given: Given<'_>) -> Group<'a> {
    let names: BTreeSet<&ObjectRef> = members.iter().flat_map(|one| &one.around).collect();
    let policies = members.iter().map(|one| one.spec.fleet.as_deref());
    let clusters: BTreeSet<Option<ClusterName>> = policies
        .flat_map(|policy| match policy {
            Some(policy) => policy.clusters().cloned().map(Some).collect(),
            None => vec![None],
        })
        .collect();
    let mut group = Group { places: Vec::new(), plays: Vec::new(), fleets: Vec::new() };
    let mut of_fleet: Vec<Vec<usize>> = vec![Vec::new(); members.len()];
    for cluster in clusters {
        let store = setup::store(names.iter().copied(), given);
        // An object that several share is updated once.
        let mut updated = BTreeSet::new();
        for ((index, one), place) in members.iter().enumerate().zip(places) {
            let is_here = match (&one.spec.fleet, &cluster) {
                (Some(policy), Some(cluster)) => policy.clusters().any(|of| of == cluster),
                (None, None) => true,
                _ => false,
            };
            if !is_here {
                continue;
            }
            let world =
                setup::world((&one.whole.manifest, one.spec.clone()), &one.parts, given, &store, args);
            let mut update = one.update.clone();
            update.objects.retain(|(name, _)| updated.insert(name.clone()));
            let manifest = one.whole.manifest.clone();
            let member = cluster.clone().map(|cluster| Member { cluster, rollout: one.name.clone() });
            let name = match &cluster {
                Some(cluster) => format!("{cluster}:{}", one.name),
                None => one.name.clone(),
            };
            if let Some(plays) = of_fleet.get_mut(index) {
                plays.push(group.plays.len());
            }
            let play = Play::new((name, member), args, world, manifest, update);
            group.plays.push(play.with_templates(one.templates.clone()));
            group.places.push(*place);
        }
    }
    for (one, plays) in members.iter().zip(of_fleet) {
        if let Some(policy) = &one.spec.fleet {
            let by_name = in_order(policy, &plays, &group.plays);
            group.fleets.push(Fleet::new(policy, by_name, &args.clusters));
        }
    }
    group
}

/// The places of the plays in the order in which the policy names their clusters.
fn in_order(policy: &Policy, places: &[usize], plays: &[Play<'_>]) -> Vec<usize> {
    let of = |cluster: &ClusterName| {
        let is_there = |place: &&usize| {
            plays
                .get(**place)
                .and_then(|play| play.member.as_ref())
                .is_some_and(|member| member.cluster == *cluster)
        };
        places.iter().find(is_there).copied()
    };
    policy.clusters().filter_map(of).collect()
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
    let frozen = args.world.freeze.iter().map(|freeze| freeze.about.as_deref());
    let expect = args.output.expect.names().map(Some);
    for name in changes.chain(script).chain(lose).chain(never).chain(frozen).chain(expect).flatten() {
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
