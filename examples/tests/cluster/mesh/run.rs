use super::{
    Outcome, header,
    rest::{both, stable, until_at_rest, until_it_is},
    split,
    story::{ROLLOUTS, Story, VIRTUAL_SERVICES, give, set_image},
};
use crate::bed::{Bed, Controller, Load, Namespace, Target, secs};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long istiod is stopped.
pub(super) const STOPPED: Duration = secs(60);

/// What istiod does during a story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Istiod {
    /// It pushes 100 ms after a change.
    Quick,
    /// The same, but it is stopped for 60 s from before the command is given.
    Stopped,
    /// It pushes 5 s after a change.
    Slow,
    /// Something changes 25 times a second, so that it holds pushes back for seconds; and old pods go after 1 s.
    Busy,
}

impl Istiod {
    /// Of `cluster up`.
    pub(super) const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Quick | Self::Stopped | Self::Busy => &["--mesh"],
            Self::Slow => &["--mesh", "--debounce", "5s"],
        }
    }

    /// How long it waits before it pushes.
    const fn debounce(self) -> Duration {
        match self {
            Self::Quick | Self::Stopped | Self::Busy => Duration::from_millis(100),
            Self::Slow => secs(5),
        }
    }
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) story: Story,
    pub(super) istiod: Istiod,
    /// Whether Envoys may try a request again.
    pub(super) retries: bool,
    /// A controller with which a proxy that is behind counts as up to date.
    pub(super) unguarded: Option<PathBuf>,
}

impl Run {
    pub(super) const fn new(story: Story, istiod: Istiod) -> Self {
        Self { story, istiod, retries: true, unguarded: None }
    }

    /// Its name in the table.
    pub(super) fn name(&self) -> String {
        let istiod = match self.istiod {
            Istiod::Quick => "",
            Istiod::Stopped => "-stopped",
            Istiod::Slow => "-slow",
            Istiod::Busy => "-busy",
        };
        let retries = if self.retries { "" } else { "-no-retries" };
        let guards = if self.unguarded.is_some() { "-unguarded" } else { "" };
        format!("{}{istiod}{retries}{guards}", self.story.name())
    }

    /// Plays it, with so many requests a second to each Envoy.
    pub(super) fn play(&self, bed: &Arc<Bed>, rate: u32) -> Outcome {
        let space = bed.namespace(&self.name());
        space.apply(&self.manifests(&space));
        let controller = self.start(&space);
        both(&space, "the first deploy is healthy", secs(60), |rollout| rollout.phase() == "Healthy");
        for target in &Target::all(&space) {
            space.until_answered(target, secs(30));
        }
        let _churn = (self.istiod == Istiod::Busy).then(|| space.keep_changing(Duration::from_millis(40)));
        let began = Instant::now();
        let mut outcome = match self.story {
            Story::Header => header::play(self, &space, rate),
            Story::Split => split::play(self, &space, rate),
            Story::Update | Story::Abort | Story::Supersede | Story::Undo | Story::PromoteFull => {
                self.usual(&space, &controller, rate)
            }
        };
        outcome.seconds = began.elapsed().as_secs();
        outcome
    }

    fn manifests(&self, space: &Namespace) -> String {
        let text = self.story.canary().folder(space, self.story.pause());
        if self.istiod == Istiod::Busy {
            let canary = "    canary:\n";
            assert_eq!(text.matches(canary).count(), ROLLOUTS.len(), "the strategies of both rollouts");
            let at_once = "      scaleDownDelaySeconds: 1\n      abortScaleDownDelaySeconds: 1\n";
            return text.replace(canary, &format!("{canary}{at_once}"));
        }
        if self.retries {
            return text;
        }
        let route = "    - name: test-v1\n";
        assert_eq!(text.matches(route).count(), ROLLOUTS.len(), "the routes of both VirtualServices");
        text.replace(route, &format!("{route}      retries: {{ attempts: 0 }}\n"))
    }

    fn start<'n>(&self, space: &'n Namespace) -> Controller<'n> {
        let start = space.controller().debounce(self.istiod.debounce());
        match &self.unguarded {
            Some(program) => start.program(program, ("ROLLOUT_WITHOUT_GUARD", "NotYet")).start(),
            None => start.start(),
        }
    }

    fn usual(&self, space: &Namespace, controller: &Controller<'_>, rate: u32) -> Outcome {
        let mut outcome = Outcome::default();
        let first = space.seen(stable);
        if self.story == Story::Undo {
            update_at_once(space);
        }
        let before = space.seen(stable);
        let targets = Target::all(space);
        let load = Load::start(&space.bed, rate, secs(400), &targets);
        if self.story.begins_at_half() {
            for rollout in ROLLOUTS {
                set_image(space, rollout, "v0.3");
            }
            both(space, "paused at 50 %", secs(120), |rollout| rollout.is_paused_at(3));
        }
        let frozen = (self.istiod == Istiod::Stopped).then(|| space.bed.freeze("istiod"));
        let given = Instant::now();
        self.story.command(space);
        if let Some(frozen) = frozen {
            if self.unguarded.is_none() {
                self.is_heard(space, controller);
            }
            until_it_is(given + STOPPED);
            drop(frozen);
        }
        let phase = if self.story == Story::Abort { "Degraded" } else { "Healthy" };
        until_at_rest(space, phase, secs(180));
        let answers = load.stop();
        outcome.add(&answers);
        let after = space.seen(stable);
        let is_right = match self.story {
            Story::Abort => after == before,
            Story::Undo => after == first,
            Story::Update | Story::Supersede | Story::PromoteFull | Story::Header | Story::Split => {
                after.iter().zip(&before).all(|(after, before)| after != before)
            }
        };
        outcome.expect(is_right, || format!("stable was {before:?} and is {after:?}"));
        // Without a guard all is over before istiod goes on: the Envoys never heard of the last revision.
        if self.unguarded.is_none() {
            for at in 0..targets.len() {
                let met = answers.by_revision(at);
                outcome.expect(met.len() == self.story.revisions(), || {
                    format!("through Envoy {at} these were met: {met:?}")
                });
            }
        }
        outcome
    }

    /// A stopped istiod stops no decision: the command is accepted at once, weight goes back to a stable that was
    /// there before, and the log says for whom it is waited.
    fn is_heard(&self, space: &Namespace, controller: &Controller<'_>) {
        both(space, "the command has been heard", secs(5), |rollout| match self.story {
            Story::Abort => rollout.is_aborted(),
            Story::PromoteFull => rollout.is_observed() && !rollout.is_paused_at(3),
            Story::Update | Story::Undo | Story::Supersede | Story::Header | Story::Split => {
                rollout.is_observed()
            }
        });
        if matches!(self.story, Story::Abort | Story::Supersede) {
            space.until("the canary's weight is taken off at once", secs(10), |seen| {
                VIRTUAL_SERVICES.iter().all(|name| {
                    let object = seen.object("VirtualService", name);
                    object.is_some_and(|object| {
                        object.pointer("/spec/http/0/route/1/weight") == Some(&0.into())
                    })
                })
            });
        }
        controller.until_logged(&["waiting until every proxy has", "does not answer"], secs(30));
    }
}

/// An update of both that is done, but for the pods of before.
fn update_at_once(space: &Namespace) {
    for rollout in ROLLOUTS {
        set_image(space, rollout, "v0.3");
    }
    both(space, "paused at 5 %", secs(60), |rollout| rollout.is_paused_at(1));
    for rollout in ROLLOUTS {
        give(space, &["promote", "--full", rollout]);
    }
    both(space, "healthy", secs(90), |rollout| rollout.phase() == "Healthy");
}
