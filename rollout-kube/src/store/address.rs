use super::Kind;
use rollout_core::{DnsName, NotADnsName, backend::StoreError, traffic::ObjectRef};
use std::fmt::Write as _;

/// The address of an object, or of all objects of a kind, on an API server. Every request path is built here.
///
/// A path contains only DNS names and this program's own words; query values are encoded. So a name that a tenant wrote
/// into an object cannot select another resource, a subresource or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    path: String,
    has_query: bool,
}

impl Address {
    /// Addresses all objects of a kind in the namespace of `like`; in all namespaces when that is empty.
    ///
    /// # Errors
    /// The namespace is not a DNS label.
    pub(crate) fn all(kind: &Kind, like: &ObjectRef) -> Result<Self, StoreError> {
        if !like.namespace.is_empty() {
            DnsName::label(&like.namespace).map_err(|error| refused(like, "namespace", &error))?;
        }
        Ok(Self { path: kind.path(&like.namespace), has_query: false })
    }

    /// Addresses one object.
    ///
    /// # Errors
    /// Its name or namespace is not a DNS name, or it has no namespace although its kind has.
    pub(crate) fn one(kind: &Kind, object: &ObjectRef) -> Result<Self, StoreError> {
        if !kind.is_of_cluster {
            DnsName::label(&object.namespace).map_err(|error| refused(object, "namespace", &error))?;
        }
        let name = DnsName::parse(&object.name).map_err(|error| refused(object, "name", &error))?;
        Ok(Self { path: format!("{}/{name}", kind.path(&object.namespace)), has_query: false })
    }

    /// Addresses a subresource of this object, such as `status`.
    pub(crate) fn subresource(mut self, name: &'static str) -> Self {
        self.path.push('/');
        self.path.push_str(name);
        self
    }

    /// Adds a query parameter.
    pub(crate) fn with(mut self, key: &'static str, value: &str) -> Self {
        self.path.push(if self.has_query { '&' } else { '?' });
        self.path.push_str(key);
        self.path.push('=');
        encode(value, &mut self.path);
        self.has_query = true;
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.path
    }
}

fn refused(object: &ObjectRef, which: &str, error: &NotADnsName) -> StoreError {
    let why = format!("its {which}: {error}, so no request is sent to the API server; {}", DnsName::INSTEAD);
    StoreError::Refused { object: object.clone(), why }
}

/// Appends a text as one query value, whatever it contains (RFC 3986: encodes all but unreserved characters).
pub(crate) fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a string never fails.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services() -> Kind {
        Kind::new("", "v1", "Service", "services")
    }

    #[test]
    fn only_names_go_into_a_path() {
        let object = ObjectRef::new("", "Service", "shop", "web.v1");
        assert_eq!(
            Address::one(&services(), &object).unwrap().as_str(),
            "/api/v1/namespaces/shop/services/web.v1"
        );
        let everywhere = ObjectRef::new("", "Service", "", "");
        assert_eq!(Address::all(&services(), &everywhere).unwrap().as_str(), "/api/v1/services");
        assert!(Address::one(&services(), &everywhere).is_err(), "one object is in a namespace");
    }

    #[test]
    fn a_text_that_is_not_a_name_is_refused_with_its_place_and_a_fix() {
        let object = ObjectRef::new("", "Service", "shop", "ow?dryRun=All&a=");
        let error = Address::one(&services(), &object).unwrap_err().to_string();
        for part in
            ["Service shop/ow", "its name: \"ow?dryRun=All&a=\" is not a DNS name", "write lowercase letters"]
        {
            assert!(error.contains(part), "{error}");
        }
        let object = ObjectRef::new("", "Service", "shop/../tb", "web");
        let error = Address::one(&services(), &object).unwrap_err().to_string();
        assert!(error.contains("its namespace: \"shop/../tb\""), "{error}");
        assert!(Address::all(&services(), &object).is_err());
    }

    #[test]
    fn a_query_value_is_encoded() {
        let everywhere = ObjectRef::new("", "Service", "", "");
        let address = Address::all(&services(), &everywhere).unwrap();
        let address = address.with("labelSelector", "a/b=c&watch=true,ü").with("fieldManager", "my team#1");
        assert_eq!(
            address.as_str(),
            "/api/v1/services?labelSelector=a%2Fb%3Dc%26watch%3Dtrue%2C%C3%BC&fieldManager=my%20team%231"
        );
    }
}
