//! The number of rollouts that a change affects does not grow with the number of rollouts.

use super::*;

fn rollout(number: usize) -> Key {
    ("shop".to_owned(), format!("app-{number}"))
}

fn virtual_service(number: usize) -> ObjectRef {
    ObjectRef::new("networking.istio.io", "VirtualService", "shop", &format!("app-{number}"))
}

/// Each rollout reads its own VirtualService and all that name its host.
fn all(rollouts: usize) -> Interests {
    let interests = Interests::default();
    for number in 0..rollouts {
        let like = ObjectRef::new("networking.istio.io", "VirtualService", "shop", "");
        interests.note(&rollout(number), Interest::Object(virtual_service(number)));
        let host = format!("shop/app-{number}");
        interests.note(&rollout(number), Interest::Having(like, host.as_str().into()));
    }
    interests
}

#[test]
fn a_change_affects_one_rollout_of_ten_or_of_a_thousand() {
    for rollouts in [10, 1_000] {
        let key: Arc<str> = "shop/app-7".into();
        let concerned = all(rollouts).concerned(&virtual_service(7), [&key]);
        assert_eq!(concerned, HashSet::from([rollout(7)]));
        let named_by_another = all(rollouts).concerned(&virtual_service(3), [&key]);
        assert_eq!(named_by_another, HashSet::from([rollout(3), rollout(7)]));
        let other = ObjectRef::new("networking.istio.io", "VirtualService", "other", "app-7");
        assert!(all(rollouts).concerned(&other, [&key]).is_empty(), "in another namespace");
    }
}

#[test]
fn interests_of_earlier_turns_are_forgotten() {
    let interests = all(3);
    let kept = HashSet::from([Interest::Object(virtual_service(1))]);
    interests.keep(&rollout(1), &kept);
    let key: Arc<str> = "shop/app-1".into();
    assert!(interests.concerned(&virtual_service(9), [&key]).is_empty());
    assert_eq!(interests.concerned(&virtual_service(1), []).len(), 1);
    for number in 0..3 {
        interests.keep(&rollout(number), &HashSet::new());
    }
    interests.with(|inner| assert!(inner.by_rollout.is_empty() && inner.by_interest.is_empty()));
}
