//! Encrypted connections, with and without a look at certificates.

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring::default_provider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::sync::Arc;

/// Adds HTTPS to a connector for HTTP. With `checks`, certificates must be signed by an authority that this machine
/// trusts.
///
/// # Errors
/// This machine trusts no authority.
pub(super) fn connector<H>(http: H, checks: bool) -> Result<HttpsConnector<H>, String> {
    let builder = if checks {
        HttpsConnectorBuilder::new().with_provider_and_native_roots(default_provider()).map_err(|error| {
            format!("no trusted CA certificates, so nothing can be asked over https: {error}; install them")
        })?
    } else {
        let provider = Arc::new(default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
        let config = config.dangerous().with_custom_certificate_verifier(Arc::new(NoChecks(provider)));
        HttpsConnectorBuilder::new().with_tls_config(config.with_no_client_auth())
    };
    Ok(builder.https_or_http().enable_http1().wrap_connector(http))
}

/// Takes any certificate: a metric says `insecure: true`.
#[derive(Debug)]
struct NoChecks(Arc<CryptoProvider>);

impl ServerCertVerifier for NoChecks {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
