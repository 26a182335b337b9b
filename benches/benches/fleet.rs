//! How far a cluster may go, with four others.
//!
//! `cargo bench -p benches --bench fleet`

use divan::{AllocProfiler, Bencher};
use rollout_core::{
    Spec, Status, Step, Strategy, Time,
    fleet::{ClusterName, Mark, Member, Peers, Policy, Progress, permit},
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// Five clusters in step; the last one is half a step behind.
#[divan::bench]
fn permit_for_five_clusters(bencher: Bencher<'_, '_>) {
    let names: Vec<ClusterName> =
        ["a", "b", "c", "d", "e"].into_iter().filter_map(|of| ClusterName::new(of).ok()).collect();
    let Ok(strategy) = Strategy::builder().traffic_routing(true).step(Step::SetWeight(50)).build() else {
        return;
    };
    let mut spec = Spec::new(strategy, "v2".into());
    let policy = Policy::new([names.clone()]);
    spec.fleet = Some(policy.clone().into());
    let progress = |mark| {
        let mut status = Status::default();
        (status.stable, status.canary) = (Some("v1".into()), Some("v2".into()));
        let mut member = Member::default();
        member.reached = mark;
        status.fleet = Some(member.into());
        Progress::of(&spec, &status)
    };
    let (Some(here), Some(behind)) = (progress(Mark::Routed(0)), progress(Mark::Ready(0))) else { return };
    let Some((me, others)) = names.split_first() else { return };
    let peers = others.iter().fold(Peers::new(me.clone()), |peers, name| {
        let far = if name.as_str() == "e" { &behind } else { &here };
        peers.read(name.clone(), far.clone())
    });
    bencher.bench(|| permit(&policy, &here, &peers, Time::from_secs(0)));
}
