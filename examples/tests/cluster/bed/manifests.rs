//! The guide's two canaries, as `examples/manifests` has them, for a test's namespace.
//!
//! What is changed, each once or more and nothing else: pauses of `10m` are as long as the test says; a pod is ready
//! 1 s after it has begun (`initialDelaySeconds`); behind the gateway, which all namespaces share, the consumer
//! answers to the host `NAMESPACE.test` instead of to every host.

use super::Namespace;

/// The image of the provider as the manifests have it, without its version (`v0.2`).
pub(crate) const IMAGE: &str = "release-ci.daocloud.io/mspider/spring-dubbo3-provider";

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Canary {
    /// Released by weight, with subsets of a DestinationRule.
    Weight,
    /// Released by header, with two Services.
    Header,
}

impl Canary {
    /// The provider alone; its timed pauses are as long as said (`3s`, `1h`).
    pub(crate) fn provider(self, pause: &str) -> String {
        let text = match self {
            Self::Weight => include_str!("../../../manifests/weight/provider.yaml"),
            Self::Header => include_str!("../../../manifests/header/provider.yaml"),
        };
        let text = replaced(text, "initialDelaySeconds: 15", "initialDelaySeconds: 1");
        if self == Self::Weight { paused(&text, pause) } else { text }
    }

    /// The consumer alone, behind the gateway.
    pub(crate) fn consumer(self, space: &Namespace, pause: &str) -> String {
        let text = match self {
            Self::Weight => include_str!("../../../manifests/weight/consumer.yaml"),
            Self::Header => include_str!("../../../manifests/header/consumer.yaml"),
        };
        let text = replaced(text, "initialDelaySeconds: 10", "initialDelaySeconds: 1");
        hosted(&paused(&text, pause), space)
    }

    /// The whole folder: provider, consumer, gateway.
    pub(crate) fn folder(self, space: &Namespace, pause: &str) -> String {
        // It is the same in both.
        let gateway = include_str!("../../../manifests/weight/gateway.yaml");
        [self.provider(pause), self.consumer(space, pause), hosted(gateway, space)].join("\n---\n")
    }
}

fn paused(text: &str, pause: &str) -> String {
    replaced(text, "pause: { duration: 10m }", &format!("pause: {{ duration: {pause} }}"))
}

fn hosted(text: &str, space: &Namespace) -> String {
    replaced(text, "hosts: [\"*\"]", &format!("hosts: [{}.test]", space.name))
}

/// The text with something else in place of what must be in it.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the manifests have no `{from}` any more");
    text.replace(from, to)
}
