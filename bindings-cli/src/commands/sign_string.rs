//! `rolesanywhere sign-string`: signs a fixed text, to try a key out.

use ring::digest::{self, SHA256};
use rolesanywhere_core::{PublicKey, Result, SigningAlgorithm};

use crate::{
    arguments::{SignString, SignatureFormat},
    console::Console,
    environment::Environment,
    identity::{self, Identity, Whereabouts},
    keys::Access,
    password::Passwords,
};

/// What `aws_signing_helper` signs, before what tells the key.
const TEXT: &[u8] = b"AWS Roles Anywhere Credential Helper Signing Test";

/// Prints the signature, without a newline.
///
/// # Errors
/// The files' and the key's.
pub(crate) fn run(
    options: &SignString,
    environment: &Environment<'_>,
    console: &Console,
) -> Result<()> {
    console.set_verbose(options.output.verbose);
    let passwords = Passwords::new(&options.password);
    let access = Access::new(&options.key, &passwords, environment, console);
    let key = match (
        options.certificate.as_deref(),
        options.private_key.as_deref(),
    ) {
        (None, Some(path)) => identity::private_key(path, &access)?,
        (certificate, private_key) => {
            let whereabouts = Whereabouts {
                certificate,
                private_key,
                intermediates: None,
                store: &options.store,
            };
            Identity::open(whereabouts, &access)?.key
        }
    };
    let message = message(key.public_key());
    let signature = key.sign_under(options.digest.into(), &message)?;
    match options.format {
        SignatureFormat::Json => super::print(format!("\"{}\"", signature.to_hex()).as_bytes()),
        SignatureFormat::Text => super::print(signature.to_hex().as_bytes()),
        SignatureFormat::Bin => super::print(signature.as_bytes()),
    }
}

/// The fixed text, the number of its edition, and a digest of the public key where Go's standard library
/// knows the kind of key: for ML-DSA the reference helper adds none.
fn message(public_key: &PublicKey) -> Vec<u8> {
    let mut message = TEXT.to_vec();
    message.push(b'1');
    if matches!(
        public_key.algorithm().signing_algorithm(),
        SigningAlgorithm::MlDsa
    ) {
        return message;
    }
    let mut context = digest::Context::new(&SHA256);
    context.update(b"IAM RA");
    context.update(public_key.as_bytes());
    message.extend_from_slice(context.finish().as_ref());
    message
}
