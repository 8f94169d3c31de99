//! `rolesanywhere sign-string`: signs a fixed text, to try a key out.

use ring::digest::{self, SHA256};
use rolesanywhere_core::{
    PublicKey, Result, SigningAlgorithm, signers::rustcrypto::RustCryptoSigner,
};

use crate::{
    arguments::{SignString, SignatureFormat},
    console::Console,
    environment::Environment,
    identity_files::{self, Identity, Places},
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
    let private_key = options.private_key.as_deref();
    let key = match (options.certificate.as_deref(), private_key) {
        (Some(certificate), private_key) => {
            let places = Places {
                certificate,
                private_key,
                intermediates: None,
            };
            Identity::load(places, &passwords, environment, console)?.key
        }
        (None, Some(path)) => identity_files::private_key(path, &passwords, environment, console)?,
        (None, None) => return Err(options.store.refuse()),
    };
    let message = message(key.public_key());
    let signer = RustCryptoSigner::new(&key)?;
    let signature = signer.sign_under(options.digest.into(), &message)?;
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
