//! Drives the Rollouts of a cluster: the engine, Istio and the Kubernetes adapter, wired together.
//!
//! A flag that Argo Rollouts' controller also has is named as it is there.

use examples::istio::with_istio;
use lexopt::{Arg, Parser, ValueExt};
use rollout_istio::{Foreign, Istiod};
use rollout_kube::{Address, ControlPlaneAt, Controller, Kind, RunError};
use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
usage: controller [--kubeconfig FILE] [--namespace NAMESPACE] [--instance-id ID] [--dry-run]

  --kubeconfig FILE            how to reach the API server; else KUBECONFIG, ~/.kube/config, or the pod's own
  --namespace NAMESPACE        drive only the Rollouts of this namespace
  --instance-id ID             drive only Rollouts labelled argo-rollouts.argoproj.io/controller-instance-id=ID;
                               without it, those without the label, and only if no other controller is at work
  --istio-api-version VERSION  version of networking.istio.io (default v1alpha3)
  --shared-namespaces LIST     namespaces, separated by commas, or * for all, whose VirtualServices may be split by
                               Rollouts of any namespace; otherwise one of another namespace than the Rollout's
                               must be annotated with rollout-core/allow-from: NAMESPACE
  --istiod URL                 where an istiod answers its debug paths (http://127.0.0.1:15014); repeat it for every
                               replica. Without it, waits for the proxies take a fixed time
  --istiod-token-file FILE     token for istiod; sent only over https or to this machine
  --istiod-token-in-the-clear  send it over plain http through a network, too, where others may read it
  --istiod-answer-mib N        how much of one answer of istiod is read, in MiB (default 32)
  --istiod-wait-for-others-s N seconds to wait for a lagging proxy of another namespace than the Rollout's
                               (default 600, 0 is without limit)
  --istiod-gateways NAMESPACE  wait for the proxies of this namespace without limit, like those of the Rollout's own;
                               repeatable (default istio-system and istio-ingress)
  --istiod-debounce-ms N       istiod's PILOT_DEBOUNCE_AFTER (default 10000, which is always safe)
  --istiod-reconnects-within-s N  how long a proxy that has lost its connection takes at most to connect again; no pods
                               are removed for so long after the start (default 60)
  --rollout-threads N          how many rollouts have their turn at the same time (default 10)
  --dry-run                    observe, decide and log; write nothing
  --log-format text|json       (default text)
  --loglevel LEVEL             error, warn, info, debug or trace (default info)

On SIGTERM and SIGINT, turns at work are finished; then it exits.

Exit codes: 0 it was told to end, 1 it cannot run, 2 the command line is wrong or another controller is at work";

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One thread is enough for thousands of Rollouts: nearly all of the time goes into waiting for the API server, and to
/// hand the work from thread to thread costs more than it brings.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = match Args::read(Parser::from_env()) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("controller: {error}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let log =
        tracing_subscriber::fmt().with_max_level(args.level).with_target(false).with_writer(std::io::stderr);
    if args.json {
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
    let istio = |kind, plural| Kind::new("networking.istio.io", &args.istio, kind, plural);
    let (istiod, debounce, reconnects) = (args.istiod, args.debounce, args.reconnects);
    let mut controller = with_istio(Controller::builder(client), args.shared)
        .namespace(args.namespace)
        .instance_id(args.instance)
        .kind(istio("VirtualService", "virtualservices"))
        .kind(istio("DestinationRule", "destinationrules"))
        .workers(args.workers)
        .dry_run(args.dry_run);
    if !istiod.is_empty() {
        if let Some(far) = istiod.iter().find(|at| args.token.is_some() && !at.is_private()) {
            let becomes = if args.in_the_clear {
                "the token goes there in the clear: whoever is on the way can read it"
            } else {
                "no token is sent there; use https, a port-forward, or --istiod-token-in-the-clear"
            };
            tracing::warn!(istiod = far.as_str(), "{becomes}");
        }
        let istiod = istiod.into_iter().map(|at| at.in_the_clear(args.in_the_clear)).collect();
        let at = ControlPlaneAt::new(istiod).token_file(args.token).limit(args.limit);
        let (patience, gateways) = (args.patience, args.gateways);
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

/// What a Rollout says about Istio, as a backend.
struct Args {
    kubeconfig: Option<String>,
    namespace: Option<String>,
    instance: Option<String>,
    istio: String,
    shared: Foreign,
    workers: usize,
    dry_run: bool,
    istiod: Vec<Address>,
    token: Option<PathBuf>,
    in_the_clear: bool,
    limit: usize,
    patience: Option<Duration>,
    gateways: Vec<String>,
    debounce: Duration,
    reconnects: Duration,
    json: bool,
    level: tracing::Level,
}

impl Args {
    /// Reads the command line; `None` when help was asked for.
    fn read(mut parser: Parser) -> Result<Option<Self>, lexopt::Error> {
        let mut args = Self {
            kubeconfig: None,
            namespace: None,
            instance: None,
            istio: "v1alpha3".to_owned(),
            shared: Foreign::Of(Arc::default()),
            workers: 10,
            dry_run: false,
            istiod: Vec::new(),
            token: None,
            in_the_clear: false,
            limit: 32 << 20,
            patience: Some(Duration::from_secs(600)),
            gateways: Vec::new(),
            debounce: Duration::from_secs(10),
            reconnects: Duration::from_secs(60),
            json: false,
            level: tracing::Level::INFO,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Long("kubeconfig") => args.kubeconfig = Some(parser.value()?.string()?),
                Arg::Long("namespace") => args.namespace = Some(parser.value()?.string()?),
                Arg::Long("instance-id") => args.instance = Some(parser.value()?.string()?),
                Arg::Long("istio-api-version") => args.istio = parser.value()?.string()?,
                Arg::Long("shared-namespaces") => {
                    let list = parser.value()?.string()?;
                    args.shared = match list.as_str() {
                        "*" => Foreign::All,
                        list => Foreign::Of(list.split(',').map(|name| name.trim().into()).collect()),
                    };
                }
                Arg::Long("istiod") => args.istiod.push(parser.value()?.parse()?),
                Arg::Long("istiod-token-file") => args.token = Some(parser.value()?.into()),
                Arg::Long("istiod-token-in-the-clear") => args.in_the_clear = true,
                Arg::Long("istiod-answer-mib") => {
                    let mib: usize = parser.value()?.parse()?;
                    args.limit = mib.checked_mul(1 << 20).ok_or("--istiod-answer-mib: too many")?;
                }
                Arg::Long("istiod-wait-for-others-s") => {
                    let seconds: u64 = parser.value()?.parse()?;
                    args.patience = Some(Duration::from_secs(seconds)).filter(|wait| !wait.is_zero());
                }
                Arg::Long("istiod-gateways") => args.gateways.push(parser.value()?.string()?),
                Arg::Long("istiod-reconnects-within-s") => {
                    args.reconnects = Duration::from_secs(parser.value()?.parse()?);
                }
                Arg::Long("istiod-debounce-ms") => {
                    args.debounce = Duration::from_millis(parser.value()?.parse()?);
                }
                Arg::Long("rollout-threads") => args.workers = parser.value()?.parse()?,
                Arg::Long("dry-run") => args.dry_run = true,
                Arg::Long("log-format" | "logformat") => match parser.value()?.string()?.as_str() {
                    "json" => args.json = true,
                    "text" => args.json = false,
                    other => return Err(format!("--log-format {other}: write text or json").into()),
                },
                Arg::Long("loglevel") => args.level = parser.value()?.parse()?,
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                other @ (Arg::Short(_) | Arg::Long(_) | Arg::Value(_)) => return Err(other.unexpected()),
            }
        }
        Ok(Some(args))
    }
}
