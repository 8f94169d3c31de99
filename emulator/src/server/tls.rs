//! The server's side of TLS: rustls with ring.

use std::{path::Path, sync::Arc};

use rolesanywhere_core::{
    Error, ErrorKind, Result, UnixTime,
    source::{self, Part},
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use zeroize::Zeroizing;

use super::Tls;
use crate::fixtures::CertificateAuthority;

/// TLS made ready; without `config`, plain HTTP.
pub(super) struct Prepared {
    pub(super) config: Option<Arc<ServerConfig>>,
    pub(super) ca_pem: Option<String>,
}

pub(super) fn prepare(tls: &Tls, now: UnixTime) -> Result<Prepared> {
    match tls {
        Tls::Files { certificate, key } => {
            let chain = read(certificate, "--tls-cert", Part::Certificate)?;
            let chain = pem_certificates(&chain, &shown(certificate))?;
            // The reader's own error holds the line that it is about.
            let key = PrivateKeyDer::from_pem_slice(&read(key, "--tls-key", Part::PrivateKey)?)
                .map_err(|_| unusable_key(&shown(key), &"it holds no private key in PEM"))?;
            Ok(Prepared {
                config: Some(server_config(chain, key)?),
                ca_pem: None,
            })
        }
        Tls::PlainHttp => Ok(Prepared {
            config: None,
            ca_pem: None,
        }),
        Tls::SelfMade => {
            let ca = CertificateAuthority::new("rolesanywhere emulator", now)?;
            let server = ca.loopback_server(now)?;
            let chain = pem_certificates(server.certificate_pem.as_bytes(), "self-made")?;
            let key = PrivateKeyDer::from_pem_slice(server.private_key_pem.as_bytes())
                .map_err(|error| unusable_key("self-made", &error))?;
            Ok(Prepared {
                config: Some(server_config(chain, key)?),
                ca_pem: Some(ca.certificate_pem().to_owned()),
            })
        }
    }
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable_key("TLS", &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| unusable_key("TLS certificate and key", &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn pem_certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| {
            Error::new(
                ErrorKind::InvalidInput,
                format!("`{name}` holds no certificates in PEM: {error}"),
            )
        })?;
    if chain.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidInput,
            format!("`{name}` holds no certificate: give a PEM file with `BEGIN CERTIFICATE`"),
        ));
    }
    Ok(chain)
}

/// Reads a file; `option` is what names it. A key in the place of its path is not repeated.
fn read(path: &Path, option: &str, part: Part) -> Result<Zeroizing<Vec<u8>>> {
    std::fs::read(path).map(Zeroizing::new).map_err(|error| {
        let found = std::fs::symlink_metadata(path).is_ok();
        let message = match source::shown(&path.to_string_lossy(), part, found) {
            Some(path) => format!("{path} cannot be read ({error}): check {option}"),
            None => format!(
                "the file of {option} cannot be read ({error}): the value is no path of a file, and is not repeated, \
                 since it may be a secret: write a path"
            ),
        };
        Error::new(ErrorKind::InvalidInput, message)
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn unusable_key(name: &str, error: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InvalidKey,
        format!("`{name}` cannot be used for TLS: {error}"),
    )
}
