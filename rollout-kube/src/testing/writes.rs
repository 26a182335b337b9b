//! Writes, and why they are refused.

use super::{
    api_request::{ApiRequest, Sent, Verb},
    merge::{keep, merge, put, set},
    objects::Objects,
    refusal::Refusal,
};
use rollout_core::DnsName;
use serde_json::{Value, json};
use std::sync::Arc;

/// The finalizer of a foreground deletion, left to the garbage collector, which is not simulated.
const FOREGROUND: &str = "foregroundDeletion";

/// The server has no clock.
const NOW: &str = "2026-01-01T00:00:00Z";

fn metadata<'v>(object: &'v Value, key: &str) -> Option<&'v Value> {
    object.pointer("/metadata")?.get(key).filter(|value| !value.is_null())
}

fn text<'v>(object: &'v Value, key: &str) -> &'v str {
    metadata(object, key).and_then(Value::as_str).unwrap_or_default()
}

fn finalizers(object: &Value) -> Vec<Value> {
    metadata(object, "finalizers").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn keep_metadata(object: &mut Value, key: &str, kept: Option<Value>) {
    if let Some(metadata) = object.get_mut("metadata") {
        keep(metadata, key, kept);
    }
}

impl Objects {
    /// Creates, replaces or patches an object; returns the status code of the answer, too.
    pub(super) fn write(&mut self, request: &ApiRequest, sent: &Sent) -> Result<(u16, Arc<Value>), Refusal> {
        if (request.verb == Verb::Create) != request.name.is_empty() {
            return Err(Refusal::not_allowed());
        }
        if request.is_status && !request.traits.has_status {
            return Err(Refusal::not_found());
        }
        if request.verb != Verb::Patch {
            let body = request.body(sent)?;
            return match (request.verb, self.get(request)) {
                (Verb::Create, _) => self.create(request, body),
                (_, Ok(existing)) => {
                    let uid = metadata(&body, "uid");
                    if uid.is_some() && uid != metadata(&existing, "uid") {
                        return Err(Refusal::precondition());
                    }
                    Ok((200, self.replace(request, existing, body)?))
                }
                (_, Err(missing)) if !request.traits.is_created_by_put => Err(missing),
                (_, Err(_)) if metadata(&body, "uid").is_some() => Err(Refusal::precondition()),
                (_, Err(_)) => read_version(&body).and_then(|_| self.create(request, body)),
            };
        }
        if !sent.content.starts_with("application/merge-patch+json") {
            return Err(Refusal::unsupported());
        }
        let existing = self.get(request)?;
        let patch = sent.value.as_ref().ok_or_else(|| Refusal::bad_request("the patch is not JSON"))?;
        let mut next = (*existing).clone();
        merge(&mut next, patch);
        request.check(&next)?;
        Ok((200, self.replace(request, existing, next)?))
    }

    fn create(&mut self, request: &ApiRequest, mut body: Value) -> Result<(u16, Arc<Value>), Refusal> {
        let mut request = request.clone();
        text(&body, "name").clone_into(&mut request.name);
        request.is_kind(&body)?;
        let is_name = if request.traits.has_any_name {
            !request.name.is_empty() && !request.name.contains(['/', '%'])
        } else {
            DnsName::parse(&request.name).is_ok()
        };
        if !is_name {
            return Err(Refusal::invalid("metadata.name is not a valid name"));
        }
        if read_version(&body)? > 0 && request.verb == Verb::Create {
            return Err(Refusal::internal("resourceVersion should not be set on objects to be created"));
        }
        if self.get(&request).is_ok() {
            return Err(Refusal::exists());
        }
        for key in ["uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp"] {
            keep_metadata(&mut body, key, None);
        }
        if request.traits.has_status {
            keep(&mut body, "status", serde_json::from_str(request.traits.first_status).ok());
        }
        tidy(&mut body);
        Ok((201, self.store(&request, None, body)))
    }

    fn replace(
        &mut self,
        request: &ApiRequest,
        existing: Arc<Value>,
        next: Value,
    ) -> Result<Arc<Value>, Refusal> {
        match read_version(&next)? {
            0 if request.traits.is_unconditional => {}
            0 => return Err(Refusal::invalid("metadata.resourceVersion must be specified for an update")),
            version if Ok(version) != read_version(&existing) => return Err(Refusal::modified()),
            _ => {}
        }
        if !(request.is_status && request.traits.is_custom) {
            request.is_kind(&next)?;
            for key in ["uid", "deletionTimestamp"] {
                let existing = metadata(&existing, key);
                let is_kept = key != "uid" && existing.is_some();
                if metadata(&next, key).is_some_and(|next| Some(next) != existing) && !is_kept {
                    return Err(Refusal::invalid(format!("metadata.{key} cannot be changed")));
                }
            }
        }
        let mut next = if request.is_status {
            let mut whole = if request.traits.is_custom { (*existing).clone() } else { next.clone() };
            if !request.traits.is_custom {
                keep(&mut whole, "spec", existing.get("spec").cloned());
            }
            let first = || serde_json::from_str(request.traits.first_status).ok();
            keep(&mut whole, "status", next.get("status").cloned().or_else(first));
            whole
        } else {
            let mut whole = next;
            if request.traits.has_status {
                keep(&mut whole, "status", existing.get("status").cloned());
            }
            whole
        };
        for key in ["generation", "deletionTimestamp", "deletionGracePeriodSeconds"] {
            keep_metadata(&mut next, key, metadata(&existing, key).cloned());
        }
        tidy(&mut next);
        let is_going = metadata(&existing, "deletionTimestamp").is_some();
        let had = finalizers(&existing);
        if is_going && finalizers(&next).iter().any(|finalizer| !had.contains(finalizer)) {
            return Err(Refusal::invalid(
                "no new finalizers can be added to an object that is being deleted",
            ));
        }
        if is_going && finalizers(&next).is_empty() {
            // It is deleted in its old state: the last write only appears in the answer.
            let last = self.complete(request, Some(&existing), next);
            self.remove(request)?;
            return Ok(Arc::new(last));
        }
        Ok(self.store(request, Some(existing), next))
    }

    /// Evicts a pod: records why in its status, and deletes it with the eviction's own options.
    pub(super) fn evict(&mut self, request: &ApiRequest, sent: &Sent) -> Result<Value, Refusal> {
        let eviction = sent.value.as_ref().filter(|eviction| eviction.is_object());
        let eviction = eviction.ok_or_else(|| Refusal::bad_request("the body is not an object"))?;
        let is_right = |key: &str, expected: &str| {
            eviction.get(key).and_then(Value::as_str).is_none_or(|given| given == expected)
        };
        if !is_right("kind", "Eviction") || !is_right("apiVersion", "policy/v1") {
            return Err(Refusal::bad_request("the body is of another kind"));
        }
        if text(eviction, "name") != request.name {
            return Err(Refusal::bad_request("the name in the body differs from that in the path"));
        }
        let namespace = text(eviction, "namespace");
        if !namespace.is_empty() && namespace != request.namespace {
            return Err(Refusal::bad_request("the namespace in the body differs from that in the path"));
        }
        let options = Sent { content: sent.content.clone(), value: eviction.get("deleteOptions").cloned() };
        let existing = self.get(request)?;
        check_preconditions(&existing, &options)?;
        let mut next = (*existing).clone();
        let conditions = next.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.cloned().unwrap_or_default();
        conditions.retain(|condition| condition.get("type") != Some(&json!("DisruptionTarget")));
        conditions.push(json!({
            "type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting", "lastProbeTime": null, "lastTransitionTime": NOW
        }));
        merge(&mut next, &json!({"status": {"conditions": conditions}}));
        self.store(request, Some(existing), next);
        self.delete(request, &options)?;
        Ok(json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}))
    }

    /// Deletes an object, or marks it for deletion while finalizers hold it.
    pub(super) fn delete(&mut self, request: &ApiRequest, sent: &Sent) -> Result<Value, Refusal> {
        let existing = self.get(request)?;
        check_preconditions(&existing, sent)?;
        let option = |name: &str| sent.value.as_ref().and_then(|options| options.get(name));
        let mut held = finalizers(&existing);
        held.retain(|finalizer| finalizer != FOREGROUND);
        if request.traits.is_collected
            && option("propagationPolicy").is_some_and(|policy| policy == "Foreground")
        {
            held.push(FOREGROUND.into());
        }
        let mut next = (*existing).clone();
        let is_first = metadata(&existing, "deletionTimestamp").is_none();
        if is_first && (!held.is_empty() || request.traits.is_marked) {
            put(&mut next, "deletionTimestamp", NOW.into());
            put(&mut next, "deletionGracePeriodSeconds", 0.into());
        }
        if !held.is_empty() {
            put(&mut next, "finalizers", held.into());
            return Ok((*self.store(request, Some(existing), next)).clone());
        }
        self.store(request, Some(existing), next);
        let last = self.remove(request)?;
        if request.traits.returns_deleted {
            return Ok((*last).clone());
        }
        let group = request.api_version().rsplit_once('/').map_or("", |(group, _)| group);
        let mut details =
            json!({"name": request.name, "kind": request.plural(), "uid": metadata(&last, "uid")});
        if !group.is_empty() {
            set(&mut details, "group", group.into());
        }
        Ok(json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details
        }))
    }
}

impl ApiRequest {
    /// Returns the body of a request, if it is an object of this kind, name and namespace.
    fn body(&self, sent: &Sent) -> Result<Value, Refusal> {
        let mut body = match &sent.value {
            Some(body) if body.is_object() => body.clone(),
            _ => return Err(Refusal::bad_request("the body is not an object")),
        };
        if !body.get("metadata").is_some_and(Value::is_object) {
            set(&mut body, "metadata", json!({}));
        }
        self.check(&body)?;
        if text(&body, "namespace").is_empty() {
            put(&mut body, "namespace", self.namespace.as_str().into());
        }
        Ok(body)
    }

    /// Refuses to store a custom object of another kind; such an object can be parsed.
    fn is_kind(&self, object: &Value) -> Result<(), Refusal> {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        if self.traits.is_custom && !self.traits.kind.is_empty() && kind != self.traits.kind {
            return Err(Refusal::invalid("the object is of another kind"));
        }
        Ok(())
    }

    fn check(&self, body: &Value) -> Result<(), Refusal> {
        let field = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_right =
            |given: &str, expected: &str| given == expected || given.is_empty() && !self.traits.is_custom;
        let is_kind =
            is_right(field("kind"), self.traits.kind) || self.traits.is_custom && !field("kind").is_empty();
        let is_known = !self.traits.kind.is_empty();
        if is_known && (!is_kind || !is_right(field("apiVersion"), self.api_version())) {
            return Err(Refusal::bad_request("the body is of another kind"));
        }
        let (name, namespace) = (text(body, "name"), text(body, "namespace"));
        if !self.name.is_empty() && name != self.name {
            return Err(Refusal::bad_request("the name in the body differs from that in the path"));
        }
        if !namespace.is_empty() && namespace != self.namespace {
            return Err(Refusal::bad_request("the namespace in the body differs from that in the path"));
        }
        Ok(())
    }
}

/// Refuses to delete another object than the one that the options of the deletion mean.
fn check_preconditions(existing: &Value, options: &Sent) -> Result<(), Refusal> {
    let preconditions = options.value.as_ref().and_then(|options| options.get("preconditions"));
    for key in ["uid", "resourceVersion"] {
        let wanted = preconditions.and_then(|wanted| wanted.get(key)).filter(|wanted| !wanted.is_null());
        if wanted.is_some_and(|wanted| Some(wanted) != metadata(existing, key)) {
            return Err(Refusal::precondition());
        }
    }
    Ok(())
}

/// Returns the version of an object as a number; 0 if it has none.
fn read_version(object: &Value) -> Result<u64, Refusal> {
    match text(object, "resourceVersion") {
        "" => Ok(0),
        version => version.parse().map_err(|_| Refusal::internal("metadata.resourceVersion is not a number")),
    }
}

/// Removes empty metadata fields.
fn tidy(object: &mut Value) {
    if let Some(fields) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        fields.retain(|_, value| match value {
            Value::Null => false,
            Value::Object(fields) => !fields.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
        });
    }
}
