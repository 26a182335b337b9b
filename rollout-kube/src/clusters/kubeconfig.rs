//! What a kubeconfig in a Secret may contain.

use kube::{
    Client, Config,
    config::{AuthInfo, Cluster, KubeConfigOptions, Kubeconfig},
};
use rollout_core::Escaped;
use std::time::Duration;

/// A server ends a watch after 55 s: a connection that says nothing for longer is dead.
const SILENCE: Duration = Duration::from_secs(70);

/// Creates a client of the cluster that a kubeconfig leads to.
///
/// Whoever may write the Secret must not be able to run programs here, or to read files: so a kubeconfig that would do
/// that is refused, like istiod refuses it.
///
/// # Errors
/// The kubeconfig cannot be read, or contains what is refused.
pub(super) async fn client(text: &str) -> Result<Client, String> {
    let read = Kubeconfig::from_yaml(text);
    let kubeconfig = read.map_err(|why| format!("it is no kubeconfig: {}", Escaped(&why)))?;
    let refused = refused(&kubeconfig);
    if !refused.is_empty() {
        return Err(refused.join("; "));
    }
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let mut config = config.map_err(|why| format!("it leads nowhere: {}", Escaped(&why)))?;
    (config.read_timeout, config.reset_reader_on_write) = (Some(SILENCE), true);
    Client::try_from(config).map_err(|why| format!("no client can be made of it: {}", Escaped(&why)))
}

/// Returns everything in it that is refused, with what to write instead.
fn refused(kubeconfig: &Kubeconfig) -> Vec<String> {
    let clusters = kubeconfig.clusters.iter().filter_map(|named| named.cluster.as_ref());
    let users = kubeconfig.auth_infos.iter().filter_map(|named| named.auth_info.as_ref());
    clusters.filter_map(of_cluster).chain(users.flat_map(of_user)).collect()
}

fn of_cluster(cluster: &Cluster) -> Option<String> {
    let file = cluster.certificate_authority.as_ref()?;
    Some(named_file("certificate-authority", file, "certificate-authority-data"))
}

fn of_user(user: &AuthInfo) -> Vec<String> {
    let files = [
        ("tokenFile", &user.token_file, "token"),
        ("client-certificate", &user.client_certificate, "client-certificate-data"),
        ("client-key", &user.client_key, "client-key-data"),
    ];
    let files = files
        .into_iter()
        .filter_map(|(field, file, instead)| file.as_ref().map(|file| named_file(field, file, instead)));
    let plugins = [("exec", user.exec.is_some()), ("auth-provider", user.auth_provider.is_some())];
    let plugins = plugins.into_iter().filter(|(_, is_set)| *is_set);
    let plugins = plugins.map(|(field, _)| format!("`{field}` would run a program; write `token` instead"));
    files.chain(plugins).collect()
}

fn named_file(field: &str, file: &str, instead: &str) -> String {
    format!(
        "`{field}` names the file {:?}; write the content as `{instead}` instead",
        Escaped(file).to_string()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubeconfig(cluster: &str, user: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: {{cluster: b, user: u}}}}], \
             clusters: [{{name: b, cluster: {{server: 'https://127.0.0.1:1', {cluster}}}}}], \
             users: [{{name: u, user: {{{user}}}}}]}}"
        )
    }

    #[tokio::test]
    async fn a_token_is_accepted() {
        assert!(client(&kubeconfig("", "token: t")).await.is_ok());
    }

    #[tokio::test]
    async fn programs_and_files_are_refused() {
        let exec = "exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [/tmp/x]}";
        for (cluster, user, why) in [
            ("", exec, "`exec` would run a program; write `token` instead"),
            ("", "auth-provider: {name: gcp}", "`auth-provider` would run a program; write `token` instead"),
            (
                "",
                "tokenFile: /var/t",
                "`tokenFile` names the file \"/var/t\"; write the content as `token` instead",
            ),
            (
                "certificate-authority: /ca",
                "client-key: /k, client-certificate: /c",
                "`certificate-authority` names the file \"/ca\"; write the content as `certificate-authority-data` \
                 instead; `client-certificate` names the file \"/c\"; write the content as `client-certificate-data` \
                 instead; `client-key` names the file \"/k\"; write the content as `client-key-data` instead",
            ),
        ] {
            assert_eq!(client(&kubeconfig(cluster, user)).await.err().unwrap(), why);
        }
    }

    #[tokio::test]
    async fn what_is_no_kubeconfig_is_called_so() {
        let why = client("a: [").await.err().unwrap();
        assert!(why.starts_with("it is no kubeconfig: "), "{why}");
        let why = client("apiVersion: v1").await.err().unwrap();
        assert!(why.starts_with("it leads nowhere: "), "{why}");
    }
}
