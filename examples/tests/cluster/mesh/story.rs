use crate::bed::{Canary, IMAGE, Namespace};

/// Both rollouts of a guide's folder.
pub(super) const ROLLOUTS: [&str; 2] = ["dubbo3-provider", "dubbo3-consumer"];

/// Their VirtualServices.
pub(super) const VIRTUAL_SERVICES: [&str; 2] = ["provider", "consumer"];

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// Another image.
    Update,
    /// Another image; `abort` at 50 %.
    Abort,
    /// Another image; at 50 % one more.
    Supersede,
    /// `undo`, as soon as an update is done: the pods of before are still there.
    Undo,
    /// Another image; `promote --full` at 50 %.
    PromoteFull,
    /// The header canary: an update, promoted; and one that is aborted.
    Header,
    /// The weight canary with longer pauses, in which answers are counted.
    Split,
}

impl Story {
    /// Those of the weight canary at its usual pace.
    pub(super) const USUAL: [Self; 5] =
        [Self::Update, Self::Abort, Self::Supersede, Self::Undo, Self::PromoteFull];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Abort => "abort",
            Self::Supersede => "supersede",
            Self::Undo => "undo",
            Self::PromoteFull => "promote-full",
            Self::Header => "header",
            Self::Split => "split",
        }
    }

    /// Which of the guide's canaries.
    pub(super) const fn canary(self) -> Canary {
        match self {
            Self::Header => Canary::Header,
            Self::Update | Self::Abort | Self::Supersede | Self::Undo | Self::PromoteFull | Self::Split => {
                Canary::Weight
            }
        }
    }

    /// How long the timed pauses are.
    pub(super) const fn pause(self) -> &'static str {
        match self {
            Self::Split => "20s",
            Self::Update | Self::Abort | Self::Supersede | Self::Undo | Self::PromoteFull | Self::Header => {
                "3s"
            }
        }
    }

    /// Whether its command is given at 50 %.
    pub(super) const fn begins_at_half(self) -> bool {
        matches!(self, Self::Abort | Self::Supersede | Self::PromoteFull)
    }

    /// Gives its command for both rollouts.
    pub(super) fn command(self, space: &Namespace) {
        for rollout in ROLLOUTS {
            match self {
                Self::Update | Self::Header | Self::Split => set_image(space, rollout, "v0.3"),
                Self::Supersede => set_image(space, rollout, "v0.4"),
                Self::Abort => give(space, &["abort", rollout]),
                Self::Undo => give(space, &["undo", rollout]),
                Self::PromoteFull => give(space, &["promote", "--full", rollout]),
            }
        }
    }

    /// How many revisions each Envoy's requests must have met.
    pub(super) const fn revisions(self) -> usize {
        match self {
            Self::Supersede => 3,
            Self::Update | Self::Abort | Self::Undo | Self::PromoteFull | Self::Header | Self::Split => 2,
        }
    }
}

/// A command of the plugin, which must say yes.
pub(super) fn give(space: &Namespace, words: &[&str]) {
    space.plugin(words).ok();
}

/// `set image`.
pub(super) fn set_image(space: &Namespace, rollout: &str, version: &str) {
    let image = IMAGE.replace("dubbo3-provider", rollout);
    give(space, &["set", "image", rollout, &format!("container-1={image}:{version}")]);
}
