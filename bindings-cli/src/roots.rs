//! The certification authorities that a server's certificate may come from.
//!
//! A system bundle holds some 150 roots in 200 kB of PEM, and a handshake needs one of them.
//! Decoding them all costs more than the rest of the handshake's start (1.5 ms of 2.5), so the
//! bundle is searched in its base64 form for the issuers that the server's chain names, and only
//! what is found is decoded: 0.2 ms. When that does not verify, all roots are decoded and asked:
//! the search can only save time, never change the verdict.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64ct::{Base64, Encoding as _};
use memchr::memmem;
use rolesanywhere_core::{
    Error, ErrorKind, Result,
    source::{self, Part},
};
use rustls::{RootCertStore, pki_types::CertificateDer};

use crate::{environment::Environment, files};

/// The largest bundle that is read. The system's have about 200 kB; organisations add a few.
const MAX_BUNDLE_LENGTH: u64 = 16 * 1024 * 1024;

/// The most files that are read of a directory of roots; Debian's holds some 300, links included.
const MAX_DIRECTORY_FILES: usize = 4096;

/// Where the systems keep their bundle, in the order in which Go's standard library looks.
const BUNDLES: [&str; 8] = [
    "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Gentoo, NixOS
    "/etc/pki/tls/certs/ca-bundle.crt",   // Fedora, Amazon Linux
    "/etc/ssl/ca-bundle.pem",             // openSUSE
    "/etc/pki/tls/cacert.pem",            // OpenELEC
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // RHEL
    "/etc/ssl/cert.pem",                  // Alpine, macOS, OpenBSD
    "/usr/local/etc/ssl/cert.pem",        // FreeBSD
    "/usr/local/share/certs/ca-root-nss.crt", // older FreeBSD
];

/// The roots to verify a server against.
#[derive(Debug)]
pub(crate) struct Roots {
    pem: Vec<u8>,
    directories: Vec<PathBuf>,
    origin: String,
}

impl Roots {
    /// Finds the roots: `ca_bundle` (the option) replaces the system's, else `AWS_CA_BUNDLE` does; else
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name them; else the system's bundle; else Mozilla's, compiled in.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] when a file that the user named cannot be read or holds no
    /// certificate: it is never replaced by others.
    pub(crate) fn load(ca_bundle: Option<&Path>, environment: &Environment<'_>) -> Result<Self> {
        let option = ca_bundle.map(|path| ("--ca-bundle", path.to_owned()));
        let named = option.or_else(|| {
            let (name, value) = environment.first(&["AWS_CA_BUNDLE", "SSL_CERT_FILE"])?;
            Some((name, PathBuf::from(value)))
        });
        let directories = match named {
            Some(("SSL_CERT_FILE", _)) | None => directories(environment),
            Some(_) => Vec::new(),
        };
        if let Some((name, path)) = named {
            let value = path.to_string_lossy();
            let refuse = |why: &str, found: bool| {
                // Content that was put where its path belongs is not repeated: it may be a key.
                let message = match source::shown(&value, Part::Certificate, found) {
                    Some(shown) => format!("{name} names {shown}, which {why}: correct {name}"),
                    None => format!(
                        "{name} names no file; the value is not repeated, since it may be a secret: write the path \
                         of a PEM file"
                    ),
                };
                Error::new(ErrorKind::InvalidInput, message)
            };
            let pem = read(&path).map_err(|why| refuse(&why, path.exists()))?;
            if blocks(&pem).next().is_none() {
                return Err(refuse("holds no PEM certificate", true));
            }
            let origin = format!("`{value}` ({name})");
            return Ok(Self {
                pem,
                directories,
                origin,
            });
        }
        if !directories.is_empty() {
            return Ok(Self {
                pem: Vec::new(),
                directories,
                origin: "the directories of SSL_CERT_DIR".to_owned(),
            });
        }
        Ok(Self::system(&BUNDLES))
    }

    fn system(bundles: &[&str]) -> Self {
        for path in bundles {
            match read(Path::new(path)) {
                Ok(pem) if blocks(&pem).next().is_some() => {
                    return Self {
                        pem,
                        directories: Vec::new(),
                        origin: format!("`{path}`"),
                    };
                }
                _ => {}
            }
        }
        Self {
            pem: Vec::new(),
            directories: Vec::new(),
            origin: "the roots compiled in, since this system has no bundle".to_owned(),
        }
    }

    /// Where they come from, for messages.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The roots whose encoding holds one of the names (`issuers`, DER). No root of the bundle that
    /// could have signed under such a name is missing; others may be among them.
    pub(crate) fn naming(&self, issuers: &[Vec<u8>]) -> RootCertStore {
        let patterns: Vec<String> = issuers.iter().flat_map(|name| base64_forms(name)).collect();
        let finders: Vec<_> = patterns.iter().map(memmem::Finder::new).collect();
        let mut store = RootCertStore::empty();
        let mut text = Vec::with_capacity(4096);
        for block in blocks(&self.pem) {
            join_lines(block, &mut text);
            if finders.iter().any(|finder| finder.find(&text).is_some()) {
                add(&mut store, &text);
            }
        }
        store
    }

    /// Every root.
    pub(crate) fn all(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        if self.pem.is_empty() && self.directories.is_empty() {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            return store;
        }
        let mut text = Vec::new();
        let mut add_all = |pem: &[u8]| {
            for block in blocks(pem) {
                join_lines(block, &mut text);
                text.retain(|byte| !byte.is_ascii_whitespace());
                add(&mut store, &text);
            }
        };
        add_all(&self.pem);
        for directory in &self.directories {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            for entry in entries.take(MAX_DIRECTORY_FILES) {
                // What is unreadable or no certificate is skipped, as OpenSSL does; a pipe is not waited for.
                let path = entry.path();
                if !files::is_read_once(&path)
                    && let Ok(pem) = read(&path)
                {
                    add_all(&pem);
                }
            }
        }
        store
    }
}

fn directories(environment: &Environment<'_>) -> Vec<PathBuf> {
    let value = environment.value("SSL_CERT_DIR").unwrap_or_default();
    value
        .split(':')
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect()
}

/// Reads a file of bounded size; the error completes a sentence that begins with `which`.
fn read(path: &Path) -> std::result::Result<Vec<u8>, String> {
    let content = files::read(path, MAX_BUNDLE_LENGTH);
    let mut content = content.map_err(|error| format!("cannot be read ({error})"))?;
    let bytes = std::mem::take(&mut *content.bytes);
    if bytes.len() as u64 > MAX_BUNDLE_LENGTH {
        return Err(format!("is larger than {MAX_BUNDLE_LENGTH} bytes"));
    }
    Ok(bytes)
}

/// What stands between `BEGIN CERTIFICATE` and `END CERTIFICATE`, lines and all.
fn blocks(pem: &[u8]) -> impl Iterator<Item = &[u8]> {
    let begin = memmem::Finder::new("-----BEGIN CERTIFICATE-----");
    let end = memmem::Finder::new("-----END CERTIFICATE-----");
    let mut rest = pem;
    std::iter::from_fn(move || {
        let body = rest.get(begin.find(rest)? + begin.needle().len()..)?;
        let length = end.find(body)?;
        rest = body.get(length + end.needle().len()..)?;
        body.get(..length)
    })
}

/// The base64 of a block on one line. `memchr`, because this runs over the whole bundle.
fn join_lines(block: &[u8], text: &mut Vec<u8>) {
    text.clear();
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', block).chain([block.len()]) {
        let line = block.get(start..end).unwrap_or_default();
        text.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        start = end + 1;
    }
}

fn add(store: &mut RootCertStore, base64: &[u8]) {
    let der = std::str::from_utf8(base64)
        .ok()
        .and_then(|text| Base64::decode_vec(text).ok());
    if let Some(der) = der {
        // A root that cannot be parsed can verify nothing; the others still can.
        let _ = store.add(CertificateDer::from(der));
    }
}

/// The three texts one of which stands in the base64 of any bytes that hold `bytes`: base64 writes
/// three bytes as four characters, so what it makes of them depends on where they begin. The
/// characters at the edges, which depend on the neighbours too, are left out.
fn base64_forms(bytes: &[u8]) -> [String; 3] {
    [0, 1, 2].map(|skipped| {
        let tail = bytes.get(skipped..).unwrap_or_default();
        let whole = tail.get(..tail.len() / 3 * 3).unwrap_or_default();
        Base64::encode_string(whole)
    })
}

#[cfg(test)]
mod tests;
