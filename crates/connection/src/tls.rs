//! TLS to Postgres, with the words of libpq's `sslmode`
//! (<https://www.postgresql.org/docs/current/libpq-ssl.html>).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use secret::SslMode;

use crate::error::Error;

/// What is checked of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checks {
    /// Nothing: the connection is encrypted, with whomever.
    Nothing,
    /// That an authority vouches for it.
    Authority,
    /// That an authority vouches for it, under the name that is connected to.
    AuthorityAndName,
}

/// The TLS settings for a mode that uses TLS.
pub(crate) fn client_config(
    mode: Option<SslMode>,
    root_certificates: Option<&Path>,
) -> Result<ClientConfig, Error> {
    let checks = match (mode, root_certificates) {
        (Some(SslMode::VerifyFull), _) => Checks::AuthorityAndName,
        (Some(SslMode::VerifyCa), _) => Checks::Authority,
        // libpq's rule: with an authority's file at hand, `require` uses it.
        (Some(SslMode::Require), Some(_)) => Checks::Authority,
        _ => Checks::Nothing,
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        checks,
        web_pki: match checks {
            Checks::Nothing => None,
            _ => Some(web_pki(root_certificates, Arc::clone(&provider))?),
        },
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable(root_certificates))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

fn web_pki(
    root_certificates: Option<&Path>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let mut roots = RootCertStore::empty();
    match root_certificates {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|_| unusable(root_certificates))?;
            roots.add_parsable_certificates(certificates);
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|_| unusable(root_certificates))
}

fn unusable(root_certificates: Option<&Path>) -> Error {
    let system = || PathBuf::from("the system's certificate store");
    Error::RootCertificates {
        path: root_certificates.map_or_else(system, Path::to_owned),
    }
}

/// rustls knows only full verification; this leaves out what a mode doesn't ask for.
#[derive(Debug)]
struct Verifier {
    checks: Checks,
    web_pki: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(web_pki) = &self.web_pki else {
            return Ok(ServerCertVerified::assertion());
        };
        let verified =
            web_pki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is looked at last: whatever else is wrong came before.
            Err(error) if self.checks == Checks::Authority && is_wrong_name(&error) => {
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether a handshake failed for the certificate's name.
pub(crate) fn is_wrong_name(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    )
}

/// Whether a handshake failed for the certificate's authority.
pub(crate) fn is_wrong_authority(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::InvalidCertificate(
            CertificateError::UnknownIssuer
                | CertificateError::BadSignature
                | CertificateError::InvalidPurpose
        )
    )
}
