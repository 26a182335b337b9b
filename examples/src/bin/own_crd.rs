//! A controller for a kind of object of one's own: `Canary` (`examples/manifests/own-crd/crd.yaml`). Its pods are
//! ReplicaSets; its steps are shares of pods; the Services `NAME-stable` and `NAME-canary` lead to one revision each.
//! It looks at all objects of one namespace each second; a larger controller watches, and sleeps until `Resume` says.
#![expect(clippy::indexing_slicing, reason = "a JSON value without the key gives null")]
use clap::{Arg, Command};
use rollout_core::backend::{NoDataPlane, Object, ObjectBackend, ObjectStore as _};
use rollout_core::backend::{Reading, ServiceEditor, StoreError};
use rollout_core::serde_json::{self, Value, json};
use rollout_core::{Driver, Escaped, Failure, Next, Outcome, Revision, Spec, Status, Step, Strategy, Time};
use rollout_kube::{Kind, KubeEvent, KubeStore, Publisher, ReplicaSets};
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

type Failed = Box<dyn std::error::Error>;
const HOLD: Duration = Duration::from_secs(10);

/// The pods of a canary.
fn template(name: &str, canary: &Value) -> Value {
    let container = json!({"name": "app", "image": canary["spec"]["image"]});
    json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}})
}

/// What its user wants: each of the steps is a percentage, and held for a while.
fn spec(canary: &Value, revision: Revision) -> Result<Spec, Failed> {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap_or(1));
    let mut strategy = Strategy::builder().stable_service(true).canary_service(true);
    for weight in canary["spec"]["steps"].as_array().into_iter().flatten() {
        strategy = strategy.step(Step::SetWeight(number(weight)?)).step(Step::Pause(Some(HOLD)));
    }
    Ok(Spec::new(strategy.build()?, revision).replicas(number(&canary["spec"]["replicas"])?))
}

fn now() -> Time {
    Time::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).map_err(|before| before.duration()))
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
    async fn turn(&mut self, name: &str, mut canary: Object) -> Result<(), Failed> {
        let value = canary.value.clone();
        let text = |field: &str| value["metadata"][field].as_str().unwrap_or_default();
        let driver = self.drivers.entry(text("uid").to_owned()).or_insert(Driver::new(&*self.process));
        let (elapsed, object) = (self.began.elapsed(), self.kind.object(text("namespace"), name));
        if elapsed < driver.not_before() || !value["metadata"]["deletionTimestamp"].is_null() {
            return Ok(());
        }
        let status: Option<Status> = serde_json::from_value(value["status"]["engine"].clone())?;
        let status = status.unwrap_or_default();
        let sets = ReplicaSets::new(&self.store, &self.kind, value.clone()).template(template(name, &value));
        let spec = spec(&value, sets.revision())?;
        let (stable, preview) = (format!("{name}-stable"), format!("{name}-canary"));
        let services = ServiceEditor::new(text("namespace"), Some(&stable), Some(&preview)).of_rollout(name);
        let traffic = ObjectBackend::new(services, self.store.clone(), NoDataPlane);
        let (read, now) = (Reading::take(&traffic, &sets, &status).await, now());
        let mut reading =
            read.map_err(StoreError::into_failure).inspect_err(|why| _ = driver.failed(why, elapsed))?;
        let notes = reading.trouble.iter().map(|why| KubeEvent::warning("TrafficUnknown", why));
        notes.for_each(|note| self.publisher.publish(&value, &note, now));
        driver.see(&mut reading.observed, elapsed);
        let mut turn = driver.begin(&spec, &status, &reading.observed, now);
        loop {
            let result = match turn.next() {
                Next::Fence(nonce) => reading.fence(nonce).await,
                Next::Act(action) => reading.act(action, driver.nonce()).await,
                Next::Store(status) => {
                    let stored = self.store.replace_status(&object, &canary, json!({"engine": status})).await;
                    let stored = stored.map(|now| canary.version = now).map(|()| Outcome::Changed);
                    stored.map_err(StoreError::into_failure)
                }
                Next::VerifyOwnership => match self.store.get(&object).await {
                    Ok(now) if now.version == canary.version => Ok(Outcome::Unchanged),
                    Ok(_) => Err(Failure::Conflict),
                    Err(error) => Err(error.into_failure()),
                },
                Next::Publish(events) => {
                    let notes = events.iter().map(|event| KubeEvent::normal("Canary", event));
                    notes.for_each(|note| self.publisher.publish(&value, &note, now));
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
async fn main() -> Result<(), Failed> {
    let namespace = Arg::new("namespace").required(true).help("Whose canaries are driven");
    let args = Command::new("own_crd").version(env!("CARGO_PKG_VERSION")).arg(namespace).get_matches();
    let namespace = args.get_one::<String>("namespace").map(String::as_str).unwrap_or_default();
    let kind = Kind::new("canaries.example.com", "v1", "Canary", "canaries");
    let store = KubeStore::new(kube::Client::try_default().await?, "own-crd").kind(kind.clone());
    let process = format!("{}-{}", now().as_millis(), std::process::id());
    let (publisher, drivers) = (Publisher::new(&store, &kind, &process), HashMap::new());
    let mut controller = Controller { store, kind, publisher, process, began: Instant::now(), drivers };
    loop {
        let found = controller.store.list(&controller.kind.object(namespace, "")).await;
        let found = found.inspect_err(|error| println!("{}", Escaped(error)));
        for (object, canary) in found.unwrap_or_default() {
            if let Err(error) = controller.turn(&object.name, canary).await {
                println!("{object}: {}", Escaped(error));
            }
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
