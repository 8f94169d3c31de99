//! Keys that this module reads, for WebCrypto or to sign with itself: the full build only. What is
//! encrypted or wrapped is opened by the module `containers` first.

use alloc::{string::String, vec::Vec};

use js_sys::Uint8Array;
use rolesanywhere_core::{
    self as core_, IdentityFiles, Signer as _,
    identity_files::{self, Purpose},
    signers::rustcrypto::RustCryptoSigner,
};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::{
    error::Result,
    types::{CertificateChain, Signature, UnsignedRequest},
};

/// Whether a file must be opened by the module `containers` before this module reads it, for its
/// certificates alone or with its key.
#[wasm_bindgen(js_name = isContainer)]
pub fn is_container(file: Vec<u8>, wants_key: bool) -> bool {
    let purpose = if wants_key {
        Purpose::Identity
    } else {
        Purpose::Certificates
    };
    identity_files::is_container(&Zeroizing::new(file), purpose)
}

/// A private key and the chain of the certificate that belongs to it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LocalIdentity {
    key: core_::PrivateKey,
    chain: core_::CertificateChain,
}

#[wasm_bindgen]
impl LocalIdentity {
    /// Reads an identity's files: PEM and DER, and what the module `containers` has made of others.
    pub fn read(
        certificate: Vec<u8>,
        private_key: Option<Vec<u8>>,
        intermediates: Option<Vec<u8>>,
    ) -> Result<LocalIdentity> {
        let certificate = Zeroizing::new(certificate);
        let private_key = private_key.map(Zeroizing::new);
        let files = IdentityFiles {
            certificate: &certificate,
            private_key: private_key.as_ref().map(|bytes| bytes.as_slice()),
            intermediates: intermediates.as_deref(),
            password: None,
        };
        let (key, chain) = files.read()?;
        Ok(Self { key, chain })
    }

    /// The kind of key: `RSA-2048`, `EC P-256`, …
    #[wasm_bindgen(getter, js_name = keyAlgorithm)]
    pub fn key_algorithm(&self) -> String {
        alloc::format!("{}", self.key.algorithm())
    }

    /// The certificate and its intermediates.
    #[wasm_bindgen(getter)]
    pub fn chain(&self) -> CertificateChain {
        CertificateChain(self.chain.clone())
    }

    /// The key as PKCS#8, for `crypto.subtle.importKey` and nothing else; the caller wipes it. Nothing
    /// when the key has no form that WebCrypto reads (ML-DSA without its seed).
    #[wasm_bindgen(js_name = toPkcs8)]
    pub fn to_pkcs8(&self) -> Option<Uint8Array> {
        let der = self.key.to_pkcs8_der()?;
        Some(Uint8Array::from(der.as_slice()))
    }

    /// What signs with the key in pure Rust.
    pub fn signer(&self) -> Result<LocalSigner> {
        Ok(LocalSigner(RustCryptoSigner::new(&self.key)?))
    }
}

/// Signs in pure Rust.
#[wasm_bindgen]
#[derive(Debug)]
pub struct LocalSigner(RustCryptoSigner);

#[wasm_bindgen]
impl LocalSigner {
    /// The signature of the request.
    pub fn sign(&self, request: &UnsignedRequest) -> Result<Signature> {
        let message = request.0.string_to_sign().as_bytes();
        Ok(Signature(self.0.sign(message)?))
    }
}
