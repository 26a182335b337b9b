//! Asks metric providers over HTTP, within limits: tenants choose what is asked, and where.

mod egress;
mod oauth2;
mod request;
mod tls;

pub(super) use oauth2::OAuth2;
pub(super) use request::{HttpAnswer, HttpRequest, basic};

use ::http::{Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use egress::{Egress, Resolver};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use oauth2::Tokens;
use std::{error::Error, fmt, pin::pin, sync::OnceLock, time::Duration};

/// The longest answer that is read.
const LONGEST: usize = 1 << 20;
/// How often a redirect is followed for one question.
const REDIRECTS: u32 = 3;

type Connector = HttpsConnector<HttpConnector<Resolver>>;
type HttpClient = Client<Connector, Full<Bytes>>;

/// Sends requests to metric providers.
pub(super) struct Http {
    egress: Egress,
    /// With certificates checked, and without: built when the first request needs them.
    clients: [OnceLock<Result<HttpClient, String>>; 2],
    tokens: Tokens,
}

impl Http {
    /// Creates a client that asks at addresses of this machine only if it may.
    pub(super) fn new(local_addresses: bool) -> Self {
        let clients = [OnceLock::new(), OnceLock::new()];
        Self { egress: Egress { local_addresses }, clients, tokens: Tokens::default() }
    }

    /// Sends a request, with a token if it needs one, and reads the answer, whatever its status.
    ///
    /// # Errors
    /// The address is none, or may not be asked; nobody answers there; the answer is too long, or leads elsewhere too
    /// often. There is no token.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpAnswer, String> {
        match request.oauth2.clone() {
            Some(oauth2) => self.send_with_token(request, &oauth2).await,
            None => self.send_as_is(request).await,
        }
    }

    async fn send_as_is(&self, mut request: HttpRequest) -> Result<HttpAnswer, String> {
        for _ in 0..=REDIRECTS {
            let answer = self.once(request.clone()).await?;
            let Some(to) = redirect(&request, &answer) else { return read(answer).await };
            request = request.redirected(&to)?;
        }
        Err(format!("it redirects more than {REDIRECTS} times; write the last address"))
    }

    async fn once(
        &self,
        request: HttpRequest,
    ) -> Result<Response<impl Body<Data = Bytes, Error: Error>>, String> {
        self.egress.may_ask(&request.uri)?;
        let client = self.client(&request)?;
        let mut built = Request::new(Full::from(request.body));
        *built.method_mut() = request.method;
        *built.uri_mut() = request.uri;
        *built.headers_mut() = request.headers;
        client.request(built).await.map_err(|error| causes(&error))
    }

    fn client(&self, request: &HttpRequest) -> Result<HttpClient, String> {
        let [secure, insecure] = &self.clients;
        let (client, checks) = if request.is_insecure { (insecure, false) } else { (secure, true) };
        // Plain HTTP needs no certificates, so their lack must not keep it from being asked.
        let checks = checks && request.uri.scheme_str() == Some("https");
        let client = if checks { client } else { insecure };
        let built = client.get_or_init(|| {
            let mut http = HttpConnector::new_with_resolver(Resolver(self.egress));
            http.enforce_http(false);
            http.set_connect_timeout(Some(Duration::from_secs(10)));
            let connector = tls::connector(http, checks)?;
            // A connection is used once: what a name means is looked up, and judged, for every question.
            Ok(Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector))
        });
        built.clone()
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("egress", &self.egress).finish_non_exhaustive()
    }
}

/// Returns where an answer leads to, if it can be followed.
fn redirect<B>(request: &HttpRequest, answer: &Response<B>) -> Option<Uri> {
    let leads = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    if !leads || request.method != ::http::Method::GET {
        return None;
    }
    let to = answer.headers().get(header::LOCATION)?.to_str().ok()?;
    request.relative(to)
}

async fn read<B: Body<Data = Bytes, Error: Error>>(answer: Response<B>) -> Result<HttpAnswer, String> {
    let (parts, rest) = answer.into_parts();
    let mut rest = pin!(rest);
    let retry_after = parts.headers.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok());
    let retry_after = retry_after.and_then(|after| after.trim().parse::<u64>().ok());
    // A server that says 0 is not asked as fast as it answers.
    let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds.max(1)));
    let mut body = Vec::new();
    while let Some(frame) = rest.frame().await {
        let frame = frame.map_err(|error| format!("the answer ended early: {}", causes(&error)))?;
        let Some(data) = frame.data_ref() else { continue };
        if data.len() > LONGEST.saturating_sub(body.len()) {
            return Err("the answer is longer than 1 MiB; ask for less".to_owned());
        }
        body.extend_from_slice(data);
    }
    let status = parts.status;
    Ok(HttpAnswer { status, retry_after: retry_after.filter(|_| may_be_asked_again(status)), body })
}

fn may_be_asked_again(status: StatusCode) -> bool {
    matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// Formats an error with its causes: the error itself says only that something failed.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
