//! Jobs: one for each measurement, over a simulated API server.

use crate::{
    analysis::{
        job,
        provider::{Question, Told},
    },
    store::Requests,
    testing::SimulatedApiServer,
};
use rollout_core::{
    Time,
    analysis::{Answer, Ask, Phase, RunSpec, RunStatus, record},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A run with one metric, as far as it got.
struct Measured {
    server: SimulatedApiServer,
    requests: Requests,
    run: Value,
    spec: RunSpec,
    status: RunStatus,
    now: Time,
}

const JOB: &str = "/apis/batch/v1/namespaces/shop/jobs/7f0c.smoke.1";

impl Measured {
    fn new() -> Self {
        let server = SimulatedApiServer::start();
        let mut requests = Requests::new(server.client(), "us");
        requests.add_all(crate::runs::kinds());
        let pod = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}});
        let provider = json!({"job": {"metadata": {"labels": {"team": "shop"}}, "spec": {"template": pod}}});
        let metric = json!({"name": "smoke", "interval": "1m", "count": 2, "provider": provider});
        let spec = RunSpec::read(&json!({"metrics": [metric]}));
        let run = json!({"metadata": {"namespace": "shop", "name": "check", "uid": "7f0c"}});
        Self { server, requests, run, spec, status: RunStatus::default(), now: Time::from_secs(0) }
    }

    async fn ask(&mut self, ask: Ask) -> Told {
        let metric = self.spec.metric("smoke").unwrap();
        let result = self.status.metric("smoke");
        let (spec, run, now) = (&self.spec, &self.run, self.now);
        let question = Question { ask: &ask, spec, metric, result, run, now };
        let told = job::ask(&self.requests, &metric.provider()["job"], question).await;
        if let Some(answer) = &told.answer {
            self.status = record(&self.spec, &self.status, &[(ask, answer.clone())], self.now);
        }
        told
    }

    fn newest(&self) -> (Phase, String) {
        let newest = self.status.metrics[0].measurements.last().unwrap();
        (newest.phase, newest.message.clone())
    }

    fn jobs(&self) -> Vec<String> {
        let jobs = self.server.all("/apis/batch/v1/jobs");
        jobs.iter().map(|job| job["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

fn measure() -> Ask {
    Ask::Measure { metric: "smoke".into() }
}

fn resume() -> Ask {
    Ask::Resume { metric: "smoke".into() }
}

#[tokio::test(start_paused = true)]
async fn a_job_is_created_once_and_its_end_is_the_verdict() {
    let mut run = Measured::new();
    let before = run.status.clone();
    run.ask(measure()).await;
    // The answer was not stored: the question is asked again.
    run.status = before;
    let told = run.ask(measure()).await;
    let Some(Answer::Running { metadata, .. }) = told.answer else { panic!("{told:?}") };
    assert_eq!(metadata["job-name"], "7f0c.smoke.1");
    let job = run.server.all("/apis/batch/v1/jobs");
    assert_eq!(job.len(), 1);
    let meta = &job[0]["metadata"];
    assert_eq!(meta["labels"], json!({"team": "shop", "analysisrun.argoproj.io/uid": "7f0c"}));
    assert_eq!(meta["annotations"]["analysisrun.argoproj.io/metric-name"], "smoke");
    assert_eq!(meta["ownerReferences"][0]["uid"], "7f0c");
    let pod_labels = &job[0]["spec"]["template"]["metadata"]["labels"];
    assert_eq!(pod_labels, &json!({"a": "b", "analysisrun.argoproj.io/uid": "7f0c"}));

    run.now = Time::from_secs(50);
    let told = run.ask(resume()).await;
    assert!(
        matches!(told.answer, Some(Answer::Running { resume: Some(resume), .. }) if resume == Duration::from_secs(10)),
        "after the root of twice the time: {told:?}"
    );
    run.server.patch(JOB, &json!({"status": {"conditions": [{"type": "Complete", "status": "True"}]}}));
    run.ask(resume()).await;
    assert_eq!(run.newest(), (Phase::Successful, String::new()));
    run.ask(measure()).await;
    assert_eq!(run.jobs(), ["7f0c.smoke.1", "7f0c.smoke.2"]);
    run.server.patch(
        "/apis/batch/v1/namespaces/shop/jobs/7f0c.smoke.2",
        &json!({"status": {"conditions": [{"type": "Failed", "status": "True"}]}}),
    );
    run.ask(resume()).await;
    assert_eq!(run.status.phase, Phase::Failed);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_is_inconclusive() {
    let mut run = Measured::new();
    run.ask(measure()).await;
    let job = run.server.all("/apis/batch/v1/jobs")[0]["metadata"]["uid"].clone();
    let owner = json!({"kind": "Job", "name": "7f0c.smoke.1", "uid": job, "controller": true});
    let waiting = json!({"waiting": {"reason": "ErrImagePull", "message": "no such image"}});
    let metadata = json!({"ownerReferences": [owner], "labels": {"analysisrun.argoproj.io/uid": "7f0c"}});
    let status = json!({"containerStatuses": [{"name": "main", "state": waiting}]});
    run.server.apply("/api/v1/namespaces/shop/pods/smoke", json!({"metadata": metadata, "status": status}));
    run.ask(resume()).await;
    let message = "Pod smoke, container main has terminal error (ErrImagePull): no such image";
    assert_eq!(run.newest(), (Phase::Inconclusive, message.to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_job_ends_with_its_run_and_no_other_job_does() {
    let mut run = Measured::new();
    run.ask(measure()).await;
    run.server.apply("/apis/batch/v1/namespaces/shop/jobs/other", json!({"spec": {}}));
    // What the status says does not choose the Job.
    run.status.metrics[0].measurements[0].metadata.insert("job-name".to_owned(), "other".to_owned());
    run.ask(Ask::Terminate { metric: "smoke".into() }).await;
    assert_eq!(run.newest(), (Phase::Inconclusive, "Metric Terminated".to_owned()));
    let jobs = run.server.all("/apis/batch/v1/jobs");
    let is_going = |name: &str| {
        let job = jobs.iter().find(|job| job["metadata"]["name"] == name);
        job.is_none_or(|job| !job["metadata"]["deletionTimestamp"].is_null())
    };
    assert!(is_going("7f0c.smoke.1") && !is_going("other"));
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_job_is_left_alone() {
    let mut run = Measured::new();
    run.server.apply(JOB, json!({"spec": {}}));
    run.ask(measure()).await;
    let (phase, message) = run.newest();
    assert_eq!(phase, Phase::Error);
    assert!(message.contains("it belongs to something else than this AnalysisRun; delete it"), "{message}");
}
