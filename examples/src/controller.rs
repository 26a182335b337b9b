//! The command line of the controller. A flag that Argo Rollouts' controller also has is named as it is there.

use crate::generate::Generate;
use clap::{Parser, ValueEnum};
use rollout_core::fleet::ClusterName;
use rollout_istio::Foreign;
use rollout_kube::{Address, Analysis, Clusters};
use std::{path::PathBuf, sync::Arc, time::Duration};

const AFTER: &str = "\
Signals:
  On SIGTERM and SIGINT, the controller finishes the turns that are under way, and exits.

Exit status:
  0  it was told to end
  1  it cannot run
  2  the command line is wrong, or another controller is at work";

/// Drive the canary releases of a cluster's Rollouts, through Istio
#[derive(Debug, Clone, Parser)]
#[command(name = "controller", version, after_help = AFTER, args_override_self = true)]
#[expect(clippy::exhaustive_structs, reason = "it is made from a command line")]
pub struct Args {
    /// How to reach the API server [default: KUBECONFIG, ~/.kube/config, or the pod's own service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Drive only the Rollouts of this namespace
    #[arg(long)]
    pub namespace: Option<String>,
    /// Drive only the Rollouts with the label argo-rollouts.argoproj.io/controller-instance-id=ID. Without this option,
    /// drive those that have no such label, and only if no other controller is at work
    #[arg(long = "instance-id", value_name = "ID")]
    pub instance: Option<String>,
    /// How many Rollouts have a turn at the same time
    #[arg(long = "rollout-threads", value_name = "COUNT", default_value_t = 10)]
    pub workers: usize,
    /// Observe, decide and log, but write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Istio.
    #[command(flatten)]
    pub istio: IstioArgs,
    /// What istiod is asked.
    #[command(flatten)]
    pub istiod: IstiodArgs,
    /// AnalysisRuns.
    #[command(flatten)]
    pub analysis: AnalysisArgs,
    /// Other clusters.
    #[command(flatten)]
    pub clusters: ClusterArgs,
    /// The log.
    #[command(flatten)]
    pub log: LogArgs,
    /// What is printed instead.
    #[command(flatten)]
    pub generate: Generate,
}

/// How Istio's objects are edited.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Istio")]
#[expect(clippy::exhaustive_structs, reason = "it is made from a command line")]
pub struct IstioArgs {
    /// The version of the API networking.istio.io
    #[arg(long = "istio-api-version", value_name = "VERSION", default_value = "v1alpha3")]
    pub api_version: String,
    /// Namespaces whose VirtualServices may be edited for Rollouts of any namespace, separated by commas; or * for all.
    /// Any other VirtualService in another namespace must have the annotation rollout-core/allow-from: NAMESPACE
    #[arg(long = "shared-namespaces", value_name = "LIST", value_parser = shared)]
    pub shared: Option<Foreign>,
}

/// What istiod is asked, and how long it and the proxies may take.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Proxies")]
#[expect(clippy::exhaustive_structs, reason = "it is made from a command line")]
pub struct IstiodArgs {
    /// Where one replica of istiod serves its debug endpoints, like `http://127.0.0.1:15014`; repeat it for every
    /// replica. Without this option, the controller does not ask what the proxies have, and waits for fixed times
    #[arg(long = "istiod", value_name = "URL")]
    pub at: Vec<Address>,
    /// The token for istiod. It is sent only over https, or to this machine
    #[arg(long = "istiod-token-file", value_name = "FILE")]
    pub token: Option<PathBuf>,
    /// Send the token through the network over plain http, too, where others may read it
    #[arg(long = "istiod-token-in-the-clear")]
    pub in_the_clear: bool,
    /// The longest answer of istiod that is read, in MiB
    #[arg(long = "istiod-answer-mib", value_name = "MIB", default_value = "32", value_parser = mebibytes)]
    pub limit: usize,
    /// How long to wait for a lagging proxy of another namespace than the Rollout's, in seconds; 0 waits without limit
    #[arg(long = "istiod-wait-for-others-s", value_name = "SECONDS", default_value = "600", value_parser = patience)]
    pub patience: Patience,
    /// Wait without limit for the proxies of this namespace, as for those of the Rollout's own (repeatable)
    /// [default: istio-system and istio-ingress]
    #[arg(long = "istiod-gateways", value_name = "NAMESPACE")]
    pub gateways: Vec<String>,
    /// istiod's `PILOT_DEBOUNCE_AFTER`, in milliseconds. The default is always safe
    #[arg(long = "istiod-debounce-ms", value_name = "MILLISECONDS", default_value = "10000",
        value_parser = milliseconds)]
    pub debounce: Duration,
    /// How long a proxy that has lost its connection takes to connect again at most, in seconds. For so long after the
    /// start, no pods are removed
    #[arg(long = "istiod-reconnects-within-s", value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub reconnects: Duration,
}

/// Whether AnalysisRuns are run, and within which limits.
#[derive(Debug, Clone, Copy, clap::Args)]
#[command(next_help_heading = "Analysis")]
#[expect(clippy::exhaustive_structs, reason = "it is made from a command line")]
pub struct AnalysisArgs {
    /// Run AnalysisRuns, too: ask the providers of their metrics. This needs more rights, among them to read Secrets
    #[arg(long = "analysis")]
    pub is_on: bool,
    /// How many AnalysisRuns are measured at the same time
    #[arg(id = "analysis_workers", long = "analysis-threads", value_name = "COUNT", default_value_t = 30)]
    pub workers: usize,
    /// Let metrics also ask addresses of this machine: loopback, link-local, and where clouds serve its credentials
    #[arg(long = "analysis-local-addresses")]
    pub local_addresses: bool,
}

impl AnalysisArgs {
    /// Returns how AnalysisRuns are run; `None` if they are not.
    ///
    /// ```
    /// use clap::Parser as _;
    /// use examples::controller::Args;
    /// use rollout_kube::Analysis;
    /// let analysis = |line: &str| Args::parse_from(line.split(' ')).analysis.chosen();
    /// assert_eq!(analysis("controller"), None);
    /// assert_eq!(analysis("controller --analysis"), Some(Analysis::new()));
    /// ```
    #[must_use]
    pub fn chosen(self) -> Option<Analysis> {
        let analysis = Analysis::new().workers(self.workers).local_addresses(self.local_addresses);
        self.is_on.then_some(analysis)
    }
}

/// Which cluster this is, and how the others are reached.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Several clusters")]
#[expect(clippy::exhaustive_structs, reason = "it is made from a command line")]
pub struct ClusterArgs {
    /// The name of this cluster in the mesh. Without this option, Rollouts that are released together with those of other
    /// clusters (annotation rollout-core/fleet) are refused
    #[arg(id = "cluster_name", long = "cluster", value_name = "NAME", value_parser = ClusterName::new)]
    pub me: Option<ClusterName>,
    /// Find the kubeconfigs of the other clusters in the Secrets of this namespace that have the label
    /// rollout-core/cluster=true: a key is the name of a cluster, its value a kubeconfig. They need to get, list and watch
    /// Rollouts, nothing else [default: the controller's own namespace]
    #[arg(long = "cluster-secrets", value_name = "NAMESPACE", requires = "cluster_name")]
    pub secrets: Option<String>,
}

impl ClusterArgs {
    /// Returns how the other clusters are reached, from a controller in this namespace; `None` if they are not.
    ///
    /// ```
    /// use clap::Parser as _;
    /// use examples::controller::Args;
    /// let clusters = |line: &str| Args::parse_from(line.split(' ')).clusters.chosen("rollouts");
    /// assert!(clusters("controller").is_none());
    /// let shown = format!("{:?}", clusters("controller --cluster a").unwrap());
    /// assert_eq!(shown, r#"Clusters { me: a, secrets: Some("rollouts"), others: [] }"#);
    /// ```
    #[must_use]
    pub fn chosen(self, own_namespace: &str) -> Option<Clusters> {
        let secrets = self.secrets.unwrap_or_else(|| own_namespace.to_owned());
        self.me.map(|me| Clusters::new(me).secrets_in(secrets))
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Log")]
#[expect(clippy::exhaustive_structs, reason = "it is made from a command line")]
pub struct LogArgs {
    /// How a line looks
    #[arg(long = "log-format", alias = "logformat", value_name = "FORMAT", default_value = "text")]
    pub format: LogFormat,
    /// The least important lines that are logged: error, warn, info, debug or trace
    #[arg(long = "loglevel", value_name = "LEVEL", default_value = "info")]
    pub level: tracing::Level,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "it is made from a command line")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object of JSON.
    Json,
}

/// How long others are waited for; `None` is without limit. Under this name, it is one value to clap, not an option
/// that may be missing.
pub type Patience = Option<Duration>;

fn shared(text: &str) -> Result<Foreign, String> {
    let names: Arc<[Arc<str>]> = text.split(',').map(str::trim).map(Arc::from).collect();
    match text {
        "*" => Ok(Foreign::All),
        _ if names.iter().any(|name| name.is_empty()) => Err("there is an empty name in it".to_owned()),
        _ => Ok(Foreign::Of(names)),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "write a whole number of seconds".to_owned())
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_millis).map_err(|_| "write a whole number of milliseconds".to_owned())
}

fn patience(text: &str) -> Result<Patience, String> {
    seconds(text).map(|wait| Some(wait).filter(|wait| !wait.is_zero()))
}

fn mebibytes(text: &str) -> Result<usize, String> {
    let bytes = text.parse::<usize>().ok().and_then(|mib| mib.checked_mul(1 << 20));
    bytes.ok_or_else(|| format!("write a whole number from 0 to {}", usize::MAX >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn read(line: &str) -> Result<Args, String> {
        let read = Args::try_parse_from(line.split_whitespace());
        read.map_err(|error| error.render().to_string().lines().next().unwrap_or_default().to_owned())
    }

    #[test]
    fn the_declaration_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn defaults() {
        let Args { workers, dry_run, istio, istiod, log, .. } = read("controller").unwrap();
        assert_eq!((workers, dry_run, istio.api_version.as_str()), (10, false, "v1alpha3"));
        assert_eq!(istio.shared, None);
        assert_eq!((istiod.at.len(), istiod.limit), (0, 32 << 20));
        assert_eq!(istiod.patience, Some(Duration::from_secs(600)));
        assert_eq!((istiod.debounce, istiod.reconnects), (Duration::from_secs(10), Duration::from_secs(60)));
        assert_eq!((log.format, log.level), (LogFormat::Text, tracing::Level::INFO));
        assert_eq!(read("controller").unwrap().analysis.chosen(), None);
    }

    #[test]
    fn everything_at_once() {
        let args = read(
            "controller --kubeconfig f --namespace n --instance-id i --rollout-threads 3 --dry-run \
             --istio-api-version v1 --shared-namespaces a,b --istiod http://127.0.0.1:15014 --istiod https://x:1 \
             --istiod-token-file t --istiod-token-in-the-clear --istiod-answer-mib 1 --istiod-wait-for-others-s 0 \
             --istiod-gateways g --istiod-debounce-ms 100 --istiod-reconnects-within-s 5 --logformat json \
             --loglevel DEBUG --analysis --analysis-threads 3 --analysis-local-addresses --cluster a \
             --cluster-secrets s",
        );
        let Args { instance, istio, istiod, analysis, clusters, log, .. } = args.unwrap();
        assert_eq!(
            format!("{:?}", clusters.chosen("own").unwrap()),
            r#"Clusters { me: a, secrets: Some("s"), others: [] }"#
        );
        assert_eq!(analysis.chosen(), Some(Analysis::new().workers(3).local_addresses(true)));
        assert_eq!(instance.as_deref(), Some("i"));
        assert_eq!(istio.shared, Some(Foreign::Of([Arc::from("a"), Arc::from("b")].into())));
        assert_eq!((istiod.at.len(), istiod.limit, istiod.patience), (2, 1 << 20, None));
        assert_eq!(
            (istiod.debounce, istiod.reconnects),
            (Duration::from_millis(100), Duration::from_secs(5))
        );
        assert_eq!((log.format, log.level), (LogFormat::Json, tracing::Level::DEBUG));
        assert_eq!(read("controller --shared-namespaces *").unwrap().istio.shared, Some(Foreign::All));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        for (line, words) in [
            ("controller --istiod-debounce-ms soon", "write a whole number of milliseconds"),
            ("controller --istiod-answer-mib 99999999999999999999", "write a whole number from 0 to"),
            ("controller --istiod 127.0.0.1", "write http://HOST:PORT or https://HOST:PORT"),
            ("controller --loglevel loud", "expected one of \"error\", \"warn\""),
            ("controller --log-format xml", "invalid value 'xml' for '--log-format <FORMAT>'"),
            ("controller --shared-namespaces a,", "there is an empty name"),
            ("controller --cluster a/b", "contains a character that a cluster's name cannot have"),
            ("controller --cluster-secrets s", "the following required arguments were not provided"),
            ("controller stray", "unexpected argument 'stray'"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
