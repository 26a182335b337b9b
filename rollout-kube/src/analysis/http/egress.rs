//! Which addresses may be asked.

use ::http::Uri;
use hyper_util::client::legacy::connect::dns::Name;
use std::{
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};
use tower_service::Service;

/// The rule for addresses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Egress {
    /// Whether addresses that mean something only on this machine may be asked.
    pub(super) local_addresses: bool,
}

impl Egress {
    /// Checks an address that is written as a number; a name is checked when it is resolved.
    ///
    /// # Errors
    /// It may not be asked.
    pub(super) fn may_ask(self, uri: &Uri) -> Result<(), String> {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        match host.parse::<IpAddr>() {
            Ok(address) if !self.allows(address) => Err(refused(host, address)),
            _ => Ok(()),
        }
    }

    fn allows(self, address: IpAddr) -> bool {
        self.local_addresses || !is_local(address)
    }
}

fn refused(host: &str, address: IpAddr) -> String {
    let shown = if host == address.to_string() { host.to_owned() } else { format!("{host} ({address})") };
    format!(
        "{shown} is an address of the controller's own machine, which metrics may not ask; write another address, or \
         let the operator start the controller with --analysis-local-addresses"
    )
}

/// Whether an address means something only on this machine: itself, its link, and where clouds serve its credentials.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_local_v4(address),
        IpAddr::V6(address) => {
            // The same address in another notation, also behind a translator.
            let [.., high, low] = address.segments();
            let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
            let is_translated = matches!(address.segments(), [0x64, 0xff9b, 0, 0, 0, 0, _, _]);
            match address.to_ipv4_mapped().or(is_translated.then_some(embedded)) {
                Some(embedded) => is_local_v4(embedded),
                None => is_local_v6(address),
            }
        }
    }
}

fn is_local_v4(address: Ipv4Addr) -> bool {
    /// Where clouds outside of 169.254.0.0/16 serve the credentials of a machine.
    const METADATA: [Ipv4Addr; 3] =
        [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16), Ipv4Addr::new(192, 0, 0, 192)];
    let [first, ..] = address.octets();
    address.is_loopback()
        || address.is_link_local()
        || first == 0
        || address.is_multicast()
        || address.is_broadcast()
        || METADATA.contains(&address)
}

fn is_local_v6(address: Ipv6Addr) -> bool {
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    address.is_loopback()
        || address.is_unspecified()
        || address.is_unicast_link_local()
        || address.is_multicast()
        || address == METADATA
        // `::127.0.0.1`, an old notation.
        || matches!(address.segments(), [0, 0, 0, 0, 0, 0, _, _])
}

/// Resolves names to addresses that may be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver(pub(super) Egress);

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let egress = self.0;
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<_> =
                found.iter().copied().filter(|address| egress.allows(address.ip())).collect();
            match found.first().filter(|_| allowed.is_empty()) {
                Some(address) => Err(io::Error::other(refused(name.as_str(), address.ip()))),
                None => Ok(allowed.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machine_are_refused_in_every_notation() {
        let egress = Egress { local_addresses: false };
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.1",
            "::1",
            "::",
            "::127.0.0.1",
            "fe80::1",
            "fe80::a9fe:a9fe",
            "febf::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
            "64:ff9b::169.254.169.254",
        ] {
            assert!(!egress.allows(address.parse().unwrap()), "{address}");
            assert!(Egress { local_addresses: true }.allows(address.parse().unwrap()), "{address}");
        }
        for address in
            ["10.0.0.1", "192.168.1.1", "100.64.0.1", "8.8.8.8", "fd00::1", "2001:db8::1", "::ffff:8.8.8.8"]
        {
            assert!(egress.allows(address.parse().unwrap()), "{address}");
        }
        let error = egress.may_ask(&"http://[fe80::1]:9090/".parse().unwrap()).unwrap_err();
        assert!(error.starts_with("fe80::1 is an address of the controller's own machine"), "{error}");
        assert!(error.contains("--analysis-local-addresses"), "{error}");
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let resolve = |local_addresses| {
            let mut resolver = Resolver(Egress { local_addresses });
            resolver.call("localhost".parse().unwrap())
        };
        let error = resolve(false).await.unwrap_err().to_string();
        assert!(error.starts_with("localhost (") && error.contains("own machine"), "{error}");
        assert!(resolve(true).await.unwrap().count() > 0);
    }
}
