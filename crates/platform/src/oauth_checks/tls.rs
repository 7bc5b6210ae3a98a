//! Whom to believe that an issuer is who it says.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::error::{CertificateFlaw, OauthError};

/// The certificate authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateAuthorities {
    /// Those of the machine, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    Machine,
    /// Those in this PEM file, and no others.
    File(PathBuf),
}

/// TLS with whomever these authorities vouch for.
pub(crate) fn client_config(
    authorities: &CertificateAuthorities,
) -> Result<ClientConfig, OauthError> {
    let unusable = || OauthError::NoAuthorities {
        path: match authorities {
            CertificateAuthorities::Machine => None,
            CertificateAuthorities::File(path) => Some(path.clone()),
        },
    };
    let certificates = match authorities {
        // What can't be read among them is left out: a machine has many.
        CertificateAuthorities::Machine => rustls_native_certs::load_native_certs().certs,
        CertificateAuthorities::File(path) => CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|_| unusable())?,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(unusable());
    }
    // The provider is named, so that it isn't whichever other crates have brought along.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable())?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The TLS error that an error came from, if it came from one.
pub(super) fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        // An `io::Error` isn't the parent of the error in it, but its disguise.
        next = match error.downcast_ref::<io::Error>().map(io::Error::get_ref) {
            Some(Some(inner)) => Some(inner),
            _ => error.source(),
        };
    }
    None
}

/// What is wrong with the issuer's certificate, if that is what went wrong.
pub(super) fn certificate_flaw(error: &rustls::Error) -> Option<CertificateFlaw> {
    let rustls::Error::InvalidCertificate(flaw) = error else {
        return None;
    };
    Some(match flaw {
        // The last two: a trusted authority has the right name and another key.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            CertificateFlaw::Authority
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateFlaw::Name
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateFlaw::Time,
        _ => CertificateFlaw::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tls_error_is_found_however_deep_it_is() {
        let expired = || rustls::Error::InvalidCertificate(CertificateError::Expired);
        let nested = io::Error::other(io::Error::other(expired()));
        assert_eq!(cause(&nested), Some(&expired()));
        assert_eq!(cause(&io::Error::other("another")), None);
        assert_eq!(cause(&io::Error::from(io::ErrorKind::TimedOut)), None);
    }

    #[test]
    fn flaws_of_a_certificate_are_told_apart() {
        for (error, flaw) in [
            (CertificateError::UnknownIssuer, CertificateFlaw::Authority),
            (CertificateError::NotValidForName, CertificateFlaw::Name),
            (CertificateError::Expired, CertificateFlaw::Time),
            (CertificateError::NotValidYet, CertificateFlaw::Time),
            (CertificateError::Revoked, CertificateFlaw::Other),
        ] {
            let error = rustls::Error::InvalidCertificate(error);
            assert_eq!(certificate_flaw(&error), Some(flaw));
        }
        assert_eq!(certificate_flaw(&rustls::Error::DecryptError), None);
    }
}
