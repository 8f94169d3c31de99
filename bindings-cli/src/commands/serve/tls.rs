//! HTTPS, with the certificate and the key of files that may be replaced while the server runs.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use rolesanywhere_core::{Error, ErrorKind, Result, source::Part};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use crate::{arguments::Serve, console::Console, identity_files::InputFile, inputs::parameter};

/// How often the files are looked at, at most, when somebody connects.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The server's side of TLS.
pub(super) struct Tls {
    files: Files,
    console: &'static Console,
    current: Mutex<Current>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

struct Current {
    acceptor: TlsAcceptor,
    /// When the files were changed that the acceptor was made of.
    changed: Changed,
    /// When the files were changed that could not be used, and of which a warning told.
    refused: Option<Changed>,
    looked: Instant,
}

/// When the certificate and the key were changed, as far as the system tells.
type Changed = [Option<SystemTime>; 2];

impl Tls {
    /// As the options say: `None` where they name no certificate.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] and [`ErrorKind::InvalidKey`] naming the file that cannot be used.
    pub(super) fn of(options: &Serve, console: &'static Console) -> Result<Option<Self>> {
        let (Some(certificate), Some(key)) = (&options.tls_cert, &options.tls_key) else {
            return Ok(None); // Each wants the other.
        };
        let files = Files {
            certificate: certificate.clone(),
            key: key.clone(),
        };
        let changed = files.changed();
        Ok(Some(Self {
            current: Mutex::new(Current {
                acceptor: files.acceptor(console)?,
                changed,
                refused: None,
                looked: Instant::now(),
            }),
            files,
            console,
        }))
    }

    /// What accepts connections, by the files as they are now. Where they cannot be used, by those
    /// that were, with a warning.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        // Whoever panicked while holding it can have left only whole values behind.
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK_INTERVAL {
            current.looked = Instant::now();
            let changed = self.files.changed();
            if changed != current.changed {
                match self.files.acceptor(self.console) {
                    Ok(acceptor) => {
                        current.acceptor = acceptor;
                        current.changed = changed;
                        self.console
                            .detail(format_args!("the TLS certificate was replaced"));
                    }
                    // Perhaps only one of the two has been replaced yet.
                    Err(error) => {
                        if current.refused.replace(changed) != Some(changed) {
                            self.console.warn(format!(
                                "{error}: the TLS certificate in use stays, trying again"
                            ));
                        }
                    }
                }
            }
        }
        current.acceptor.clone()
    }
}

impl Files {
    fn changed(&self) -> Changed {
        [&self.certificate, &self.key].map(|path| std::fs::metadata(path).ok()?.modified().ok())
    }

    fn acceptor(&self, console: &Console) -> Result<TlsAcceptor> {
        let certificate = InputFile::read(
            &self.certificate,
            parameter("--tls-cert", Part::Certificate),
        )?;
        let chain: std::result::Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(&certificate.bytes).collect();
        let chain = chain.map_err(|error| {
            unusable(
                &self.certificate,
                &format!("holds no certificates in PEM ({error}): check --tls-cert"),
            )
        })?;
        if chain.is_empty() {
            let why =
                "holds no certificate: name a PEM file with `BEGIN CERTIFICATE` by --tls-cert";
            return Err(unusable(&self.certificate, why));
        }
        let key_file = InputFile::read(&self.key, parameter("--tls-key", Part::PrivateKey))?;
        key_file.warn_if_open(console);
        // What the parser says about a key may quote it, so it is not repeated.
        let key = PrivateKeyDer::from_pem_slice(&key_file.bytes).map_err(|_| {
            let why = "holds no private key that is PEM and not encrypted: check --tls-key";
            unusable(&self.key, why)
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions() // TLS 1.2 and 1.3
            .map_err(|error| unusable(&self.certificate, &error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| {
                let why = format!(
                    "and `{}` are no TLS certificate and key ({error}): check --tls-cert and --tls-key",
                    self.certificate.display()
                );
                unusable(&self.key, &why)
            })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config).into())
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidInput,
        format!("`{}` {why}", path.display()),
    )
}
