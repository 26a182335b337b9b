//! What is said about the analyses of a Rollout before anything is released.

use super::{World, analysis::TEMPLATE};
use serde_json::{Value, json};

fn step() -> Value {
    json!({"analysis": {"templates": [{"templateName": "errors"}], "args": [{"name": "query", "value": "up"}]}})
}

impl World {
    /// Changes the only metric of the template.
    async fn metric(&self, fields: Value) {
        let mut metric = json!({
            "name": "errors", "interval": "1m", "count": 3, "provider": {"prometheus": {"query": "{{args.query}}"}}
        });
        super::merge(&mut metric, &fields);
        let spec = json!({"args": [{"name": "query"}], "metrics": [metric]});
        let metadata = json!({"name": "errors", "namespace": "shop"});
        self.cluster().put(TEMPLATE, json!({"metadata": metadata, "spec": spec}));
        let object =
            rollout_core::traffic::ObjectRef::new("argoproj.io", "AnalysisTemplate", "shop", "errors");
        self.context.caches.get_live(&object, None).await.unwrap();
    }

    /// How often something odd was told: an event that repeats soon raises a count.
    async fn told(&self) -> usize {
        self.event_notes().await;
        let asked = self.asked.lock().unwrap();
        let events = asked.iter().filter(|asked| asked.uri.contains("/events"));
        events.filter(|event| event.method == "PATCH" || event.body["reason"] == "AnalysisDoubtful").count()
    }

    /// Notes of the events about odd analyses.
    async fn doubts(&self) -> Vec<String> {
        let notes = self.event_notes().await;
        notes.into_iter().filter(|note| note.contains("AnalysisTemplate 'errors'")).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_could_never_be_successful_is_refused_before_anything_is_released() {
    let mut world = World::new(json!([{"setWeight": 50}, step()])).await;
    world.metric(json!({"successCondition": "result >= 0.95"})).await;
    world.turn().await;
    let message = world.status()["message"].clone();
    let expected = "spec.strategy.canary.steps[1].analysis: AnalysisTemplate 'errors': metrics[0].successCondition: `result \
                    >= 0.95` is an error whatever is measured, at character 8: `>=` cannot compare a list of numbers with \
                    a number; `result` is a list: write `result[0]` for its first element";
    assert!(message.as_str().unwrap().contains(expected), "{message}");
    assert!(world.replica_sets().is_empty());
    world.metric(json!({"successCondition": "len(result) == 0 || result[0] >= 0.95"})).await;
    world.until_phase("Healthy").await;
    assert!(world.doubts().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_odd_is_one_event_of_each_revision() {
    let mut world = World::new(json!([{"setWeight": 50}, step()])).await;
    world.metric(json!({"successCondition": "result[0] >= 0.95", "failureLimit": 3})).await;
    world.until_phase("Healthy").await;
    let doubts = world.doubts().await;
    assert_eq!(doubts.len(), 1, "{doubts:?}");
    let template = "spec.strategy.canary.steps[1].analysis: AnalysisTemplate 'errors': metrics[0]";
    assert!(
        doubts[0].starts_with(&format!("{template}.successCondition: an answer without data is an error")),
        "{doubts:?}"
    );
    assert!(
        doubts[0].contains(&format!("; {template}.failureLimit: the metric can never fail")),
        "{doubts:?}"
    );
    world.settle().await;
    assert_eq!(world.told().await, 1, "not at each turn");
    world.image("web:v2");
    for _ in 0..20 {
        world.memory.driver.read_live();
        world.turn().await;
        world.run_pods();
    }
    assert_eq!(world.status()["currentStepIndex"], 1, "it is no reason to wait: {}", world.status());
    assert_eq!(world.told().await, 2);
    // The run has begun: the template does not matter any more.
    world.metric(json!({"successCondition": "result[0] >= 0.9"})).await;
    world.turn().await;
    assert_eq!(world.told().await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_field_that_is_there_has_its_own_value() {
    let mut step = step();
    let path = "metadata.annotations['errors']";
    step["analysis"]["args"] = json!([{"name": "query", "valueFrom": {"fieldRef": {"fieldPath": path}}}]);
    let mut world = World::new(json!([step])).await;
    world.metric(json!({"provider": {"prometheus": null, "web": {"url": "http://web"}}, "successCondition": "{{args.query}}"})).await;
    world.edit(&json!({"metadata": {"annotations": {"errors": "result < 5"}}}));
    world.until_phase("Healthy").await;
}
