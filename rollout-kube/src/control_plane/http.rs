use super::{Address, ControlPlaneAt};
use http::{HeaderValue, Request, Uri, header::AUTHORIZATION};
use http_body_util::{BodyExt, Empty};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, Error, connect::HttpConnector},
    rt::TokioExecutor,
};
use rollout_core::backend::NoAnswer;
use std::{error::Error as _, io, path::PathBuf, sync::Arc};

/// Sends requests to a control plane and reads its answers, up to a limit.
#[derive(Clone)]
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Empty<&'static [u8]>>,
    token: Option<Arc<PathBuf>>,
    limit: usize,
}

impl Http {
    /// # Errors
    /// A replica has an HTTPS address, and this machine has no trusted CA certificates.
    pub(super) fn new(at: &ControlPlaneAt) -> io::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        let is_https = |replica: &Address| replica.as_str().starts_with("https:");
        let connector = if at.replicas.iter().any(is_https) {
            HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?
        } else {
            // Without HTTPS, no certificate is needed.
            let config = rustls::ClientConfig::builder_with_provider(provider.into());
            let config = config.with_safe_default_protocol_versions().map_err(io::Error::other)?;
            let config = config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(config)
        };
        let connector = connector.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, token: at.token.clone().map(Arc::new), limit: at.limit })
    }

    pub(super) async fn get(&self, replica: &Address, path: &str) -> Result<Vec<u8>, NoAnswer> {
        let uri: Uri = format!("{}{path}", replica.as_str()).parse().map_err(|_| NoAnswer::Closed)?;
        let mut request = Request::get(uri);
        if let Some(file) = self.token.as_deref().filter(|_| replica.may_have_token())
            && let Ok(token) = tokio::fs::read_to_string(file).await
            && let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(Empty::new()).map_err(|_| NoAnswer::Closed)?;
        let answer = self.client.request(request).await;
        let answer =
            answer.map_err(|error| if is_closed(&error) { NoAnswer::Closed } else { NoAnswer::Silent })?;
        if !answer.status().is_success() {
            return Err(NoAnswer::Status(answer.status().as_u16()));
        }
        let mut rest = answer.into_body();
        let mut body = Vec::new();
        while let Some(frame) = rest.frame().await {
            let frame = frame.map_err(|_| NoAnswer::Silent)?;
            let Some(data) = frame.data_ref() else { continue };
            if data.len() > self.limit.saturating_sub(body.len()) {
                return Err(NoAnswer::TooLarge(self.limit));
            }
            body.extend_from_slice(data);
        }
        Ok(body)
    }
}

/// Returns whether nothing listens there, or the process that did has ended.
fn is_closed(error: &Error) -> bool {
    let mut source = error.source();
    let is_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
    while let Some(error) = source {
        if error.downcast_ref().is_some_and(is_reset) {
            return true;
        }
        source = error.source();
    }
    error.is_connect()
}
