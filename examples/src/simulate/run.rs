//! From the command line to the exit code.

use super::{
    args::{Args, HELP},
    diagnostics::Findings,
    group,
    happening::Rest,
    json,
    prepare::{Group, prepare},
    summary, text,
};
use rollout_core::Escaped;
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
    let groups = prepare(&args, stdin, &mut findings);
    if args.json {
        json::findings(out, &findings)?;
    } else {
        err.write_all(findings.render().as_bytes())?;
    }
    if findings.refuse() {
        return Ok(2);
    }
    play(&args, groups, out, err)
}

fn play(args: &Args, groups: Vec<Group<'_>>, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<u8> {
    let mut played = Vec::new();
    for Group { places, mut plays } in groups {
        let rests = group::run(&mut plays);
        played.extend(places.into_iter().zip(plays.into_iter().zip(rests)));
    }
    played.sort_by_key(|(place, _)| *place);
    let mut lines = Vec::new();
    for (_, (play, rest)) in played {
        let rest = match rest {
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
