//! What Argo CD shows.

use super::{Judge, text};
use crate::meant::meant;
use serde_json::Value;

pub(super) const SHOWN: &str = "argo_cd_shows_what_is_meant";

impl Judge {
    /// Compares the health that Argo CD shows with what a Rollout means, once a controller has stored its status.
    pub(super) fn shows(&mut self, app: &str, object: &Value, is_ours: bool) {
        if !is_ours || text(object, "/status/observedGeneration").is_empty() {
            return;
        }
        let (said, means) = (self.argo_cd.health(object).0, meant(object));
        self.must(SHOWN, said == means, || {
            format!("Argo CD shows {app} as {said}, and it is {means}: {}", object["status"])
        });
    }
}
