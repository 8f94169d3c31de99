//! `rolesanywhere read-certificate-data`: what a certificate says of itself, for scripts.

use std::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use der::{
    Decode as _, Tag, Tagged as _,
    asn1::{Any, BitString, ObjectIdentifier},
};
use rolesanywhere_core::{
    Certificate, CertificateChain, Error, ErrorKind, IdentityFiles, KeyAlgorithm, PublicKey,
    Result, text::printable,
};
use spki::SubjectPublicKeyInfo;

use crate::{
    arguments::{KeyOptions, ReadCertificateData},
    console::Console,
    environment::Environment,
    go_name::go_name,
    identity_files::InputFile,
    inputs::CERTIFICATE,
    keys::{self, Access, pkcs11, place::Place, uri::Uri},
    password::Passwords,
    selector::Selector,
};

/// Prints one JSON object about the end entity's certificate, without a newline; with a selector, as
/// text, each certificate of the file that it selects.
///
/// # Errors
/// The file's and the selector's.
pub(crate) fn run(
    options: &ReadCertificateData,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    let selector = options
        .cert_selector
        .as_deref()
        .map(Selector::read)
        .transpose()?;
    let Some(path) = &options.certificate else {
        let store = options.system_store_name.as_deref();
        let all = keys::store::certificates(store)?.into_iter();
        let wanted = selector.unwrap_or_default();
        let fitting = all.filter(|certificate| wanted.matches(certificate));
        return super::print(list(fitting.map(|certificate| (certificate, None))).as_bytes());
    };
    let passwords = Passwords::new(&options.password);
    let no_key = KeyOptions {
        pkcs11_lib: options.pkcs11_lib.clone(),
        ..KeyOptions::default()
    };
    let access = Access::new(&no_key, &passwords, environment, console);
    let input = match Place::read(path, CERTIFICATE)? {
        Place::Pkcs11(uri) => return in_token(&uri, selector, &access),
        Place::Content(input) => input,
        Place::SshAgent(_) | Place::TpmHandle(_) => {
            return Err(Error::new(
                ErrorKind::InvalidInput,
                "--certificate names a key, not a certificate: pass it to --private-key, and the certificate's file to \
                     --certificate",
            ));
        }
    };
    let file = InputFile::of(input, CERTIFICATE, &access)?;
    let what = format!("Password of {}", file.shown);
    let chain = passwords.open_file(&what, environment, console, |password| {
        let files = IdentityFiles {
            certificate: &file.bytes,
            private_key: None,
            intermediates: None,
            password,
        };
        files.read_chain()
    });
    let text = chain.and_then(|chain| match selector {
        Some(selector) => Ok(matching(&chain, &selector)),
        None => json(chain.end_entity(), console),
    });
    let text = text.map_err(|error| error.context(&file.shown))?;
    super::print(text.as_bytes())
}

/// Lists what a token holds and the selector selects.
fn in_token(uri: &Uri, selector: Option<Selector>, access: &Access<'_>) -> Result<()> {
    let wanted = selector.unwrap_or_default();
    let all = pkcs11::certificates(uri, access)?.into_iter();
    let fitting = all.filter(|(certificate, _)| wanted.matches(certificate));
    let text = list(fitting.map(|(certificate, uri)| (certificate, Some(uri))));
    super::print(text.as_bytes())
}

/// The JSON. A key that the service does not take is told as far as the reference tells it, with a warning:
/// whoever reads a certificate wants to know what is in it.
fn json(certificate: &Certificate, console: &Console) -> Result<String> {
    const EC: (&str, &[&str]) = ("EC", &["ECSHA256", "ECSHA384", "ECSHA512"]);
    const RSA: (&str, &[&str]) = ("RSA", &["RSASHA256", "RSASHA384", "RSASHA512"]);
    let (key_type, algorithms) = match certificate.public_key().map(PublicKey::algorithm) {
        Ok(KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521) => EC,
        Ok(KeyAlgorithm::MlDsa44) => ("ML-DSA-44", &["ML-DSA-44"][..]),
        Ok(KeyAlgorithm::MlDsa65) => ("ML-DSA-65", &["ML-DSA-65"][..]),
        Ok(KeyAlgorithm::MlDsa87) => ("ML-DSA-87", &["ML-DSA-87"][..]),
        Ok(KeyAlgorithm::Rsa { .. }) => RSA,
        Ok(other) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the kind of key `{other}` has no name here yet: update this program"),
            ));
        }
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            console.warn(error.message());
            match key_oid(certificate.as_der()) {
                Some(RSA_ENCRYPTION) => RSA,
                Some(EC_PUBLIC_KEY) => EC,
                // The reference gives these no name either, but algorithms by which they cannot sign.
                _ => ("", &[][..]),
            }
        }
        Err(error) => return Err(error),
    };
    let algorithms: Vec<String> = algorithms
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    // In the order of the reference helper; no value holds a character that JSON escapes.
    Ok(format!(
        r#"{{"keyType":"{key_type}","certificateData":"{}","serialNumber":"{}","supportedAlgorithms":[{}]}}"#,
        Base64::encode_string(certificate.as_der()),
        certificate.serial_decimal(),
        algorithms.join(","),
    ))
}

/// RFC 8017, A.1 and RFC 5480, 2.1.1.
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The algorithm of the key in a certificate that the core has read.
fn key_oid(certificate: &[u8]) -> Option<ObjectIdentifier> {
    let parts = Vec::<Any>::from_der(certificate).ok()?;
    let fields = parts.first()?.decode_as::<Vec<Any>>().ok()?;
    // RFC 5280, 4.1: a version, which version 1 leaves out, and five others stand before it.
    let version = matches!(fields.first()?.tag(), Tag::ContextSpecific { .. });
    let key = fields.get(5 + usize::from(version))?;
    let key = key
        .decode_as::<SubjectPublicKeyInfo<Any, BitString>>()
        .ok()?;
    Some(key.algorithm.oid)
}

/// The certificates of the file that are selected, as the reference helper lists those of a store.
fn matching(chain: &CertificateChain, selector: &Selector) -> String {
    let all = std::iter::once(chain.end_entity());
    let all = all.chain(chain.intermediates()).chain(chain.unrelated());
    let selected = all.filter(|certificate| selector.matches(certificate));
    list(selected.map(|certificate| (certificate.clone(), None)))
}

/// Certificates, each with its URI if it has one, as the reference helper lists them.
fn list(certificates: impl Iterator<Item = (Certificate, Option<String>)>) -> String {
    let mut text = String::new();
    for (position, (certificate, uri)) in certificates.enumerate() {
        if position == 0 {
            text.push_str("Matching identities\n");
        }
        let serial = certificate.serial_hex().to_ascii_uppercase();
        let serial = serial.trim_start_matches('0');
        let uri = uri.map_or_else(String::new, |uri| format!("URI: {uri}\n"));
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "{}) Hex Fingerprint: {}\nSubject: {}\nIssuer: {}\nSerial Number: {}\n{uri}\n",
            position + 1,
            sha1_hex(certificate.as_der()),
            printable(&go_name(certificate.subject())),
            printable(&go_name(certificate.issuer())),
            if serial.is_empty() { "0" } else { serial },
        );
    }
    if text.is_empty() {
        text.push_str("No matching identities\n");
    }
    text
}

/// The fingerprint by which the stores know certificates. It names, and proves nothing.
fn sha1_hex(der: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    digest
        .as_ref()
        .iter()
        .fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
