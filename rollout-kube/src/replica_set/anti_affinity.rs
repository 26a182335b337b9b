//! `antiAffinity`: during an update, the pods of the canary run on other nodes than those of stable.

use super::ReplicaSet;
use crate::guard::{Guard, off};
use rollout_core::{Revision, backend::REVISION_LABEL};
use serde_json::{Map, Value, json};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// Adds the rule to the pod template of a new ReplicaSet, if its revision needs one.
pub(super) fn add_rule(template: &mut Value, rollout: &Value, revision: &Revision) {
    let rule = rule(rollout, revision).filter(|_| !off(Guard::AntiAffinityBegins));
    let Some((list, term)) = rule else { return };
    let mut place = template;
    for field in ["spec", "affinity", "podAntiAffinity"] {
        let Some(map) = as_map(place) else { return };
        place = map.entry(field).or_insert_with(|| json!({}));
    }
    let terms = as_map(place).map(|lists| lists.entry(list).or_insert_with(|| json!([])));
    if let Some(Value::Array(terms)) = terms {
        terms.push(term);
    }
}

/// Removes every rule of this kind from a pod template, so that it can be compared with the user's.
pub(super) fn without_rules(template: &mut Value) {
    let Some(lists) = template.pointer_mut("/spec/affinity/podAntiAffinity") else { return };
    let Some(lists) = lists.as_object_mut() else { return };
    for terms in lists.values_mut().filter_map(Value::as_array_mut) {
        terms.retain(|term| !is_rule(term));
    }
    lists.retain(|_, terms| terms.as_array().is_none_or(|terms| !terms.is_empty()));
    let is_empty = lists.is_empty();
    let Some(affinity) = template.pointer_mut("/spec/affinity").and_then(Value::as_object_mut) else {
        return;
    };
    if is_empty {
        affinity.remove("podAntiAffinity");
    }
    if affinity.is_empty()
        && let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.remove("affinity");
    }
}

/// Builds the patch of a pod template's `spec` that gives a ReplicaSet the rule that its revision needs now, or takes an
/// old one away. Pods that exist are not affected. Returns `None` if the rule is right.
pub(super) fn change(rollout: &Value, set: &ReplicaSet) -> Option<Value> {
    let rule = rule(rollout, &set.revision);
    // Most templates have no such rule, and parsing one takes time.
    if rule.is_none() && (off(Guard::AntiAffinityEnds) || !set.entry.template_contains("podAntiAffinity")) {
        return None;
    }
    let template = set.entry.template()?;
    let existing = |list: &str| {
        let lists = template.pointer("/spec/affinity/podAntiAffinity").and_then(|lists| lists.get(list));
        lists.and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let mut changes = Map::new();
    for list in [REQUIRED, PREFERRED] {
        let existing = existing(list);
        let mut wanted: Vec<_> = existing.iter().filter(|term| !is_rule(term)).cloned().collect();
        wanted.extend(rule.iter().filter(|(of, _)| *of == list).map(|(_, term)| term.clone()));
        if wanted != existing {
            changes.insert(list.to_owned(), if wanted.is_empty() { Value::Null } else { wanted.into() });
        }
    }
    (!changes.is_empty()).then(|| json!({"affinity": {"podAntiAffinity": changes}}))
}

/// Returns the list and the term that keep a revision's pods away from those of stable, if the Rollout asks for that and
/// the revision is not stable.
fn rule(rollout: &Value, revision: &Revision) -> Option<(&'static str, Value)> {
    let asked = rollout.pointer("/spec/strategy/canary/antiAffinity")?;
    let stable = rollout.pointer("/status/stableRS").and_then(Value::as_str)?;
    if stable.is_empty() || stable == revision.as_str() {
        return None;
    }
    let term = term(stable);
    if let Some(weight) = asked.get(PREFERRED).and_then(|preferred| preferred.get("weight")) {
        return Some((PREFERRED, json!({"weight": weight, "podAffinityTerm": term})));
    }
    asked.get(REQUIRED).filter(|required| required.is_object()).map(|_| (REQUIRED, term))
}

/// Returns whether a term is one that [`term`] builds, for whatever revision, as Argo Rollouts also writes it. Any other
/// term is the user's, even if it selects pods by their revision.
fn is_rule(asked: &Value) -> bool {
    let asked = asked.get("podAffinityTerm").unwrap_or(asked);
    let revision = asked.pointer("/labelSelector/matchExpressions/0/values/0").and_then(Value::as_str);
    revision.is_some_and(|revision| *asked == term(revision))
}

/// Builds the term that keeps pods off the nodes on which those of a revision run.
fn term(of: &str) -> Value {
    let selector = json!({"matchExpressions": [{"key": REVISION_LABEL, "operator": "In", "values": [of]}]});
    json!({"labelSelector": selector, "topologyKey": "kubernetes.io/hostname"})
}

fn as_map(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(anti_affinity: &Value, stable: &str) -> Value {
        json!({
            "spec": {"strategy": {"canary": {"antiAffinity": anti_affinity}}}, "status": {"stableRS": stable}
        })
    }

    fn user_term() -> Value {
        json!({"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"})
    }

    #[test]
    fn the_rule_is_added_to_the_users_own_and_removed_again() {
        let user = || json!({"spec": {"affinity": {"podAntiAffinity": {REQUIRED: [user_term()]}}}});
        for (asked, list, index) in
            [(json!({REQUIRED: {}}), REQUIRED, 1), (json!({PREFERRED: {"weight": 7}}), PREFERRED, 0)]
        {
            let mut template = user();
            add_rule(&mut template, &rollout(&asked, "v1"), &"v2".into());
            let lists = &template["spec"]["affinity"]["podAntiAffinity"];
            let term = &lists[list][index];
            let values = term.get("podAffinityTerm").unwrap_or(term)["labelSelector"]["matchExpressions"][0]
                ["values"]
                .clone();
            assert_eq!((values, lists[REQUIRED][0].clone()), (json!(["v1"]), user_term()));
            without_rules(&mut template);
            assert_eq!(template, user());
        }
        let mut bare = json!({"spec": {"containers": []}});
        add_rule(&mut bare, &rollout(&json!({REQUIRED: {}}), "v1"), &"v2".into());
        without_rules(&mut bare);
        assert_eq!(bare, json!({"spec": {"containers": []}}));
    }

    #[test]
    fn a_users_own_term_about_revisions_stays() {
        let own = [
            json!({"key": REVISION_LABEL, "operator": "Exists"}),
            json!({"key": REVISION_LABEL, "operator": "NotIn", "values": ["v1"]}),
            json!({"key": REVISION_LABEL, "operator": "In", "values": ["v1", "v2"]}),
        ]
        .map(|expression| {
            json!({"labelSelector": {"matchExpressions": [expression]}, "topologyKey": "kubernetes.io/hostname"})
        });
        let zone = {
            let mut zone = term("v1");
            zone["topologyKey"] = json!("topology.kubernetes.io/zone");
            zone
        };
        let weighted = json!({"weight": 1, "podAffinityTerm": own[0]});
        let mut template = json!({"spec": {"affinity": {"podAntiAffinity": {
            REQUIRED: [own[0], own[1], own[2], zone, term("v1")], PREFERRED: [weighted]
        }}}});
        without_rules(&mut template);
        let lists = &template["spec"]["affinity"]["podAntiAffinity"];
        assert_eq!(lists[REQUIRED], json!([own[0], own[1], own[2], zone]), "all but the engine's own");
        assert_eq!(lists[PREFERRED], json!([weighted]));
    }

    #[test]
    fn stable_itself_and_a_first_deploy_have_no_rule() {
        for stable in ["v2", ""] {
            let mut template = json!({"spec": {}});
            add_rule(&mut template, &rollout(&json!({REQUIRED: {}}), stable), &"v2".into());
            assert_eq!(template, json!({"spec": {}}), "{stable:?}");
        }
    }
}
