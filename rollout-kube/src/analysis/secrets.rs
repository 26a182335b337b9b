//! Reads Secrets: what arguments take from them, in the run's own namespace only, and the keys of a provider.

use crate::runs::SecretKey;
use crate::store::Requests;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rollout_core::{backend::StoreError, traffic::ObjectRef};
use serde_json::Value;
use std::collections::BTreeMap;

/// What Secrets hold, by their keys.
pub(super) type Secrets = BTreeMap<SecretKey, String>;

/// Why a Secret's key has no value.
#[derive(Debug)]
pub(super) enum NoSecret {
    /// It is not there: the run cannot go on.
    Missing(String),
    /// It could not be read now.
    Unreadable(StoreError),
}

/// Reads these keys from the Secrets of a namespace, each Secret once.
///
/// # Errors
/// A Secret or a key is missing, holds no text, or cannot be read now.
pub(super) async fn read(
    requests: &Requests,
    namespace: &str,
    keys: Vec<SecretKey>,
) -> Result<Secrets, NoSecret> {
    let mut values = Secrets::new();
    let mut last: Option<(String, Value)> = None;
    for wanted in keys {
        let known = last.take().filter(|(name, _)| *name == wanted.secret);
        let (name, secret) = match known {
            Some(known) => known,
            None => (wanted.secret.clone(), secret(requests, namespace, &wanted.secret).await?),
        };
        let value = value(&secret, &wanted).map_err(NoSecret::Missing)?;
        last = Some((name, secret));
        values.insert(wanted, value);
    }
    Ok(values)
}

/// Reads one Secret.
///
/// # Errors
/// It is missing, or cannot be read now.
pub(super) async fn secret(requests: &Requests, namespace: &str, name: &str) -> Result<Value, NoSecret> {
    let object = ObjectRef::new("", "Secret", namespace, name);
    match requests.get(&object).await {
        Ok(secret) => Ok(secret.value),
        Err(StoreError::NotFound(_)) => Err(NoSecret::Missing(format!("secrets \"{name}\" not found"))),
        // No request was sent.
        Err(error @ StoreError::Refused { .. }) => Err(NoSecret::Missing(error.to_string())),
        Err(error) => Err(NoSecret::Unreadable(error)),
    }
}

/// Returns what a key of a Secret holds.
///
/// # Errors
/// It is missing, or holds no text.
pub(super) fn value(secret: &Value, SecretKey { secret: name, key }: &SecretKey) -> Result<String, String> {
    let encoded = secret.get("data").and_then(|data| data.get(key)).and_then(Value::as_str);
    let encoded = encoded.ok_or_else(|| format!("key '{key}' does not exist in secret '{name}'"))?;
    let bytes = STANDARD.decode(encoded).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| {
        format!("key '{key}' of secret '{name}' holds no text; store text in UTF-8 without further encoding")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mock::{Answer, server};
    use serde_json::json;

    fn key(secret: &str, key: &str) -> SecretKey {
        SecretKey { secret: secret.to_owned(), key: key.to_owned() }
    }

    fn requests(client: kube::Client) -> Requests {
        let mut requests = Requests::new(client, "us");
        requests.add_all(crate::runs::kinds());
        requests
    }

    #[tokio::test]
    async fn each_secret_is_read_once_and_only_in_the_runs_namespace() {
        let (client, seen) = server(|_| {
            let data = json!({"user": "bWU=", "token": "czNjcmV0", "odd": "/w=="});
            let metadata = json!({"namespace": "shop", "name": "a", "resourceVersion": "1"});
            Answer::ok(json!({"kind": "Secret", "metadata": metadata, "data": data}))
        });
        let requests = requests(client);
        let read = |keys| read(&requests, "shop", keys);
        let values = read(vec![key("a", "token"), key("a", "user")]).await.unwrap();
        assert_eq!(values.into_values().collect::<Vec<_>>(), ["s3cret", "me"]);
        let uris: Vec<_> = seen.lock().unwrap().iter().map(|request| request.uri.clone()).collect();
        assert_eq!(uris, ["/api/v1/namespaces/shop/secrets/a"]);
        for (wanted, why) in [
            (key("a", "no"), "key 'no' does not exist in secret 'a'"),
            (key("a", "odd"), "key 'odd' of secret 'a' holds no text"),
            (key("../tb/secrets/b", "no"), "is not a DNS name"),
        ] {
            let error = read(vec![wanted]).await.unwrap_err();
            assert!(matches!(&error, NoSecret::Missing(said) if said.contains(why)), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_missing_secret_is_told_from_one_that_cannot_be_read() {
        let (client, _) = server(|_| Answer::failure(404, "no"));
        let error = read(&requests(client), "shop", vec![key("a", "b")]).await.unwrap_err();
        assert!(matches!(&error, NoSecret::Missing(said) if said == "secrets \"a\" not found"), "{error:?}");
        let (client, _) = server(|_| Answer::failure(403, "no"));
        let error = read(&requests(client), "shop", vec![key("a", "b")]).await.unwrap_err();
        assert!(matches!(error, NoSecret::Unreadable(_)), "a right may be granted later: {error:?}");
    }
}
