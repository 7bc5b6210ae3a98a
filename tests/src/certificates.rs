//! Certificate authorities for tests, and what they sign.
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

/// An authority of one test server.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// What a server shows, and the key it proves it with.
#[derive(Clone)]
pub(crate) struct ServerCertificate {
    pub(crate) chain_pem: String,
    pub(crate) key_pem: String,
}

impl ServerCertificate {
    /// Who may connect to a server that has one: nobody in plain text, and the role
    /// `trusted` without a password.
    pub(crate) const PG_HBA: &str = "local all all trust\n\
                                     hostssl all trusted all trust\n\
                                     hostssl all all all scram-sha-256\n\
                                     hostnossl all all all reject\n";
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, name);
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(authority, key).expect("an authority");
        Self { issuer }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for one host name.
    pub(crate) fn issue(&self, host: &str) -> ServerCertificate {
        let mut server = CertificateParams::new([host.to_owned()]).expect("a host name");
        server.distinguished_name.push(DnType::CommonName, host);
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a key");
        let certificate = server.signed_by(&key, &self.issuer);
        ServerCertificate {
            chain_pem: certificate.expect("a certificate").pem(),
            key_pem: key.serialize_pem(),
        }
    }
}

/// What a client needs to trust the authority in a PEM file, and no other.
///
/// # Panics
///
/// If the file holds no certificate.
pub fn client_settings(authority_pem: &Path) -> ClientConfig {
    let authority = CertificateDer::from_pem_file(authority_pem).expect("a PEM file");
    let mut trusted = RootCertStore::empty();
    trusted.add(authority).expect("an authority");
    // The provider is named, as no crate of the workspace may count on being the
    // one that sets the process's own.
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_root_certificates(trusted)
        .with_no_client_auth()
}
