//! Certificates and keys. They are read and used on libuv's threads: a key under scrypt takes long to
//! open, an RSA key of 8192 bits long to sign.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use napi::{
    Env, Task,
    bindgen_prelude::{AsyncTask, Uint8Array},
};
use napi_derive::napi;
use rolesanywhere_core::{
    self as core, Error, ErrorKind, IdentityFiles, Signer as _, signers::aws_lc::AwsLcSigner,
};
use zeroize::Zeroizing;

use super::{UnsignedRequest, session::Signature};
use crate::{convert::secret, error::OrThrow};

/// The end entity's certificate with its intermediates.
#[napi]
pub struct CertificateChain {
    pub(super) chain: core::CertificateChain,
}

#[napi]
impl CertificateChain {
    /// Reads the certificates of a file, for a key that is elsewhere: PEM, DER, PKCS#7 or PKCS#12, which
    /// may want the password. A promise.
    #[napi]
    pub fn read(
        certificate: Uint8Array,
        intermediates: Option<Uint8Array>,
        password: Option<Uint8Array>,
    ) -> AsyncTask<ReadChain> {
        AsyncTask::new(ReadChain(Files::new(
            certificate,
            None,
            intermediates,
            password,
        )))
    }

    /// The kind of the end entity's key: `RSA-2048`, `EC P-256`, `ML-DSA-65`, …
    #[napi(getter, catch_unwind)]
    pub fn key_algorithm(&self, env: Env) -> napi::Result<String> {
        let key = self.chain.end_entity().public_key().or_throw(env)?;
        Ok(key.algorithm().to_string())
    }

    /// The content of the end entity's `subjectPublicKey`: PKCS#1 for RSA, `04‖X‖Y` for EC, raw for
    /// ML-DSA.
    #[napi(getter, catch_unwind)]
    pub fn public_key(&self, env: Env) -> napi::Result<Uint8Array> {
        let key = self.chain.end_entity().public_key().or_throw(env)?;
        Ok(Uint8Array::from(key.as_bytes()))
    }

    /// The end entity's serial number in decimal.
    #[napi(getter)]
    pub fn serial_decimal(&self) -> &str {
        self.chain.end_entity().serial_decimal()
    }
}

/// A private key, in AWS-LC's memory, and the chain of the certificate that belongs to it.
#[napi]
pub struct LocalIdentity {
    algorithm: core::KeyAlgorithm,
    chain: core::CertificateChain,
    signer: Arc<AwsLcSigner>,
}

#[napi]
impl LocalIdentity {
    /// Reads an identity's files: PEM, DER, PKCS#12, PKCS#7, any form in any place. A promise.
    #[napi]
    pub fn read(
        certificate: Uint8Array,
        private_key: Option<Uint8Array>,
        intermediates: Option<Uint8Array>,
        password: Option<Uint8Array>,
    ) -> AsyncTask<ReadIdentity> {
        let files = Files::new(certificate, private_key, intermediates, password);
        AsyncTask::new(ReadIdentity(files))
    }

    /// The kind of key: `RSA-2048`, `EC P-256`, …
    #[napi(getter)]
    pub fn key_algorithm(&self) -> String {
        self.algorithm.to_string()
    }

    /// The certificate and its intermediates.
    #[napi(getter)]
    pub fn chain(&self) -> CertificateChain {
        CertificateChain {
            chain: self.chain.clone(),
        }
    }

    /// What signs with the key.
    #[napi]
    pub fn signer(&self) -> LocalSigner {
        LocalSigner {
            signer: Arc::clone(&self.signer),
        }
    }
}

/// Signs by AWS-LC.
#[napi]
pub struct LocalSigner {
    signer: Arc<AwsLcSigner>,
}

#[napi]
impl LocalSigner {
    /// The signature of the request. A promise.
    #[napi]
    pub fn sign(&self, request: &UnsignedRequest) -> AsyncTask<Sign> {
        AsyncTask::new(Sign {
            signer: Arc::clone(&self.signer),
            request: Arc::clone(&request.request),
        })
    }
}

/// The contents of an identity's files; wiped when they have been read.
struct Files {
    certificate: Zeroizing<Vec<u8>>,
    private_key: Option<Zeroizing<Vec<u8>>>,
    intermediates: Option<Zeroizing<Vec<u8>>>,
    password: Option<Zeroizing<Vec<u8>>>,
}

impl Files {
    fn new(
        certificate: Uint8Array,
        private_key: Option<Uint8Array>,
        intermediates: Option<Uint8Array>,
        password: Option<Uint8Array>,
    ) -> Self {
        Self {
            certificate: secret(certificate),
            private_key: private_key.map(secret),
            intermediates: intermediates.map(secret),
            password: password.map(secret),
        }
    }

    fn borrowed(&self) -> IdentityFiles<'_> {
        IdentityFiles {
            certificate: &self.certificate,
            private_key: self.private_key.as_ref().map(|bytes| bytes.as_slice()),
            intermediates: self.intermediates.as_ref().map(|bytes| bytes.as_slice()),
            password: self.password.as_ref().map(|bytes| bytes.as_slice()),
        }
    }
}

/// The task of [`CertificateChain::read`].
pub struct ReadChain(Files);

impl Task for ReadChain {
    type Output = core::Result<core::CertificateChain>;
    type JsValue = CertificateChain;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guarded(|| self.0.borrowed().read_chain()))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<CertificateChain> {
        let chain = output.or_reject(env)?;
        Ok(CertificateChain { chain })
    }
}

/// The task of [`LocalIdentity::read`].
pub struct ReadIdentity(Files);

impl Task for ReadIdentity {
    type Output = core::Result<LocalIdentity>;
    type JsValue = LocalIdentity;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guarded(|| {
            let (key, chain) = self.0.borrowed().read()?;
            Ok(LocalIdentity {
                algorithm: key.algorithm(),
                chain,
                signer: Arc::new(AwsLcSigner::new(&key)?),
            })
        }))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<LocalIdentity> {
        output.or_reject(env)
    }
}

/// The task of [`LocalSigner::sign`].
pub struct Sign {
    signer: Arc<AwsLcSigner>,
    request: Arc<core::UnsignedRequest>,
}

impl Task for Sign {
    type Output = core::Result<core::Signature>;
    type JsValue = Signature;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(guarded(|| {
            self.signer.sign(self.request.string_to_sign().as_bytes())
        }))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Signature> {
        let signature = output.or_reject(env)?;
        Ok(Signature { signature })
    }
}

/// On a thread of libuv's a panic, which is a bug of ours, would end the process.
fn guarded<T>(act: impl FnOnce() -> core::Result<T>) -> core::Result<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        Err(Error::new(
            ErrorKind::SigningFailed,
            "the addon failed: report this with the kind of key and file",
        ))
    })
}
