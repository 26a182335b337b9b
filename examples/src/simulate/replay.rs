//! `--replay`: judges stored AnalysisRuns by the templates that are given, as if these had been in force then.

mod judged;
mod stored;

use super::{args::Args, diagnostics::Findings, duration, load::load, model::Model};
use judged::{Template, judged};
use rollout_core::{Escaped, analysis::Phase};
use std::{io::Read, time::Duration};

/// One run, as it was and as it would have been.
#[derive(Debug, PartialEq)]
pub(crate) struct Replayed {
    pub(crate) name: String,
    pub(crate) was: Phase,
    pub(crate) now: Phase,
    /// How long after its start it would have been over.
    pub(crate) after: Option<Duration>,
    pub(crate) why: String,
    /// What was not judged anew, in words.
    pub(crate) but: Vec<String>,
}

/// What came of all runs.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    pub(crate) runs: Vec<Replayed>,
    /// Runs that no template is about, or that cannot be judged: with the reason.
    pub(crate) left_out: Vec<(String, String)>,
}

/// Judges all stored runs; what is wrong with the files is noted.
pub(crate) fn replay(args: &Args, stdin: &mut dyn Read, findings: &mut Findings) -> Replay {
    let model = load(&args.inputs, stdin, findings);
    let templates = templates(&model);
    if templates.is_empty() {
        findings.plain("--replay: no AnalysisTemplate is given; name the files with the changed ones");
    }
    let mut replay = Replay::default();
    for path in &args.script.replay {
        let runs = match stored::runs(path) {
            Ok(runs) if runs.is_empty() => {
                let shown = path.display();
                findings.plain(format!(
                    "--replay: there is no AnalysisRun in {shown}; write them with: kubectl get analysisruns -o yaml"
                ));
                continue;
            }
            Ok(runs) => runs,
            Err(why) => {
                findings.plain(format!("--replay: {}: {why}", path.display()));
                continue;
            }
        };
        for (name, run) in runs {
            match judged(name.clone(), &run, &templates) {
                Ok(run) => replay.runs.push(run),
                Err(why) => replay.left_out.push((name, why)),
            }
        }
    }
    replay
}

fn templates(model: &Model) -> Vec<Template> {
    let is_template = |kind: &str| matches!(kind, "AnalysisTemplate" | "ClusterAnalysisTemplate");
    let given = model.objects.iter().filter(|(name, _)| is_template(&name.kind));
    given
        .map(|(name, document)| Template {
            name: name.name.to_string(),
            spec: document.value().get("spec").cloned().unwrap_or_default(),
        })
        .collect()
}

impl Replayed {
    fn was_stopped(&self) -> bool {
        matches!(self.was, Phase::Failed | Phase::Error)
    }

    fn is_stopped(&self) -> bool {
        matches!(self.now, Phase::Failed | Phase::Error)
    }
}

/// In words, a line a run, and a summary.
pub(crate) fn text(Replay { runs, left_out }: &Replay) -> String {
    let mut text = String::new();
    for run in runs {
        let after = run.after.map(|after| format!(" after {}", duration::show(after))).unwrap_or_default();
        let why = if run.why.is_empty() { String::new() } else { format!("; {}", run.why) };
        let but = if run.but.is_empty() { String::new() } else { format!(" ({})", run.but.join("; ")) };
        let line = format!("{}: was {}, would be {}{after}{why}{but}", run.name, run.was, run.now);
        text += &format!("{}\n", Escaped(line));
    }
    for (name, why) in left_out {
        text += &format!("{}\n", Escaped(format!("{name}: left out: {why}")));
    }
    let count = |is: fn(&Replayed) -> bool| runs.iter().filter(|run| is(run)).count();
    text += &format!(
        "These templates would have stopped {} of {} runs; {} of them were stopped.\n",
        count(Replayed::is_stopped),
        runs.len(),
        count(Replayed::was_stopped)
    );
    text
}
