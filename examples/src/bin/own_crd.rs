//! A controller for a kind of object of one's own: `Canary` (`examples/manifests/own-crd/crd.yaml`). Its pods are
//! ReplicaSets; its steps are shares of pods; the Services `NAME-stable` and `NAME-canary` lead to one revision each.
//!
//! It stores the engine's status in `status.engine` of the object, and looks at all objects of one namespace each second;
//! a larger controller watches, and lets an object sleep until `Resume` says.

use rollout_core::backend::{
    NoDataPlane, Object, ObjectBackend, ObjectStore as _, Reading, ServiceEditor, StoreError,
};
use rollout_core::{Driver, Escaped, Failure, Next, Outcome, Revision, Spec, Status, Step, Strategy, Time};
use rollout_core::{
    serde_json::{self, Value, json},
    traffic::ObjectRef,
};
use rollout_kube::{Kind, KubeStore, Publisher, ReplicaSets, Said};
use std::{
    collections::HashMap,
    error::Error,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The pods of a canary.
fn template(name: &str, image: &Value) -> Value {
    let container = json!({"name": "app", "image": image, "ports": [{"containerPort": 8080}]});
    json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}})
}

/// What its user wants: each of the steps is a percentage, held for ten seconds.
fn spec(canary: &Value, revision: Revision) -> Result<Spec, Box<dyn Error>> {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(1));
    let mut strategy = Strategy::builder().stable_service(true).canary_service(true);
    for weight in canary["spec"]["steps"].as_array().into_iter().flatten() {
        strategy =
            strategy.steps([Step::SetWeight(number(weight)?), Step::Pause(Some(Duration::from_secs(10)))]);
    }
    Ok(Spec::new(strategy.build()?, revision).replicas(number(&canary["spec"]["replicas"])?))
}

struct Controller {
    store: KubeStore,
    kind: Kind,
    publisher: Publisher,
    process: String,
    began: Instant,
    /// What this process remembers of each object, by its uid: another one of the same name is another one.
    drivers: HashMap<String, Driver>,
}

impl Controller {
    /// One turn for one object: observe, decide, carry out.
    async fn turn(&mut self, name: &ObjectRef, mut canary: Object) -> Result<(), Box<dyn Error>> {
        let value = canary.value.clone();
        let uid = value["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let driver = self.drivers.entry(uid).or_insert_with(|| Driver::new(&*self.process));
        let elapsed = self.began.elapsed();
        if elapsed < driver.not_before() || !value["metadata"]["deletionTimestamp"].is_null() {
            return Ok(());
        }
        let engine = &value["status"]["engine"];
        let status =
            if engine.is_null() { Status::default() } else { serde_json::from_value(engine.clone())? };
        let sets = ReplicaSets::new(&self.store, &self.kind, value.clone());
        let sets = sets.template(template(&name.name, &value["spec"]["image"]));
        let spec = spec(&value, sets.revision())?;
        let (stable, preview) = (format!("{}-stable", name.name), format!("{}-canary", name.name));
        let services =
            ServiceEditor::new(&name.namespace, Some(&stable), Some(&preview)).of_rollout(&name.name);
        let traffic = ObjectBackend::new(services, self.store.clone(), NoDataPlane);
        let mut reading = match Reading::take(&traffic, &sets, &status).await {
            Ok(reading) => reading,
            Err(error) => {
                driver.failed(&error.clone().into_failure(), elapsed);
                return Err(error.into());
            }
        };
        let trouble = reading.trouble.take().map(|error| Said::warning("TrafficUnknown", error));
        driver.see(&mut reading.observed, elapsed);
        let now =
            Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_err(|before| before.duration()));
        trouble.iter().for_each(|said| self.publisher.say(&value, said, now));
        let mut turn = driver.begin(&spec, &status, &reading.observed, now);
        loop {
            let result = match turn.next() {
                Next::Fence(nonce) => reading.fence(nonce).await,
                Next::Act(action) => reading.act(action, driver.nonce()).await,
                Next::Store(status) => {
                    let stored = self.store.replace_status(name, &canary, json!({"engine": status})).await;
                    stored
                        .map(|now| canary.version = now)
                        .map(|()| Outcome::Changed)
                        .map_err(StoreError::into_failure)
                }
                // Nobody has stored another status since.
                Next::VerifyOwnership => match self.store.get(name).await {
                    Ok(now) if now.version.write == canary.version.write => Ok(Outcome::Unchanged),
                    Ok(_) => Err(Failure::Conflict),
                    Err(error) => Err(error.into_failure()),
                },
                Next::Publish(events) => {
                    events
                        .iter()
                        .for_each(|event| self.publisher.say(&value, &Said::normal("Canary", event), now));
                    events.iter().for_each(|event| println!("{name}: {event}"));
                    Ok(Outcome::Unchanged)
                }
                Next::Report => Ok(Outcome::Unchanged),
                Next::Done => break,
            };
            turn.done(result.inspect_err(|failure| println!("{name}: {}", Escaped(failure))));
        }
        driver.end(turn, elapsed);
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let namespace = clap::Arg::new("namespace").required(true).help("Whose canaries are driven");
    let args =
        clap::Command::new("own_crd").about("Drive a kind of your own").version(env!("CARGO_PKG_VERSION"));
    let args = args.arg(namespace).get_matches();
    let namespace = args.get_one::<String>("namespace").map(String::as_str).unwrap_or_default();
    let kind = Kind::new("canaries.example.com", "v1", "Canary", "canaries");
    let store = KubeStore::new(kube::Client::try_default().await?, "own-crd").kind(kind.clone());
    // The time comes first: of two processes at work, the older one can be told.
    let process =
        format!("{}-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis(), std::process::id());
    let publisher = Publisher::new(&store, &kind, &process);
    let (began, drivers) = (Instant::now(), HashMap::new());
    let mut controller = Controller { store, kind, publisher, process, began, drivers };
    loop {
        match controller.store.list(&controller.kind.object(namespace, "")).await {
            Ok(all) => {
                for (name, canary) in all {
                    if let Err(error) = controller.turn(&name, canary).await {
                        println!("{name}: {}", Escaped(error));
                    }
                }
            }
            Err(error) => println!("{}", Escaped(error)),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
