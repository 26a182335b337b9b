//! Metric providers of tests.

use crate::analysis::{Provider, Question, Told};
use async_trait::async_trait;
use rollout_core::analysis::{Answer, Ask, Metric};
use serde_json::Value;
use std::{fmt, sync::Arc};

/// Answers what AnalysisRuns ask, in place of the real metric providers.
///
/// ```
/// use rollout_core::analysis::{Answer, Ask, Metric, Value as Measured};
/// use rollout_kube::{Analysis, Controller, testing::{SimulatedApiServer, SimulatedProvider}};
/// use serde_json::{Value, json};
///
/// #[derive(Debug)]
/// struct FewErrors;
///
/// #[async_trait::async_trait]
/// impl SimulatedProvider for FewErrors {
///     async fn ask(&self, _: &Value, _: &Metric, _: &Ask) -> Option<Answer> {
///         Some(Answer::Value(Measured::Numbers(vec![0.01])))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = SimulatedApiServer::start();
/// let provider = json!({"prometheus": {"query": "errors"}});
/// let spec = json!({"metrics": [{"name": "errors", "successCondition": "result[0] < 0.05", "provider": provider}]});
/// server.apply("/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/check", json!({"spec": spec}));
/// let builder = Controller::builder(server.client()).analysis(Analysis::new()).provider(FewErrors);
/// builder.run_until(tokio::time::sleep(std::time::Duration::from_secs(60))).await?;
/// assert_eq!(server.all("/apis/argoproj.io/v1alpha1/analysisruns")[0]["status"]["phase"], "Successful");
/// # Ok(()) }
/// ```
#[async_trait]
pub trait SimulatedProvider: fmt::Debug + Send + Sync {
    /// Answers one question about a metric of an AnalysisRun, in a bounded time; `None` if nobody knows what came of the
    /// question, so that it must be asked again.
    async fn ask(&self, run: &Value, metric: &Metric, ask: &Ask) -> Option<Answer>;
}

#[derive(Debug)]
struct Simulated<P>(P);

#[async_trait]
impl<P: SimulatedProvider> Provider for Simulated<P> {
    async fn ask(&self, question: Question<'_>) -> Told {
        self.0.ask(question.run, question.metric, question.ask).await.into()
    }
}

/// Turns it into a provider of a controller.
pub(crate) fn provider(of: impl SimulatedProvider + 'static) -> Arc<dyn Provider> {
    Arc::new(Simulated(of))
}
