use rollout_core::{
    backend::ObjectEditor,
    traffic::{ManagedChange, ObjectRef, Routes, Weight, WeightChange},
};
use rollout_istio::{IstioConfig, IstioEditor, VirtualServiceRef, conformance::edit_bytes};
use serde_json::{Value, json};

/// A VirtualService as bytes, the last of whose routes is split.
#[derive(Debug)]
pub struct VirtualService {
    bytes: Vec<u8>,
    editor: IstioEditor,
    name: ObjectRef,
    half: Routes,
}

impl VirtualService {
    /// One with `routes` http routes, each as people write them: matches, retries, a timeout.
    ///
    /// # Panics
    /// Never: the object is made here.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the object is made here")]
    pub fn new(routes: usize) -> Self {
        let config = IstioConfig::hosts("shop", "provider", "provider-canary")
            .virtual_service(VirtualServiceRef::new("provider").route(&format!("route-{}", routes - 1)));
        let editor = IstioEditor::new(config);
        let name = editor.objects().into_iter().next().expect("one VirtualService");
        let http: Vec<Value> = (0..routes).map(route).collect();
        let object = json!({
            "apiVersion": "networking.istio.io/v1beta1",
            "kind": "VirtualService",
            "metadata": { "name": "provider", "namespace": "shop", "resourceVersion": "81231" },
            "spec": { "gateways": ["mesh"], "hosts": ["provider"], "http": http },
        });
        let half = Routes {
            weight: WeightChange::To(Weight::new(50, 100)),
            managed: ManagedChange::Keep,
            written_for: "6d4b75cb6d".into(),
        };
        let mut new = Self { bytes: object.to_string().into_bytes(), editor, name, half };
        // What is written for the first time gains annotations; measured is a change of two weights.
        let first = Routes { weight: WeightChange::To(Weight::new(5, 100)), ..new.half.clone() };
        new.bytes = new.route(&first);
        new
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has no bytes: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Changes the two weights of its last route from 95/5 to 50/50, from bytes to bytes.
    #[must_use]
    pub fn edit(&self) -> Vec<u8> {
        self.route(&self.half)
    }

    fn route(&self, to: &Routes) -> Vec<u8> {
        let edited = edit_bytes(&self.editor, &self.name, &self.bytes, None, to);
        #[expect(clippy::expect_used, reason = "the object is made here")]
        edited.expect("an object that can be edited").expect("a change")
    }

    /// Only reads the bytes and writes them again: what an edit costs at least, done in this way.
    ///
    /// # Panics
    /// Never: the bytes are JSON.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the bytes are made here")]
    pub fn read_and_write(&self) -> Vec<u8> {
        let value: Value = serde_json::from_slice(&self.bytes).expect("JSON");
        serde_json::to_vec(&value).expect("JSON")
    }
}

fn route(nth: usize) -> Value {
    json!({
        "name": format!("route-{nth}"),
        "match": [{ "uri": { "prefix": format!("/api/{nth}/") }, "headers": { "lane": { "exact": "test-v1" } } }],
        "retries": { "attempts": 3, "perTryTimeout": "2s" },
        "timeout": "10s",
        "route": [
            { "destination": { "host": "provider", "port": { "number": 20880 } }, "weight": 100 },
            { "destination": { "host": "provider-canary", "port": { "number": 20880 } }, "weight": 0 },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::VirtualService;
    use serde_json::Value;

    #[test]
    fn an_edit_changes_the_two_weights_of_the_last_route_and_nothing_else() {
        let object = VirtualService::new(3);
        let before: Value = serde_json::from_slice(&object.read_and_write()).unwrap();
        let mut after: Value = serde_json::from_slice(&object.edit()).unwrap();
        let route = &mut after["spec"]["http"][2]["route"];
        assert_eq!((route[0]["weight"].take(), route[1]["weight"].take()), (50.into(), 50.into()));
        route[0]["weight"] = 95.into();
        route[1]["weight"] = 5.into();
        assert_eq!(after, before);
    }
}
