//! What is said of things that are passed as a private key and are none, the same in PEM and DER.

pub(super) const CERTIFICATE: &str = "this is a certificate, a request for one or a CRL, not a \
     private key: pass the private key that belongs to the certificate";

pub(super) const DSA: &str = "the key is DSA, which IAM Roles Anywhere does not take: have the \
     certificate issued for a key of RSA (2,048 to 8,192 bits), EC (P-256, P-384 or P-521) or \
     ML-DSA";

pub(super) const ENCRYPTED: &str =
    "the private key is encrypted (PKCS#8) and no password was given: give one";

pub(super) const OPENSSH: &str = "this is a private key in OpenSSH's own form: convert it with \
     `ssh-keygen -p -m PKCS8 -f KEY`, which rewrites the file";

pub(super) const PKCS12: &str =
    "this is PKCS#12 (.p12, .pfx), not a bare private key: read it as PKCS#12";

pub(super) const PUBLIC_KEY: &str =
    "this is a public key: pass the private key that belongs to the certificate";

pub(super) const TSS2: &str = "this is a TPM 2.0 key (TSS2), which only its TPM can use: pass a \
     signer that reaches the TPM";
