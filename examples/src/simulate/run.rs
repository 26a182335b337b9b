//! From the command line to the exit code.

use super::{
    args::Args,
    diagnostics::Findings,
    group,
    happening::Rest,
    ignore_rules, json,
    play::Play,
    prepare::{Group, Loaded, prepare},
    replay, seeds, side_by_side, summary, text,
};
use clap::CommandFactory as _;
use rollout_core::Escaped;
use std::{
    ffi::OsString,
    io::{self, Read, Write},
};

/// Plays what `words` say (without the program's name): 0 when everything came to rest as expected, 1 when
/// not, 2 for bad input. What it writes has colours; `anstream` takes them out where nobody sees them.
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
    let args = match Args::read(words) {
        Ok(args) => args,
        Err(refused) if as_json && refused.is_wrong() => {
            let mut findings = Findings::default();
            let (what, instead) = refused.parts();
            findings.wrong(what, instead);
            json::findings(out, &findings)?;
            return Ok(refused.code());
        }
        Err(refused) => {
            refused.print(if refused.is_wrong() { err } else { out })?;
            return Ok(refused.code());
        }
    };
    if args.generate.print(Args::command(), out)? {
        return Ok(0);
    }
    if !args.script.replay.is_empty() {
        return replayed(&args, stdin, out, err);
    }
    let mut findings = Findings::default();
    let loaded = Loaded::read(&args, stdin, &mut findings);
    let groups = prepare(&args, &loaded, &mut findings);
    if refused(&args, &findings, out, err)? {
        return Ok(2);
    }
    if let Some(tool) = args.output.ignore_rules {
        out.write_all(ignore_rules::text(tool, loaded.model()).as_bytes())?;
        return Ok(0);
    }
    // Without an analysis, every seed ends alike.
    let is_judged = groups.iter().flat_map(|group| &group.plays).any(Play::is_judged);
    let code = play(&args, groups, out, err)?;
    if args.script.traffic.is_some() && args.script.seeds > 0 && is_judged {
        // They may take a while.
        out.flush()?;
        if !args.output.json {
            writeln!(err, "playing {} other seeds (--seeds 0 plays none)", args.script.seeds)?;
        }
        let tallies = seeds::play(&args, &loaded);
        if args.output.json {
            json::seeds(out, &tallies)?;
        } else {
            out.write_all(seeds::text(&tallies).as_bytes())?;
        }
    }
    Ok(code)
}

/// Writes what is to be said about the input; whether that is refused.
fn refused(args: &Args, findings: &Findings, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    if args.output.json {
        json::findings(out, findings)?;
    } else {
        err.write_all(findings.render().as_bytes())?;
    }
    Ok(findings.refuse())
}

/// Judges stored runs: 0 unless something is wrong with the input.
fn replayed(args: &Args, stdin: &mut dyn Read, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut findings = Findings::default();
    let replayed = replay::replay(args, stdin, &mut findings);
    if refused(args, &findings, out, err)? {
        return Ok(2);
    }
    if args.output.json {
        json::replayed(out, &replayed)?;
    } else {
        out.write_all(replay::text(&replayed).as_bytes())?;
    }
    Ok(0)
}

fn play(args: &Args, groups: Vec<Group<'_>>, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut played = Vec::new();
    for Group { places, mut plays, mut fleets } in groups {
        let rests = group::run(&mut plays, &mut fleets);
        played.extend(places.into_iter().zip(plays.into_iter().zip(rests)));
    }
    // The clusters of one Rollout stay together.
    played.sort_by_key(|(place, _)| *place);
    let mut lines = Vec::new();
    if !args.output.json {
        for of_one in played.chunk_by(|(one, _), (other, _)| one == other) {
            let plays: Vec<&Play<'_>> = of_one.iter().map(|(_, (play, _))| play).collect();
            let text = match &plays[..] {
                [alone] => text::rollout(alone),
                _ => side_by_side::clusters(&plays),
            };
            out.write_all(text.as_bytes())?;
        }
    }
    for (_, (play, rest)) in played {
        let rest = match rest {
            Ok(rest) => rest,
            Err(stuck) => {
                writeln!(err, "error: {}: {}", play.name, Escaped(stuck))?;
                Rest::Unfinished
            }
        };
        let (summary, answers) = (play.world.summary(), play.answers());
        if args.output.json {
            json::write(out, &play)?;
        }
        let expect = args.output.expect.of(&play.name, play.is_updated);
        lines.push(summary::Line { name: play.name, rest, summary, answers, expect });
    }
    if args.output.json {
        json::end(out, &lines)?;
    } else {
        out.write_all(summary::text(&lines).as_bytes())?;
    }
    Ok(u8::from(lines.iter().any(|line| !line.as_expected())))
}
