//! Analyses of a Rollout: runs that begin, end and say something.

use super::{Cluster, World};
use serde_json::{Value, json};
use std::time::Duration;

const RUNS: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/";
pub(super) const TEMPLATE: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/analysistemplates/errors";
const OF_CLUSTER: &str = "/apis/argoproj.io/v1alpha1/clusteranalysistemplates/errors";

fn metric() -> Value {
    json!({"name": "errors", "interval": "1m", "count": 3, "provider": {"prometheus": {"query": "{{args.query}}"}}})
}

/// The step of an analysis with one argument.
fn step() -> Value {
    json!({"analysis": {
        "templates": [{"templateName": "errors"}], "args": [{"name": "query", "value": "up"}],
        "analysisRunMetadata": {"labels": {"team": "shop", "rollout-type": "theirs"}}
    }})
}

impl World {
    async fn analysed(steps: Value) -> Self {
        let world = Self::new(steps).await;
        world.cluster().template(TEMPLATE);
        world
    }

    /// A release of a second version that has come to its analysis.
    async fn at_analysis(steps: Value) -> Self {
        let mut world = Self::analysed(steps).await;
        world.until_phase("Healthy").await;
        world.image("web:v2");
        world.until(|_| true).await;
        for _ in 0..20 {
            world.step().await;
        }
        assert_eq!(world.runs().len(), 1, "{:?}", world.status());
        world
    }

    async fn step(&mut self) {
        self.memory.driver.read_live();
        self.turn().await;
        self.run_pods();
        tokio::time::advance(Duration::from_secs(1)).await;
    }

    fn runs(&self) -> Vec<Value> {
        let cluster = self.cluster();
        let all = cluster.objects.iter().filter(|(path, _)| path.starts_with(RUNS));
        all.map(|(_, run)| run.clone()).collect()
    }

    fn names(&self) -> Vec<String> {
        self.runs().iter().map(|run| run["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Somebody measures: the newest run has this phase.
    fn measured(&mut self, phase: &str, message: &str) {
        let mut run = self.runs().pop().unwrap();
        run["status"] = json!({"phase": phase, "message": message});
        let path = format!("{RUNS}{}", run["metadata"]["name"].as_str().unwrap());
        self.cluster().put(&path, run);
        self.memory.driver.read_live();
    }
}

impl Cluster {
    fn template(&mut self, path: &str) {
        let spec = json!({"args": [{"name": "query"}], "metrics": [metric()]});
        let namespace = if path == TEMPLATE { json!("shop") } else { Value::Null };
        self.put(path, json!({"metadata": {"name": "errors", "namespace": namespace}, "spec": spec}));
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_waits_for_its_run_and_goes_on_when_it_is_successful() {
    let mut world = World::at_analysis(json!([{"setWeight": 50}, step()])).await;
    let run = world.runs().remove(0);
    let hash = world.status()["currentPodHash"].as_str().unwrap().to_owned();
    let name = format!("web-{hash}-2-1");
    assert_eq!(run["metadata"]["name"], name.as_str());
    let labels = json!({
        "rollouts-pod-template-hash": hash, "rollout-type": "theirs", "step-index": "1", "team": "shop", "app": "web"
    });
    assert_eq!(run["metadata"]["labels"], labels);
    assert_eq!(run["metadata"]["annotations"]["rollout.argoproj.io/revision"], "2");
    assert_eq!(run["metadata"]["ownerReferences"][0]["name"], "web");
    assert_eq!(run["spec"]["metrics"][0], metric(), "arguments are put in when it is measured");
    assert_eq!(run["spec"]["args"], json!([{"name": "query", "value": "up"}]));
    world.measured("Running", "");
    world.step().await;
    let status = world.status();
    assert_eq!(status["canary"]["currentStepAnalysisRunStatus"], json!({"name": name, "status": "Running"}));
    assert_eq!((&status["phase"], &status["currentStepIndex"]), (&json!("Progressing"), &json!(1)));
    world.measured("Successful", "");
    world.until_phase("Healthy").await;
    assert_eq!(world.status()["stableRS"], hash.as_str());
    assert_eq!(world.status()["canary"].get("currentStepAnalysisRunStatus"), None);
    let notes = world.event_notes().await;
    let told: Vec<&String> = notes.iter().filter(|note| note.starts_with("Step Analysis Run")).collect();
    let of = |now: &str, before: &str| {
        format!("Step Analysis Run '{name}' Status New: '{now}' Previous: '{before}'")
    };
    assert_eq!(told, [&of("Running", "NoPreviousStatus"), &of("Successful", "Running")]);
    assert_eq!(world.names(), [name], "it is kept, and no other was made");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_failed_aborts_in_the_words_of_argo_rollouts() {
    let mut world = World::at_analysis(json!([{"setWeight": 50}, step(), {"pause": {}}])).await;
    world.measured("Failed", "Metric \"errors\" assessed Failed due to failed (1) > failureLimit (0)");
    world.until_phase("Degraded").await;
    let why = "Rollout aborted update to revision 2: Step-based analysis phase error/failed: Metric \"errors\" assessed \
               Failed due to failed (1) > failureLimit (0)";
    assert_eq!(world.status()["message"], format!("RolloutAborted: {why}"));
    assert_eq!(world.status()["abort"], true);
    assert_eq!(world.runs()[0]["spec"].get("terminate"), None, "it is over");
    let notes = world.event_notes().await;
    let told: Vec<&String> = notes.iter().filter(|note| note.starts_with("Step Analysis Run")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("Status New: 'Failed' Previous: 'NoPreviousStatus'"), "{told:?}");
    // A retry is judged by a run of its own.
    world.edit(&json!({"status": {"abort": false}}));
    for _ in 0..10 {
        world.step().await;
    }
    let names = world.names();
    assert_eq!(names.len(), 2);
    assert!(names[1].ends_with("-2-1.1"), "{names:?}");
    assert_eq!(world.status()["phase"], "Progressing");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_waits_for_is_told_to_end() {
    let mut world = World::at_analysis(json!([{"setWeight": 50}, step()])).await;
    world.measured("Running", "");
    world.edit(&json!({"status": {"abort": true}}));
    for _ in 0..5 {
        world.step().await;
    }
    assert_eq!(world.runs()[0]["spec"]["terminate"], true);
    assert_eq!(world.status()["canary"].get("currentStepAnalysisRunStatus"), None);
}

#[tokio::test(start_paused = true)]
async fn an_inconclusive_run_pauses_and_a_person_has_it_measured_again() {
    let mut world = World::at_analysis(json!([{"setWeight": 50}, step()])).await;
    world.measured("Inconclusive", "");
    world.until_phase("Paused").await;
    assert_eq!(world.status()["message"], "InconclusiveAnalysisRun");
    for _ in 0..10 {
        world.step().await;
    }
    assert_eq!(world.names().len(), 1, "nobody has asked for another");
    let notes = world.event_notes().await;
    let paused = notes.iter().filter(|note| *note == "Rollout is paused (InconclusiveAnalysisRun)");
    assert_eq!(paused.count(), 1, "{notes:?}");
    world.edit(&json!({"status": {"pauseConditions": null}}));
    for _ in 0..10 {
        world.step().await;
    }
    assert_eq!(world.names().len(), 2);
    world.measured("Successful", "");
    world.until_phase("Healthy").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_template_is_said_before_anything_is_released() {
    let mut world = World::new(json!([step()])).await;
    world.turn().await;
    let message = world.status()["message"].clone();
    let expected = "spec.strategy.canary.steps[0].analysis.templates: AnalysisTemplate 'errors' not found; create it, or \
                    correct the name";
    assert!(message.as_str().unwrap().contains(expected), "{message}");
    assert!(world.replica_sets().is_empty());
    world.cluster().template(TEMPLATE);
    let object = rollout_core::traffic::ObjectRef::new("argoproj.io", "AnalysisTemplate", "shop", "errors");
    world.context.caches.get_live(&object, None).await.unwrap();
    world.until_phase("Healthy").await;
    for (number, (from, to, expected)) in [
        ("prometheus", "kayenta", "metric `errors`: the provider `kayenta` is not supported"),
        (
            r#"{"prometheus":{"query":"{{args.query}}"}}"#,
            r#"{"plugin":{"other/metric":{}}}"#,
            "metric `errors`: the plug-in `other/metric` is not supported; write `prometheus`",
        ),
        (
            r#"{"prometheus":{"query":"{{args.query}}"}}"#,
            r#"{"plugin":{"rollout-core/compare":{"tolerence":1}}}"#,
            "metric `errors`: provider.plugin[rollout-core/compare].tolerence: is no setting of it; write one of",
        ),
        ("\"count\":3", "\"count\":-3,\"failureLimit\":-7", "its run would be invalid"),
        ("{{args.query}}", "{{args.other}}", "{{args.other}}"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut template = world.cluster().objects[TEMPLATE].clone();
        template["spec"] = serde_json::from_str(&template["spec"].to_string().replace(from, to)).unwrap();
        world.cluster().put(TEMPLATE, template);
        world.context.caches.get_live(&object, None).await.unwrap();
        if number == 0 {
            world.turn().await;
            assert_eq!(world.status()["phase"], "Healthy", "nothing is to be released");
        }
        world.image(&format!("web:v{}", number + 2));
        world.turn().await;
        let message = world.status()["message"].clone();
        assert!(message.as_str().unwrap_or_default().contains(expected), "{message}: {expected}");
        world.cluster().template(TEMPLATE);
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_of_the_cluster_is_in_no_namespace() {
    let mut step = step();
    step["analysis"]["templates"] = json!([{"templateName": "errors", "clusterScope": true}]);
    let mut world = World::new(json!([step])).await;
    world.cluster().template(OF_CLUSTER);
    world.until_phase("Healthy").await;
    world.image("web:v2");
    for _ in 0..20 {
        world.step().await;
    }
    assert_eq!(world.runs().len(), 1, "{}", world.status());
}

#[tokio::test(start_paused = true)]
async fn a_write_that_is_answered_with_an_error_and_took_effect_makes_no_second_run() {
    for nth in 1..12 {
        let mut world = World::analysed(json!([step()])).await;
        world.until_phase("Healthy").await;
        world.image("web:v2");
        world.cluster().fail_in = Some((nth, 500, true));
        for _ in 0..40 {
            world.step().await;
        }
        assert_eq!(world.names().len(), 1, "after write {nth}: {:?}", world.names());
        world.measured("Successful", "");
        world.until_phase("Healthy").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_left_alone() {
    let mut world = World::analysed(json!([step()])).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    world.turn().await;
    let hash = world.status()["currentPodHash"].as_str().unwrap().to_owned();
    let theirs = json!({"metadata": {"name": format!("web-{hash}-2-0"), "namespace": "shop"}, "spec": {}});
    world.cluster().put(&format!("{RUNS}web-{hash}-2-0"), theirs);
    for _ in 0..20 {
        world.step().await;
    }
    assert_eq!(world.names(), [format!("web-{hash}-2-0"), format!("web-{hash}-2-0.1")]);
    assert_eq!(world.runs()[0]["spec"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_runs_no_analyses_releases_nothing_with_one() {
    let mut world = World::analysed(json!([step()])).await;
    world.context.runs_analyses = false;
    world.turn().await;
    let message = world.status()["message"].clone();
    assert!(message.as_str().unwrap().contains("`--analysis`"), "{message}");
    assert!(world.replica_sets().is_empty());
}

/// A run has its own copy of the metrics; nobody must lose its verdict by an edit of a template.
#[tokio::test(start_paused = true)]
async fn a_bad_verdict_counts_although_the_template_is_gone() {
    let mut world = World::at_analysis(json!([{"setWeight": 50}, step(), {"pause": {}}])).await;
    world.cluster().objects.remove(TEMPLATE);
    let object = rollout_core::traffic::ObjectRef::new("argoproj.io", "AnalysisTemplate", "shop", "errors");
    assert!(world.context.caches.get_live(&object, None).await.is_err());
    world.measured("Failed", "");
    world.until_phase("Degraded").await;
    assert_eq!(world.status()["abort"], true, "{}", world.status());
}

#[tokio::test(start_paused = true)]
async fn an_argument_may_name_a_field_that_the_controller_writes() {
    let mut step = step();
    let path = "metadata.annotations['rollout.argoproj.io/revision']";
    step["analysis"]["args"] = json!([{"name": "query", "valueFrom": {"fieldRef": {"fieldPath": path}}}]);
    let mut world = World::analysed(json!([{"setWeight": 50}, step])).await;
    world.until_phase("Healthy").await;
    world.image("web:v2");
    for _ in 0..60 {
        world.step().await;
    }
    assert_eq!(world.runs().len(), 1, "{}", world.status());
}

/// The weight must not rise without the evidence that the user wants.
#[tokio::test(start_paused = true)]
async fn while_a_background_run_is_refused_no_step_ends() {
    let mut world = World::analysed(json!([{"setWeight": 50}, {"setWeight": 80}])).await;
    let beside =
        json!({"templates": [{"templateName": "errors"}], "args": [{"name": "query", "value": "up"}]});
    world.edit(&json!({"spec": {"strategy": {"canary": {"analysis": beside}}}}));
    world.until_phase("Healthy").await;
    world.cluster().fails = Some(("/analysisruns", 403));
    world.image("web:v2");
    for _ in 0..60 {
        world.step().await;
    }
    assert_eq!(world.status()["currentStepIndex"], 0, "{}", world.status());
    world.cluster().fails = None;
    for _ in 0..60 {
        world.step().await;
    }
    assert_eq!(world.runs().len(), 1, "{}", world.status());
    world.measured("Running", "");
    world.until_phase("Healthy").await;
}
