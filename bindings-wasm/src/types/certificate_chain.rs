//! Certificates, for keys that are elsewhere.

use alloc::{string::String, vec::Vec};

use rolesanywhere_core::{self as core_};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use crate::error::Result;

/// The end entity's certificate with its intermediates.
#[wasm_bindgen]
#[derive(Debug)]
pub struct CertificateChain(pub(crate) core_::CertificateChain);

#[wasm_bindgen]
impl CertificateChain {
    /// Reads the certificates of a file, for a key that is elsewhere: PEM or DER, and in the full
    /// build what the module `containers` has made of others.
    pub fn read(certificate: Vec<u8>, intermediates: Option<Vec<u8>>) -> Result<CertificateChain> {
        let certificate = Zeroizing::new(certificate);
        Ok(Self(read_chain(&certificate, intermediates.as_deref())?))
    }

    /// The kind of the end entity's key: `RSA-2048`, `EC P-256`, `ML-DSA-65`, …
    #[wasm_bindgen(getter, js_name = keyAlgorithm)]
    pub fn key_algorithm(&self) -> Result<String> {
        let key = self.0.end_entity().public_key()?;
        Ok(alloc::format!("{}", key.algorithm()))
    }

    /// The content of the end entity's `subjectPublicKey`: PKCS#1 for RSA, `04‖X‖Y` for EC, raw for
    /// ML-DSA.
    #[wasm_bindgen(getter, js_name = publicKey)]
    pub fn public_key(&self) -> Result<Vec<u8>> {
        Ok(self.0.end_entity().public_key()?.as_bytes().to_vec())
    }
}

/// For tests.
#[cfg(feature = "full")]
#[wasm_bindgen]
impl CertificateChain {
    /// The end entity's serial number in decimal.
    #[wasm_bindgen(getter, js_name = serialDecimal)]
    pub fn serial_decimal(&self) -> String {
        self.0.end_entity().serial_decimal().into()
    }
}

#[cfg(feature = "full")]
fn read_chain(
    certificate: &[u8],
    intermediates: Option<&[u8]>,
) -> core_::Result<core_::CertificateChain> {
    let files = core_::IdentityFiles {
        certificate,
        private_key: None,
        intermediates,
        password: None,
    };
    files.read_chain()
}

#[cfg(not(feature = "full"))]
fn read_chain(
    certificate: &[u8],
    intermediates: Option<&[u8]>,
) -> core_::Result<core_::CertificateChain> {
    const SEQUENCE: u8 = 0x30;
    let chain = if certificate.first() == Some(&SEQUENCE) {
        core_::CertificateChain::new(core_::Certificate::from_der(certificate)?, Vec::new())?
    } else {
        core_::CertificateChain::from_pem(certificate)?
    };
    match intermediates {
        Some(pem) => chain.with_intermediates_pem(pem),
        None => Ok(chain),
    }
}
