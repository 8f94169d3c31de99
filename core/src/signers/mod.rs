//! What signs with a local key, and what checks signatures: one module per library.
//!
//! | key | [`rustcrypto`] | [`ring`] | [`aws_lc`] |
//! |---|---|---|---|
//! | RSA-2048 to RSA-4096 | `rsa` | ring | aws-lc |
//! | RSA to 8,192 bits | `rsa` | `rsa` | aws-lc |
//! | EC P-256 | `p256` | ring | aws-lc |
//! | EC P-384 | `p384` | `p384` | aws-lc |
//! | EC P-521 | `p521` | `p521` | aws-lc |
//! | ML-DSA | `ml-dsa` | `ml-dsa` | aws-lc |
//!
//! [`rustcrypto`] runs anywhere and asks for no entropy. [`ring`] is cheapest in a process that signs
//! once. [`aws_lc`] is fastest in one that lives on. All sign the same keys; a key that the native
//! library refuses for a rule of its own (ring wants an exponent of at least 65,537, say) is signed
//! by RustCrypto. Each module is behind the feature of its name and only adds types.
//!
//! Verifiers stand beside the signers, since a host checks with the library that it already has.

#[cfg(feature = "aws-lc")]
pub mod aws_lc;
#[cfg(feature = "ring")]
pub mod ring;
#[cfg(feature = "rustcrypto")]
pub mod rustcrypto;

#[cfg(feature = "rustcrypto")]
mod outcome {
    use crate::{Error, ErrorKind, KeyAlgorithm, PublicKey, Result, Signature};

    /// The refusal of a key by the library that should sign with it.
    pub(super) fn unusable(algorithm: KeyAlgorithm) -> Error {
        Error::written(
            ErrorKind::InvalidKey,
            format_args!(
                "the numbers of the {algorithm} private key contradict one another: the file is \
                 damaged or its writer is at fault, export the key again"
            ),
        )
    }

    /// What a signer says when its library fails on a key that it had taken.
    pub(super) fn failed(algorithm: KeyAlgorithm) -> Error {
        Error::written(
            ErrorKind::SigningFailed,
            format_args!(
                "the signing library failed on the {algorithm} private key: the key is damaged, or \
                 the system gave no random numbers"
            ),
        )
    }

    /// Refuses a signature of another algorithm than the key's.
    pub(super) fn check_algorithm(key: &PublicKey, signature: &Signature) -> Result<()> {
        let expected = key.algorithm().signing_algorithm();
        if signature.algorithm() == expected {
            return Ok(());
        }
        Err(Error::written(
            ErrorKind::KeyMismatch,
            format_args!(
                "the signature is {} and the public key is {}, which signs {expected}: pass the \
                 pair that belongs together",
                signature.algorithm(),
                key.algorithm()
            ),
        ))
    }

    /// The refusal of a signature.
    pub(super) fn mismatch(key: &PublicKey) -> Error {
        Error::written(
            ErrorKind::KeyMismatch,
            format_args!(
                "the signature is not valid under the {} public key: sign the message as it is with \
                 the certificate's private key",
                key.algorithm()
            ),
        )
    }
}
