//! How a controller starts to run AnalysisRuns.

use super::{super::run::LAST_EVENTS, ControllerBuilder};
use crate::{
    analysis::{Analysis, Provider, RunContext, Runner},
    cache::Changed,
    rollout::{Context, Publisher},
};
use std::sync::{Arc, atomic::AtomicBool};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinSet,
};

impl ControllerBuilder {
    /// Runs AnalysisRuns, too: those of the namespace and the instance id of this controller. Default: it leaves them alone.
    /// A dry run does not run them.
    ///
    /// ```
    /// use rollout_kube::{Analysis, Controller, testing::SimulatedApiServer};
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = SimulatedApiServer::start();
    /// let provider = json!({"prometheus": {"query": "sum(rate(errors[5m]))"}});
    /// let metric = json!({"name": "errors", "consecutiveErrorLimit": 0, "provider": provider});
    /// let spec = json!({"metrics": [metric]});
    /// server.apply("/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/check", json!({"spec": spec}));
    /// let builder = Controller::builder(server.client()).analysis(Analysis::new());
    /// builder.run_until(tokio::time::sleep(std::time::Duration::from_secs(60))).await?;
    /// let status = &server.all("/apis/argoproj.io/v1alpha1/analysisruns")[0]["status"];
    /// assert_eq!(status["metricResults"][0]["measurements"][0]["phase"], "Error");
    /// let message = status["message"].as_str().ok_or("nothing is reported")?;
    /// assert!(message.contains("prometheus address is not configured"), "{message}");
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "analysis")]
    pub fn analysis(mut self, analysis: Analysis) -> Self {
        self.analysis = Some(analysis);
        self
    }

    /// Lets this answer what AnalysisRuns ask, in place of the real metric providers. Default: those.
    ///
    /// See [`SimulatedProvider`](crate::testing::SimulatedProvider) for an example.
    #[cfg(feature = "testing")]
    pub fn provider(mut self, provider: impl crate::testing::SimulatedProvider + 'static) -> Self {
        self.provider = Some(crate::testing::provider(provider));
        self
    }
}

/// Starts the runner of AnalysisRuns, if they are to be run. It shares the caches of the Rollouts, so it gets its share of
/// their changes. Returns the changes, all of them, and what publishes the events of runs.
pub(super) fn start(
    (analysis, provider): (Option<Analysis>, Option<Arc<dyn Provider>>),
    context: &Context,
    changes: UnboundedReceiver<Changed>,
    tasks: &mut JoinSet<()>,
) -> (UnboundedReceiver<Changed>, Option<Publisher>) {
    let Some(analysis) = analysis else { return (changes, None) };
    let provider = provider.unwrap_or_else(|| analysis.providers(context.caches.requests().clone()));
    let (changes, publisher) = start_with(provider, analysis.worker_count(), context, changes, tasks);
    (changes, Some(publisher))
}

fn start_with(
    provider: Arc<dyn Provider>,
    workers: usize,
    context: &Context,
    mut changes: UnboundedReceiver<Changed>,
    tasks: &mut JoinSet<()>,
) -> (UnboundedReceiver<Changed>, Publisher) {
    let publisher = Publisher::start_for_runs(context.caches.requests().clone(), &context.process);
    let runs = RunContext {
        caches: Arc::clone(&context.caches),
        publisher: publisher.clone(),
        provider,
        instance: context.instance.clone(),
        clock: Arc::clone(&context.clock),
        has_subresource: AtomicBool::new(false),
    };
    let (tell, wakes) = unbounded_channel();
    let (pass_on, rest) = unbounded_channel();
    tasks.spawn(Runner::new(Arc::new(runs), workers).run(wakes));
    tasks.spawn(async move {
        while let Some(change) = changes.recv().await {
            // The receivers are gone only when the program ends.
            if let Some(run) = Runner::concerned(&change) {
                let _ = tell.send(run);
            }
            let _ = pass_on.send(change);
        }
    });
    (rest, publisher)
}

/// Waits until the last events of runs are published.
pub(super) async fn flush(runs: Option<Publisher>) {
    if let Some(runs) = runs {
        runs.flush(LAST_EVENTS).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::{Controller, run::Sources, run::run},
            Waker,
        },
        *,
    };
    use crate::{
        analysis::{Question, Told},
        testing::SimulatedApiServer,
    };
    use async_trait::async_trait;
    use serde_json::json;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    /// Answers nothing, after so many seconds.
    #[derive(Debug)]
    struct Away(u64);

    #[async_trait]
    impl Provider for Away {
        async fn ask(&self, _: Question<'_>) -> Told {
            sleep(Duration::from_secs(self.0)).await;
            Told::nothing("no answer")
        }
    }

    const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/n0/rollouts/web";

    /// Waits until a new revision is stable. Returns how long that took, and the revision.
    async fn released(server: &SimulatedApiServer, before: &str) -> (Duration, String) {
        let began = Instant::now();
        loop {
            let status = server.all("/apis/argoproj.io/v1alpha1/rollouts")[0]["status"].clone();
            let stable = status["stableRS"].as_str().unwrap_or_default();
            if status["phase"] == "Healthy" && stable != before {
                return (began.elapsed(), stable.to_owned());
            }
            sleep(Duration::from_millis(10)).await;
            assert!(began.elapsed() < Duration::from_secs(600), "it takes for ever: {status}");
        }
    }

    /// Runs a controller with this many runs, whose provider is away, and one Rollout. Returns how long its first deploy
    /// and an update took, in virtual time.
    async fn releases_beside(runs: usize, provider: Away) -> [Duration; 2] {
        let server = SimulatedApiServer::start();
        server.run_pods();
        let metric = json!({
            "name": "a", "interval": "5s", "consecutiveErrorLimit": 1_000, "provider": {"prometheus": {}}
        });
        for run in 0..runs {
            let path = format!("/apis/argoproj.io/v1alpha1/namespaces/n{run}/analysisruns/away");
            server.apply(&path, json!({"spec": {"metrics": [metric]}}));
        }
        let (mut context, changes) = Controller::builder(server.client()).start().await.unwrap();
        let began = Instant::now();
        context.clock = Arc::new(move || rollout_core::Time::from_secs(1_769_860_800) + began.elapsed());
        let (context, mut tasks) = (Arc::new(context), JoinSet::new());
        let (changes, _) = start_with(Arc::new(provider), 30, &context, changes, &mut tasks);
        tasks.spawn(run(context, Sources { changes, wakes: Waker::new().1 }, 4, std::future::pending()));
        sleep(Duration::from_secs(150)).await;
        let pods =
            |version: u32| json!({"containers": [{"name": "web", "image": format!("web:v{version}")}]});
        let canary = json!({"steps": [{"setWeight": 50}, {"pause": {"duration": "20s"}}]});
        let spec = json!({
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"canary": canary},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pods(1)}
        });
        server.apply(ROLLOUT, json!({"spec": spec}));
        let (first, stable) = released(&server, "").await;
        server.patch(ROLLOUT, &json!({"spec": {"template": {"spec": pods(2)}}}));
        let (update, _) = released(&server, &stable).await;
        let asked = server.requests().get("PUT analysisruns").copied().unwrap_or(0);
        assert!(usize::try_from(asked).unwrap() >= runs, "{asked} of {runs} runs have had an answer");
        [first, update]
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_providers_that_are_away_delay_no_rollout() {
        let alone = releases_beside(0, Away(0)).await;
        assert!(alone[1] >= Duration::from_secs(20), "the update waits in its pause: {alone:?}");
        assert_eq!(releases_beside(100, Away(30)).await, alone, "slow ones");
        assert_eq!(releases_beside(100, Away(0)).await, alone, "stopped ones");
    }
}
