use super::{
    Kind,
    exact::{Exact, object},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, MapAccess, Visitor},
};
use serde_json::Value;
use std::fmt;

/// An object as an API server sends it, without `managedFields`.
///
/// `managedFields` is often the larger half of an object, and only the managers' names are needed here: the parser
/// skips the rest without allocating it. A write that omits `managedFields` leaves them unchanged on the server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// The object, without `metadata.managedFields`.
    pub(crate) value: Value,
    /// The managers that `metadata.managedFields` names.
    pub(crate) managers: Vec<String>,
}

impl Received {
    /// Sets `apiVersion` and `kind`, which the items of a list do not repeat.
    pub(crate) fn set_kind(&mut self, kind: &Kind) {
        if let Some(fields) = self.value.as_object_mut() {
            fields.insert("apiVersion".to_owned(), kind.api_version().into());
            fields.insert("kind".to_owned(), Value::from(&*kind.kind));
        }
    }
}

impl<'de> Deserialize<'de> for Received {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let mut managers = Vec::new();
        let value = Fields { managers: &mut managers, of: Of::Object }.deserialize(from)?;
        Ok(Self { value, managers })
    }
}

/// The object whose fields are read.
#[derive(Clone, Copy)]
enum Of {
    Object,
    Metadata,
}

struct Fields<'m> {
    managers: &'m mut Vec<String>,
    of: Of,
}

impl<'de> DeserializeSeed<'de> for Fields<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.of {
            Of::Object => "an object of the API",
            Of::Metadata => "its metadata",
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = from.next_key::<String>()? {
            let value = match (self.of, name.as_str()) {
                (Of::Object, "metadata") => {
                    from.next_value_seed(Fields { managers: &mut *self.managers, of: Of::Metadata })?
                }
                (Of::Metadata, "managedFields") => {
                    let named = from.next_value::<Option<Vec<Manager>>>()?.unwrap_or_default();
                    self.managers.extend(named.into_iter().map(|by| by.manager));
                    continue;
                }
                _ => from.next_value::<Exact>()?.0,
            };
            fields.push((name, value));
        }
        Ok(object(fields))
    }
}

/// An entry of `metadata.managedFields`.
#[derive(Deserialize)]
struct Manager {
    #[serde(default)]
    manager: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn received(text: &str) -> Result<Received, serde_json::Error> {
        serde_json::from_str(text)
    }

    #[test]
    fn only_the_managers_names_are_kept_of_managed_fields() {
        let record = json!([
            {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"operation": "Update"},
            {"manager": "rollout-kube", "subresource": "status"}
        ]);
        let spec = json!({"managedFields": "a field of the user's own", "metadata": {"managedFields": 1}});
        let whole =
            json!({"kind": "Rollout", "metadata": {"name": "web", "managedFields": record}, "spec": spec});
        let received = received(&whole.to_string()).unwrap();
        assert_eq!(received.managers, ["kubectl", "", "rollout-kube"]);
        assert_eq!(
            received.value,
            json!({"kind": "Rollout", "metadata": {"name": "web"}, "spec": spec}),
            "everything else is unchanged"
        );
    }

    #[test]
    fn a_value_that_is_not_an_object_is_an_error() {
        for odd in ["[]", "7", r#"{"metadata": []}"#, r#"{"metadata": {"managedFields": 7}}"#] {
            assert!(received(odd).is_err(), "{odd}");
        }
        let none = received(r#"{"metadata": {"managedFields": null}}"#).unwrap();
        assert!(none.managers.is_empty());
        assert_eq!(none.value, json!({"metadata": {}}));
    }
}
