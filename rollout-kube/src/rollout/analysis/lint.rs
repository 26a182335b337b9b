//! What is said about analyses before they run.

use super::templates;
use crate::{
    cache::{Entry, View},
    rollout::{context::Context, memory::RolloutMemory, publish::KubeEvent},
};
use rollout_core::{
    Severity, Spec, Status,
    analysis::{Analysis, Around, Composed},
};

/// How many mistakes are said of one analysis: somebody reads them in one line.
const MOST: usize = 5;

/// What is to be said about the analyses of a Rollout.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Why no run of them could ever be successful.
    pub(super) wrong: Vec<String>,
    /// What most likely is not meant.
    odd: Vec<String>,
}

/// Returns what is wrong with the analyses of a Rollout, before anything is released; publishes what is only odd.
pub(in super::super) async fn check(
    (context, view): (&Context, &View),
    memory: &mut RolloutMemory,
    rollout: &Entry,
    spec: Option<&Spec>,
    status: &Status,
) -> Vec<String> {
    let mut said = templates::invalid((context, view), rollout, spec, status).await;
    let wrong = std::mem::take(&mut said.wrong);
    said.publish(context, memory, rollout);
    wrong
}

impl Said {
    /// Adds what is to be said about one analysis, which is at this path.
    pub(super) fn lint(&mut self, composed: &Composed, analysis: &Analysis, around: &Around, path: &str) {
        // That it cannot be resolved is said elsewhere.
        let findings = composed.lint(analysis, around).unwrap_or_default();
        let (mut wrong, mut odd) = (Vec::new(), Vec::new());
        for (template, finding) in findings {
            let text = match template {
                Some(template) => format!("{path}: {template}: {finding}"),
                None => format!("{path}.{finding}"),
            };
            if finding.severity == Severity::Error { &mut wrong } else { &mut odd }.push(text);
        }
        self.wrong.extend(wrong.into_iter().take(MOST));
        self.odd.extend(odd.into_iter().take(MOST));
    }

    /// Publishes what is odd in one event, once while that lasts: until the runs have begun, and then of the next
    /// revision.
    fn publish(self, context: &Context, memory: &mut RolloutMemory, rollout: &Entry) {
        let news: Vec<&str> =
            self.odd.iter().filter(|odd| !memory.odd_analyses.contains(odd)).map(String::as_str).collect();
        if !news.is_empty() {
            let note = news.join("; ");
            let (namespace, name) = (rollout.text("/metadata/namespace").unwrap_or_default(), rollout.name());
            tracing::warn!(rollout = format!("{namespace}/{name}"), %note, "odd analysis");
            if !context.dry_run {
                let event = KubeEvent::warning("AnalysisDoubtful", note);
                context.publisher.publish(&rollout.value, &event, context.now());
            }
        }
        memory.odd_analyses = self.odd;
    }
}
