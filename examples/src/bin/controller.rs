//! Drives the Rollouts of a cluster: the engine, Istio and the Kubernetes adapter, wired together.

use clap::{CommandFactory as _, Parser as _};
use examples::{
    controller::{Args, IstiodArgs, LogFormat},
    istio::with_istio,
};
use rollout_istio::{Foreign, Istiod};
use rollout_kube::{ControlPlaneAt, Controller, Kind, RunError};
use std::{process::ExitCode, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One thread is enough for thousands of Rollouts: nearly all of the time goes into waiting for the API server, and to
/// hand the work from thread to thread costs more than it brings.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    match args.generate.print(Args::command(), &mut std::io::stdout()) {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("controller: {error}");
            return ExitCode::FAILURE;
        }
    }
    let log = tracing_subscriber::fmt()
        .with_max_level(args.log.level)
        .with_target(false)
        .with_writer(std::io::stderr);
    if args.log.format == LogFormat::Json {
        log.json().init();
    } else {
        log.init();
    }
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("controller: {error}");
            let is_others = matches!(error.downcast_ref(), Some(RunError::AnotherController { .. }));
            ExitCode::from(if is_others { 2 } else { 1 })
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    #[cfg(feature = "_mutants")]
    take_a_guard_out()?;
    let mut config = match &args.kubeconfig {
        Some(file) => {
            let file = kube::config::Kubeconfig::read_from(file)?;
            kube::Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await?
        }
        None => kube::Config::infer().await?,
    };
    // A server ends a watch after 55 s: a connection that says nothing for longer is dead.
    (config.read_timeout, config.reset_reader_on_write) = (Some(Duration::from_secs(70)), true);
    let client = kube::Client::try_from(config)?;
    let clusters = args.clusters.chosen(client.default_namespace());
    let istio = |kind, plural| Kind::new("networking.istio.io", &args.istio.api_version, kind, plural);
    let shared = args.istio.shared.unwrap_or(Foreign::Of(Arc::default()));
    let mut controller = with_istio(Controller::builder(client), shared)
        .namespace(args.namespace)
        .instance_id(args.instance)
        .kind(istio("VirtualService", "virtualservices"))
        .kind(istio("DestinationRule", "destinationrules"))
        .workers(args.workers)
        .dry_run(args.dry_run);
    if let Some(analysis) = args.analysis.chosen() {
        controller = controller.analysis(analysis);
    }
    if let Some(clusters) = clusters {
        controller = controller.clusters(clusters);
    }
    let IstiodArgs { at, token, in_the_clear, limit, patience, gateways, debounce, reconnects } = args.istiod;
    if !at.is_empty() {
        if let Some(far) = at.iter().find(|at| token.is_some() && !at.is_private()) {
            let becomes = if in_the_clear {
                "the token goes there in the clear: whoever is on the way can read it"
            } else {
                "no token is sent there; use https, a port-forward, or --istiod-token-in-the-clear"
            };
            tracing::warn!(istiod = far.as_str(), "{becomes}");
        }
        let at = at.into_iter().map(|at| at.in_the_clear(in_the_clear)).collect();
        let at = ControlPlaneAt::new(at).token_file(token).limit(limit);
        controller = controller.data_plane(at, move |plane| {
            let istiod = Istiod::new(plane).debounce(debounce).patience(patience);
            let istiod = istiod.reconnects_within(reconnects);
            Arc::new(if gateways.is_empty() { istiod } else { istiod.gateways(gateways) })
        });
    }
    controller.run_until(told_to_stop()?).await?;
    Ok(())
}

/// Ready when the process is told to end: by whoever runs it, or from the keyboard.
fn told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Takes the guard out that the environment names: a test wants to see what fails without it.
#[cfg(feature = "_mutants")]
fn take_a_guard_out() -> Result<(), String> {
    use rollout_core::guard::{Guard, switch_off};

    let Ok(name) = std::env::var("ROLLOUT_WITHOUT_GUARD") else { return Ok(()) };
    let guard = Guard::ALL.into_iter().find(|guard| format!("{guard:?}") == name);
    let guard = guard.ok_or_else(|| format!("ROLLOUT_WITHOUT_GUARD: there is no guard {name}"))?;
    tracing::warn!(guard = name, "taken out: requests will fail");
    switch_off(Some(guard));
    Ok(())
}
