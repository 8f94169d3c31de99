//! `rolesanywhere read-certificate-data`: what a certificate says of itself, for scripts.

use std::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use rolesanywhere_core::{
    Certificate, CertificateChain, Error, ErrorKind, IdentityFiles, KeyAlgorithm, Result,
};

use crate::{
    arguments::ReadCertificateData, console::Console, environment::Environment, go_name::go_name,
    identity_files::InputFile, password::Passwords, selector::Selector,
};

/// Prints one JSON object about the end entity's certificate, without a newline; with a selector, as
/// text, each certificate of the file that it selects.
///
/// # Errors
/// The file's and the selector's, and when the certificate's key is of a kind that the service does not
/// take.
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
        return Err(crate::arguments::no_store());
    };
    let file = InputFile::read(path, "--certificate")?;
    let passwords = Passwords::new(&options.password);
    let chain = passwords.open(path, environment, console, |password| {
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
        None => json(chain.end_entity()),
    });
    let text = text.map_err(|error| error.context(format_args!("`{}`", path.display())))?;
    super::print(text.as_bytes())
}

fn json(certificate: &Certificate) -> Result<String> {
    let (key_type, algorithms) = match certificate.public_key()?.algorithm() {
        KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521 => {
            ("EC", vec!["ECSHA256", "ECSHA384", "ECSHA512"])
        }
        KeyAlgorithm::MlDsa44 => ("ML-DSA-44", vec!["ML-DSA-44"]),
        KeyAlgorithm::MlDsa65 => ("ML-DSA-65", vec!["ML-DSA-65"]),
        KeyAlgorithm::MlDsa87 => ("ML-DSA-87", vec!["ML-DSA-87"]),
        KeyAlgorithm::Rsa { .. } => ("RSA", vec!["RSASHA256", "RSASHA384", "RSASHA512"]),
        other => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the kind of key `{other}` has no name here yet: update this program"),
            ));
        }
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

/// The certificates of the file that are selected, as the reference helper lists those of a store.
fn matching(chain: &CertificateChain, selector: &Selector) -> String {
    let all = std::iter::once(chain.end_entity());
    let all = all.chain(chain.intermediates()).chain(chain.unrelated());
    let selected: Vec<_> = all
        .filter(|certificate| selector.matches(certificate))
        .collect();
    if selected.is_empty() {
        return "No matching identities\n".to_owned();
    }
    let mut text = String::from("Matching identities\n");
    for (position, certificate) in selected.into_iter().enumerate() {
        let serial = certificate.serial_hex().to_ascii_uppercase();
        let serial = serial.trim_start_matches('0');
        // Writing into a string does not fail.
        let _ = write!(
            text,
            "{}) Hex Fingerprint: {}\nSubject: {}\nIssuer: {}\nSerial Number: {}\n\n",
            position + 1,
            sha1_hex(certificate.as_der()),
            go_name(certificate.subject()),
            go_name(certificate.issuer()),
            if serial.is_empty() { "0" } else { serial },
        );
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
