//! How soon a controller hears of what happens.

use crate::history::{Happening, History};
use std::time::Duration;

/// A controller may not have heard yet that pods are gone: its watches are late, and so are its requests.
pub(super) const HEARD: Duration = Duration::from_secs(45);
/// Pods are counted some time after they come or go, and what is written lands at the next look.
const COUNTED: Duration = Duration::from_millis(2_500);

/// After which time a controller has heard of everything, in this history.
pub(super) fn heard(history: &History) -> Duration {
    let is_calm = |what: &Happening| {
        matches!(
            what,
            Happening::Image(..)
                | Happening::Abort(_)
                | Happening::Retry(_)
                | Happening::Promote(_)
                | Happening::PromoteFull(_)
                | Happening::Replicas(..)
                | Happening::Steps(..)
                | Happening::Touched(_)
                | Happening::Reapplied(..)
                | Happening::Mood(..)
                | Happening::RunApplied(..)
                | Happening::RunEnded(_)
                | Happening::RunDeleted(_)
                | Happening::NameTaken(_)
                | Happening::Passed(_)
        )
    };
    if history.trouble > 0 || !history.happenings.iter().all(|(_, what)| is_calm(what)) {
        return HEARD;
    }
    let asked = match &history.mesh {
        Some(mesh) if mesh.silent > 0 => return HEARD,
        Some(mesh) => Duration::from_millis(3 * u64::from(mesh.answers)),
        None => Duration::ZERO,
    };
    COUNTED + asked + Duration::from_millis(2 * u64::from(history.lag))
}
