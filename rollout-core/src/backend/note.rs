//! Notes: data of one Rollout in an object that others may share, stored in an annotation as a JSON map from Rollouts
//! to texts.

use super::{EditError, annotate, annotation};
use crate::{DnsName, Finding, backend::RolloutRef, traffic::ObjectRef};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// The maximum size of all notes in one annotation, in bytes. All annotations of an object together may have 256 KiB.
const LONGEST: usize = 48 * 1024;
/// The maximum size of one note in bytes.
const LONGEST_NOTE: usize = 16 * 1024;

/// Returns the note of one Rollout in `object`, which has this name, under the annotation `key`.
///
/// Such an annotation is a JSON map (`{"web":"59fddc4b57","far/api":"7d4b"}`). Its keys are the names of Rollouts in
/// the object's own namespace, and `namespace/name` for others. No Rollout reads another's note. An annotation that is
/// not such a map, or is longer than 48 KiB, holds no notes; that is not an error.
///
/// See [`set_note`] for an example.
#[must_use]
pub fn note(name: &ObjectRef, object: &Value, key: &str, of: &RolloutRef) -> Option<String> {
    let id = of.seen_from(&name.namespace);
    let found = Notes::read(annotation(object, key)?).0.into_iter().find(|(other, _)| *other == id)?;
    if let (_, Value::String(text)) = found { Some(text) } else { None }
}

/// Sets or removes the note of one Rollout; returns whether anything changed.
///
/// Other notes stay unchanged and in order; a new one is added at the end. An annotation that is not a map of notes is
/// replaced when a note is set, and otherwise stays. If there is not enough room, the first notes are dropped. An
/// annotation without notes is removed.
///
/// ```
/// use rollout_core::backend::{RolloutRef, annotation, note, set_note};
/// use rollout_core::traffic::ObjectRef;
/// let (key, gateway) = ("example.com/asked", ObjectRef::new("networking.istio.io", "VirtualService", "shop", "gw"));
/// let (web, api) = (RolloutRef::new("shop", "web"), RolloutRef::new("lab", "api"));
/// let mut object = serde_json::json!({"metadata": {"name": "gw"}});
/// assert!(set_note(&gateway, &mut object, key, &web, Some("5 %"))?);
/// assert!(set_note(&gateway, &mut object, key, &api, Some("20 %"))?);
/// assert_eq!(annotation(&object, key), Some(r#"{"web":"5 %","lab/api":"20 %"}"#));
/// assert!(set_note(&gateway, &mut object, key, &web, None)?);
/// assert_eq!(note(&gateway, &object, key, &api).as_deref(), Some("20 %"), "the other's note stays");
/// # Ok::<(), rollout_core::backend::EditError>(())
/// ```
///
/// # Errors
/// The text is longer than 16 KiB, or `metadata` or `metadata.annotations` exists and is not a map.
pub fn set_note(
    name: &ObjectRef,
    object: &mut Value,
    key: &str,
    of: &RolloutRef,
    text: Option<&str>,
) -> Result<bool, EditError> {
    if note(name, object, key, of).as_deref() == text && text.is_some() {
        return Ok(false);
    }
    if text.is_some_and(|text| text.len() > LONGEST_NOTE) {
        let path = format!("metadata.annotations.{key}");
        let what = format!("the note for {of} is longer than {LONGEST_NOTE} bytes");
        return Err(EditError::new(name.clone(), Finding::error(path, what, "make it shorter")));
    }
    let id = of.seen_from(&name.namespace);
    let mut notes = annotation(object, key).map(Notes::read).unwrap_or_default();
    let before = notes.0.len();
    match text {
        Some(text) => notes.set(&id, text),
        None => notes.0.retain(|(other, _)| *other != id),
    }
    if text.is_none() && notes.0.len() == before {
        return Ok(false);
    }
    let written = notes.write(&id);
    annotate(name, object, key, written.as_deref())
}

/// Returns the Rollouts that have a note under `key`. Invalid names are left out.
pub(super) fn rollouts(name: &ObjectRef, object: &Value, key: &str) -> Vec<RolloutRef> {
    let notes = annotation(object, key).map(Notes::read).unwrap_or_default();
    let read = |(id, _): &(String, Value)| {
        let (namespace, name) = id.split_once('/').unwrap_or((&name.namespace, id));
        let (namespace, name) = (DnsName::label(namespace).ok()?, DnsName::parse(name).ok()?);
        Some(RolloutRef::new(namespace.as_str(), name.as_str()))
    };
    notes.0.iter().filter_map(read).collect()
}

/// The notes of one annotation, in order.
#[derive(Debug, Default)]
struct Notes(Vec<(String, Value)>);

impl Notes {
    fn read(text: &str) -> Self {
        let short = Some(text).filter(|text| text.len() <= LONGEST);
        short.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn set(&mut self, id: &str, text: &str) {
        let place = self.0.iter().position(|(other, _)| *other == id);
        self.0.retain(|(other, _)| *other != id);
        let place = place.unwrap_or(self.0.len()).min(self.0.len());
        self.0.insert(place, (id.into(), text.into()));
    }

    /// Returns the notes as text, if there are any; as many as there is room for, and always the one of `id`.
    fn write(&self, id: &str) -> Option<String> {
        let length =
            |(id, text): &(String, Value)| text.to_string().len().saturating_add(id.len()).saturating_add(8);
        let mut room = self.0.iter().map(length).fold(0_usize, usize::saturating_add);
        let mut kept = Vec::new();
        for note in &self.0 {
            if room > LONGEST && note.0 != id {
                room = room.saturating_sub(length(note));
            } else {
                kept.push(note.clone());
            }
        }
        if kept.is_empty() { None } else { serde_json::to_string(&Self(kept)).ok() }
    }
}

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, text)| (id, text)))
    }
}

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Notes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from Rollouts to notes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Notes, A::Error> {
                let mut notes = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    notes.push(entry);
                }
                Ok(Notes(notes))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: &str = "rollout-core/written-for";

    fn object() -> ObjectRef {
        ObjectRef::new("networking.istio.io", "VirtualService", "shop", "gw")
    }

    fn rollout(name: &str) -> RolloutRef {
        RolloutRef::new("shop", name)
    }

    fn with(text: &str) -> Value {
        json!({"metadata": {"annotations": {KEY: text}}})
    }

    fn set(value: &mut Value, of: &RolloutRef, text: Option<&str>) -> bool {
        set_note(&object(), value, KEY, of, text).unwrap()
    }

    fn read(value: &Value, of: &RolloutRef) -> Option<String> {
        note(&object(), value, KEY, of)
    }

    #[test]
    fn nobody_reads_the_note_of_another() {
        let (a, b, far) = (rollout("a"), rollout("b"), RolloutRef::new("far", "a"));
        let mut value = json!({"metadata": {"name": "gw"}});
        for (of, text) in [(&a, "a1"), (&far, "f1"), (&b, "b1"), (&a, "a2")] {
            assert!(set(&mut value, of, Some(text)));
            assert!(!set(&mut value, of, Some(text)), "the same again");
        }
        assert_eq!(annotation(&value, KEY), Some(r#"{"a":"a2","far/a":"f1","b":"b1"}"#));
        assert!(set(&mut value, &b, None) && !set(&mut value, &b, None));
        assert_eq!(
            [read(&value, &a), read(&value, &far), read(&value, &b)],
            [Some("a2".into()), Some("f1".into()), None]
        );
        assert!(set(&mut value, &a, None) && set(&mut value, &far, None));
        assert_eq!(value, json!({"metadata": {"name": "gw"}}), "and nothing is left");
    }

    #[test]
    fn what_is_no_map_is_nobodys_and_makes_room() {
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(LONGEST));
        for garbage in ["v2", "", "[]", "{", r#"{"a":"a1""#, "null", "7", long.as_str(), &"[".repeat(10_000)]
        {
            let mut value = with(garbage);
            assert_eq!(read(&value, &rollout("a")), None, "{garbage}");
            assert!(!set(&mut value, &rollout("a"), None), "and nothing is taken from it: {garbage}");
            assert!(set(&mut value, &rollout("a"), Some("a2")));
            assert_eq!(annotation(&value, KEY), Some(r#"{"a":"a2"}"#));
        }
    }

    #[test]
    fn odd_entries_of_others_stay_as_they_are() {
        let mut value = with(r#"{"b":7,"a":["x"],"c":{"d":null},"a":"twice"}"#);
        assert_eq!(read(&value, &rollout("a")), None);
        assert!(set(&mut value, &rollout("a"), Some("a2")));
        assert_eq!(annotation(&value, KEY), Some(r#"{"b":7,"a":"a2","c":{"d":null}}"#));
        assert!(set(&mut value, &rollout("a"), None));
        assert_eq!(annotation(&value, KEY), Some(r#"{"b":7,"c":{"d":null}}"#));
    }

    #[test]
    fn it_never_grows_beyond_what_an_annotation_can_hold() {
        let mut value = json!({});
        for number in 0..1800 {
            set(&mut value, &rollout(&format!("rollout-{number}")), Some("59fddc4b57"));
            assert_eq!(read(&value, &rollout(&format!("rollout-{number}"))).as_deref(), Some("59fddc4b57"));
        }
        let length = annotation(&value, KEY).map(str::len).unwrap();
        assert!(length <= LONGEST && length > LONGEST / 2, "{length}");
        assert_eq!(read(&value, &rollout("rollout-0")), None, "the oldest went");
        let error = set_note(&object(), &mut value, KEY, &rollout("a"), Some(&"x".repeat(LONGEST_NOTE + 1)))
            .unwrap_err();
        assert!(error.to_string().contains("longer than 16384 bytes"), "{error}");
    }
}
