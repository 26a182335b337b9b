//! OAuth 2: a token for the credentials that a metric has, kept until it expires.

use super::{Http, HttpAnswer, HttpRequest, basic};
use crate::analysis::provider::text;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as Turns, time::Instant};

/// The most credentials whose tokens are kept.
const MOST: usize = 1_000;
/// For how long a token is used whose server does not say when it expires, and the longest in any case.
const UNSAID: Duration = Duration::from_secs(300);
const LONGEST: Duration = Duration::from_secs(86_400);
/// So long before it expires, it is no longer used.
const EARLY: Duration = Duration::from_secs(10);

/// The credentials of a metric, for the flow `client_credentials`.
pub(in crate::analysis) struct OAuth2 {
    what: What,
    /// All tokens that were got for it: an answer may echo them.
    tokens: Mutex<Vec<String>>,
}

/// What a token is for: only who knows the secret gets it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct What {
    url: String,
    id: String,
    secret: String,
    scope: String,
    is_insecure: bool,
}

impl OAuth2 {
    /// Reads `authentication.oauth2` of a metric, if it is there.
    ///
    /// # Errors
    /// A field is missing, or the address is none.
    pub(in crate::analysis) fn read(metric: &Value) -> Result<Option<Arc<Self>>, String> {
        let written = metric.pointer("/authentication/oauth2").and_then(Value::as_object);
        if written.is_none_or(serde_json::Map::is_empty) {
            return Ok(None);
        }
        let field = |name: &str| text(metric, &format!("/authentication/oauth2/{name}")).to_owned();
        let (url, id, secret) = (field("tokenUrl"), field("clientId"), field("clientSecret"));
        for (name, value) in [("tokenUrl", &url), ("clientId", &id), ("clientSecret", &secret)] {
            if value.is_empty() {
                let missing = "missing mandatory parameter in metric for OAuth2 setup";
                return Err(format!("{missing}; write `authentication.oauth2.{name}`"));
            }
        }
        HttpRequest::new(Method::POST, &url)
            .map_err(|why| format!("authentication.oauth2.tokenUrl: {why}"))?;
        let scopes = metric.pointer("/authentication/oauth2/scopes").and_then(Value::as_array);
        let scopes: Vec<_> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
        let is_insecure = metric.get("insecure").and_then(Value::as_bool).unwrap_or(false);
        let what = What { url, id, secret, scope: scopes.join(" "), is_insecure };
        Ok(Some(Arc::new(Self { what, tokens: Mutex::default() })))
    }

    /// Returns the texts that must not be seen.
    pub(in crate::analysis) fn secrets(&self) -> Vec<String> {
        let mut secrets = self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let encoded = self.what.in_the_header();
        secrets.extend(encoded.split_once(' ').map(|(_, encoded)| encoded.to_owned()));
        secrets.push(self.what.secret.clone());
        secrets
    }
}

impl What {
    /// The credentials as a header: each is encoded before they are joined.
    fn in_the_header(&self) -> String {
        let encoded = |text: &str| {
            let mut encoded = String::new();
            crate::store::encode(text, &mut encoded);
            encoded
        };
        basic(&encoded(&self.id), &encoded(&self.secret))
    }

    /// Gets a token. Servers take the credentials in a header; some only in the form.
    async fn token(&self, http: &Http) -> Result<Token, String> {
        let mut fields = vec![("grant_type", "client_credentials")];
        if !self.scope.is_empty() {
            fields.push(("scope", &self.scope));
        }
        let mut request = HttpRequest::new(Method::POST, &self.url)?;
        request.is_insecure = self.is_insecure;
        let request = request.header(header::ACCEPT, "application/json");
        let first = request.clone().header(header::AUTHORIZATION, &self.in_the_header()).form(&fields);
        let mut answer = http.send_as_is(first).await?;
        if matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
            fields.extend([("client_id", self.id.as_str()), ("client_secret", &self.secret)]);
            answer = http.send_as_is(request.form(&fields)).await?;
        }
        Token::read(&answer)
    }
}

/// Says nothing that is secret.
impl fmt::Debug for OAuth2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth2").field("url", &self.what.url).finish_non_exhaustive()
    }
}

struct Token {
    text: String,
    until: Instant,
}

impl Token {
    fn read(answer: &HttpAnswer) -> Result<Self, String> {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if !answer.status.is_success() {
            let status = answer.status.as_u16().to_string();
            let said = [&status, text(&body, "/error"), text(&body, "/error_description")];
            let said = said.into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join(": ");
            return Err(format!("no token: the server answered {said}; check `authentication.oauth2`"));
        }
        let (token, kind) = (text(&body, "/access_token"), text(&body, "/token_type"));
        let is_bearer = kind.is_empty() || kind.eq_ignore_ascii_case("bearer");
        if token.is_empty() || !is_bearer || HeaderValue::try_from(token).is_err() {
            return Err(
                "no token: the server gave no bearer token; check `authentication.oauth2.tokenUrl`".into()
            );
        }
        let seconds =
            body.get("expires_in").and_then(|said| said.as_u64().or_else(|| said.as_str()?.parse().ok()));
        let lasts = seconds.map_or(UNSAID, Duration::from_secs).min(LONGEST);
        Ok(Self { text: token.to_owned(), until: Instant::now() + lasts.saturating_sub(EARLY) })
    }
}

/// The tokens of all metrics. Those who need the same one wait for each other.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<What, Arc<Turns<Option<Token>>>>>);

impl Tokens {
    fn of(&self, what: &What) -> Arc<Turns<Option<Token>>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(what) {
            let is_used = |kept: &Arc<Turns<Option<Token>>>| {
                kept.try_lock()
                    .map_or(true, |kept| kept.as_ref().is_some_and(|token| token.until > Instant::now()))
            };
            all.retain(|_, kept| is_used(kept));
            if all.len() >= MOST {
                all.clear();
            }
        }
        Arc::clone(all.entry(what.clone()).or_default())
    }

    /// Returns the token that is kept, or gets one. `refused` is one that is no longer good.
    async fn get(&self, http: &Http, oauth2: &OAuth2, refused: Option<&str>) -> Result<String, String> {
        let entry = self.of(&oauth2.what);
        let mut kept = entry.lock().await;
        let is_good = |token: &&Token| token.until > Instant::now() && Some(token.text.as_str()) != refused;
        let token = if let Some(token) = kept.as_ref().filter(is_good) {
            token.text.clone()
        } else {
            *kept = None;
            let token = oauth2.what.token(http).await?;
            kept.insert(token).text.clone()
        };
        let mut tokens = oauth2.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if !tokens.contains(&token) {
            tokens.push(token.clone());
        }
        Ok(token)
    }
}

impl Http {
    /// Sends a request with a token. One that the server no longer takes is got anew, once.
    pub(super) async fn send_with_token(
        &self,
        request: HttpRequest,
        oauth2: &OAuth2,
    ) -> Result<HttpAnswer, String> {
        let token = self.tokens.get(self, oauth2, None).await?;
        let with = |token: &str| request.clone().header(header::AUTHORIZATION, &format!("Bearer {token}"));
        let answer = self.send_as_is(with(&token)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let token = self.tokens.get(self, oauth2, Some(&token)).await?;
        self.send_as_is(with(&token)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde_json::json;

    #[test]
    fn credentials_are_read_or_refused() {
        let read = |oauth2: Value| OAuth2::read(&json!({"authentication": {"oauth2": oauth2}}));
        assert!(read(json!({})).unwrap().is_none());
        let whole = json!({"tokenUrl": "https://login/token", "clientId": "a:b", "clientSecret": "s 3", "scopes": ["x", "y"]});
        let oauth2 = read(whole.clone()).unwrap().unwrap();
        assert_eq!(oauth2.what.scope, "x y");
        assert_eq!(oauth2.secrets(), [STANDARD.encode("a%3Ab:s%203"), "s 3".to_owned()]);
        assert!(!format!("{oauth2:?}").contains("s 3"));
        for field in ["tokenUrl", "clientId", "clientSecret"] {
            let mut oauth2 = whole.clone();
            oauth2[field] = "".into();
            let error = read(oauth2).unwrap_err();
            assert!(
                error.ends_with(&format!("OAuth2 setup; write `authentication.oauth2.{field}`")),
                "{error}"
            );
        }
        let error = read(json!({"tokenUrl": "login", "clientId": "a", "clientSecret": "b"})).unwrap_err();
        assert!(error.starts_with("authentication.oauth2.tokenUrl: \"login\" is not an address"), "{error}");
    }

    #[tokio::test]
    async fn the_tokens_that_are_kept_are_bounded() {
        let tokens = Tokens::default();
        let what = |number: usize| What {
            url: String::new(),
            id: number.to_string(),
            secret: String::new(),
            scope: String::new(),
            is_insecure: false,
        };
        for number in 0..=MOST {
            let until = Instant::now() + Duration::from_secs(60);
            *tokens.of(&what(number)).lock().await = Some(Token { text: String::new(), until });
        }
        assert!(tokens.0.lock().unwrap().len() <= MOST);
    }
}
