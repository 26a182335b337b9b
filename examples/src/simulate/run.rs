//! From the command line to the exit code.

use super::{
    args::{Args, HELP},
    change::{Change, What},
    diagnostics::Findings,
    happening::Rest,
    json,
    load::load,
    model::{Model, namespace, understand},
    nearest::nearest,
    play::{Play, Update, spec, too_many},
    script::Said,
    setup, summary, text,
};
use rollout_core::{
    Escaped,
    argo::{Document, Finding, Severity},
};
use serde_json::Value;
use std::{
    ffi::OsString,
    io::{self, Read, Write},
};

/// Plays what `words` say (without the program's name): 0 when everything came to rest as expected, 1 when
/// not, 2 for bad input.
///
/// # Errors
/// Only that the output could not be written.
pub fn run(
    words: impl IntoIterator<Item = OsString>,
    stdin: &mut dyn Read,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> io::Result<u8> {
    let words: Vec<OsString> = words.into_iter().collect();
    let as_json = words.iter().any(|word| word == "--json");
    let args = match Args::parse(words) {
        Ok(args) => args,
        Err(errors) if as_json => {
            let mut findings = Findings::default();
            for error in errors {
                findings.plain(error);
            }
            json::findings(out, &findings)?;
            return Ok(2);
        }
        Err(errors) => {
            for error in errors {
                writeln!(err, "error: {}", Escaped(error))?;
            }
            return Ok(2);
        }
    };
    if args.help {
        out.write_all(HELP.as_bytes())?;
        return Ok(0);
    }
    let mut findings = Findings::default();
    let plays = prepare(&args, stdin, &mut findings);
    if args.json {
        json::findings(out, &findings)?;
    } else {
        err.write_all(findings.render().as_bytes())?;
    }
    if findings.refuse() {
        return Ok(2);
    }
    play(&args, plays, out, err)
}

fn play(args: &Args, plays: Vec<Play<'_>>, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut lines = Vec::new();
    for mut play in plays {
        let rest = match play.run() {
            Ok(rest) => rest,
            Err(stuck) => {
                writeln!(err, "error: {}: {}", play.name, Escaped(stuck))?;
                Rest::Unfinished
            }
        };
        let summary = play.world.summary();
        if args.json {
            json::write(out, &play)?;
        } else {
            out.write_all(text::rollout(&play).as_bytes())?;
        }
        let expect = args.expect.of(&play.name, play.is_updated);
        lines.push(summary::Line { name: play.name, rest, summary, expect });
    }
    if args.json {
        json::end(out, &lines)?;
    } else {
        out.write_all(summary::text(&lines).as_bytes())?;
    }
    Ok(u8::from(lines.iter().any(|line| !line.as_expected())))
}

/// Reads everything, checks everything, and makes the worlds.
fn prepare<'a>(args: &'a Args, stdin: &mut dyn Read, findings: &mut Findings) -> Vec<Play<'a>> {
    let model = load(&args.inputs, stdin, findings);
    let update = load(&args.updates, stdin, findings);
    let labels = model.labels();
    let names: Vec<&str> = labels.iter().map(String::as_str).collect();
    if names.is_empty() && findings.has_next_step() {
        findings.nothing_else();
    } else if names.is_empty() && !findings.refuse() {
        findings.plain(model.no_rollout());
    }
    let usable = |object| model.objects.contains_key(object);
    if !args.updates.is_empty()
        && update.rollouts.is_empty()
        && !update.objects.keys().any(usable)
        && !findings.refuse()
    {
        findings.plain(
            "--update: there is no Rollout and no object of one in it; name the manifests that change",
        );
    }
    known_names(args, &names, findings);
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
            findings.located(other.diagnostic(Severity::Error, "metadata.name", &what, &instead));
        }
    }
    let mut plays = Vec::new();
    for (rollout, name) in model.rollouts.iter().zip(&labels) {
        let name = name.clone();
        let (given, found) = understand(rollout.value());
        note(args, rollout, &found, findings);
        let mesh = setup::objects(rollout, &model, findings);
        let Some(mut given) = given else { continue };
        given.replicas = args.world.replicas.unwrap_or(given.replicas);
        if let Some((path, what, instead)) = too_many(&given) {
            findings.located(rollout.diagnostic(Severity::Error, &path, &what, &instead));
            continue;
        }
        let update = updated(args, &name, rollout, (&model, &update), findings);
        if let (Some(mesh), Some(update)) = (mesh, update) {
            let world = setup::world(rollout, given, mesh, args);
            plays.push(Play::new(name, args, world, rollout.value().clone(), update));
        }
    }
    plays
}

/// Notes what there is to say about a manifest.
fn note(args: &Args, rollout: &Document, found: &[Finding], findings: &mut Findings) {
    for finding in found {
        let mut shown = rollout.diagnose(finding);
        if args.strict && finding.is_unknown_field() && finding.path.starts_with("spec.strategy") {
            shown.severity = Severity::Error;
        }
        findings.located(shown);
    }
}

/// Every name on the command line must be one that was given.
fn known_names(args: &Args, names: &[&str], findings: &mut Findings) {
    let changes = args.changes.iter().map(|change| change.rollout.as_deref());
    let script = args.script.iter().map(|scripted| scripted.about());
    let lose = args.world.lose.iter().map(|lose| lose.rollout.as_deref());
    let never = args.world.never_ready.iter().map(|(rollout, _)| rollout.as_deref());
    let expect = args.expect.names().map(Some);
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

/// The manifest after the update, checked; `None` when something is wrong with it.
fn updated(
    args: &Args,
    name: &str,
    rollout: &Document,
    (model, update): (&Model, &Model),
    findings: &mut Findings,
) -> Option<Update> {
    let mut result = Update { words: Vec::new(), manifest: rollout.value().clone(), objects: Vec::new() };
    let another = update.same_as(rollout);
    if another.is_some() || !update.objects.is_empty() {
        setup::objects_after(another.unwrap_or(rollout), model, update, findings)?;
    }
    if let Some(other) = another {
        let (_, found) = understand(other.value());
        note(args, other, &found, findings);
        result.manifest = other.value().clone();
        result.words.push(format!("the manifest in {}", other.file()));
    }
    for (object, document) in &update.objects {
        result.words.push(format!("the {} in {}", object, document.file()));
        result.objects.push((object.clone(), document.value().clone()));
    }
    let mut changes: Vec<Change> =
        args.changes.iter().filter(|change| change.is_about(name)).cloned().collect();
    if args.changes.is_empty() && args.updates.is_empty() {
        changes.push(Change { rollout: None, what: What::Touch });
    }
    for change in changes {
        // A container that is not named with its Rollout is meant wherever there is one.
        if change.rollout.is_none()
            && change.is_of_elsewhere(&result.manifest)
            && model.rollouts.iter().any(|other| !change.is_of_elsewhere(other.value()))
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
    odd_changes(args, name, another.unwrap_or(rollout), &result.manifest, findings);
    Some(result)
}

/// Notes what is odd about the manifest only since it was changed, by the update or by the script.
fn odd_changes(args: &Args, name: &str, given: &Document, updated: &Value, findings: &mut Findings) {
    let odd = |manifest: &Value| {
        let (_, found) = understand(manifest);
        found.into_iter().filter(|finding| finding.severity == Severity::Warning).collect::<Vec<_>>()
    };
    let mut known = odd(given.value());
    let mut note = |manifest: &Value| {
        for finding in odd(manifest) {
            if !known.contains(&finding) {
                findings.odd(format!("{name}: {finding}"));
                known.push(finding);
            }
        }
    };
    note(updated);
    let mut manifest = updated.clone();
    for scripted in &args.script {
        if let Said::Change(change) = &scripted.what
            && change.is_about(name)
            && scripted.rollout.as_deref().is_none_or(|about| about == name)
            && change.apply(&mut manifest).is_ok()
        {
            note(&manifest);
        }
    }
}
