//! Asks a Prometheus server.

mod answer;
mod query;
mod range;

pub(super) use answer::{Series, series};
pub(super) use query::Query;

use super::{
    http::Http,
    provider::{Told, deadline, text, within},
};
use rollout_core::Time;
use serde_json::Value;
use std::time::Duration;

/// Asks the query of a metric.
pub(super) async fn ask(http: &Http, metric: &Value, now: Time) -> Told {
    let question = match Query::read(metric, text(metric, "/query"), now) {
        Ok(query) => query,
        Err(why) => return Told::nothing(why),
    };
    let answer = deadline(timeout(metric), question.send(http)).await;
    let told = match answer {
        Ok(answer) => Told::answer(answer::read(&answer)),
        Err(why) => Told::nothing(why),
    };
    told.hiding(question.secrets())
}

/// Returns for how long a server is asked.
pub(super) fn timeout(metric: &Value) -> Duration {
    within(metric.get("timeout").and_then(Value::as_i64), 30)
}
