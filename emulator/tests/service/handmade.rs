//! Certificates written byte by byte: what OpenSSL 3.0 cannot make (ML-DSA) and what no tool should.

use std::{path::Path, sync::Arc};

use data_encoding::BASE64;
use ml_dsa::{EncodedVerifyingKey, Keypair, MlDsaParams, Signer, SigningKey};
use rolesanywhere_core::UnixTime;

use crate::pki::{Identity, Issued, decimal, public_key, sign_with};

type SignFn = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// A key pair: its `SubjectPublicKeyInfo`, the `AlgorithmIdentifier` of its signatures, and a signer.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) spki: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    sign: Arc<SignFn>,
}

impl Key {
    /// An EC key in a file, signing with SHA-256.
    pub(crate) fn ec(file: &Path) -> Self {
        let path = file.to_owned();
        Self {
            spki: public_key(file),
            // ecdsa-with-SHA256
            algorithm: tlv(
                0x30,
                &oid(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]),
            ),
            sign: Arc::new(move |message| sign_with(&["-sha256"], &path, message)),
        }
    }

    /// An ML-DSA key that follows from `seed`.
    pub(crate) fn ml_dsa<P: MlDsaParams>(seed: u8) -> Self
    where
        SigningKey<P>: Send + Sync + 'static,
    {
        let key = SigningKey::<P>::from_seed(&[seed; 32].into());
        let public: EncodedVerifyingKey<P> = key.verifying_key().encode();
        // id-ml-dsa-44, -65 and -87 (RFC 9881); the length of the key tells which.
        let last = match public.len() {
            1_312 => 17,
            1_952 => 18,
            2_592 => 19,
            other => panic!("{other} bytes are no ML-DSA key"),
        };
        let algorithm = tlv(
            0x30,
            &oid(&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, last]),
        );
        let bits = tlv(0x03, &[&[0], public.as_slice()].concat());
        Self {
            spki: tlv(0x30, &[algorithm.clone(), bits].concat()),
            algorithm,
            sign: Arc::new(move |message| key.sign(message).encode().to_vec()),
        }
    }
}

/// A certificate before it is signed.
#[derive(Clone)]
pub(crate) struct Handmade {
    pub(crate) version: Option<u8>,
    /// The content of the INTEGER.
    pub(crate) serial: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    /// Each an `Extension`.
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) not_before: UnixTime,
    pub(crate) not_after: UnixTime,
    /// The two times in DER, in place of those above.
    pub(crate) times: Option<Vec<u8>>,
}

impl Handmade {
    pub(crate) fn leaf(common_name: &str, now: UnixTime) -> Self {
        Self {
            version: Some(2),
            serial: vec![0x1f, 0x2e, 0x3d],
            subject: name(&[common_name]),
            extensions: vec![key_usage(0x80, 7), basic_constraints(false)],
            not_before: now.plus_seconds(-3_600),
            not_after: now.plus_seconds(3_600),
            times: None,
        }
    }

    pub(crate) fn ca(common_name: &str, now: UnixTime) -> Self {
        Self {
            // keyCertSign, cRLSign
            extensions: vec![key_usage(0x06, 1), basic_constraints(true)],
            ..Self::leaf(common_name, now)
        }
    }

    pub(crate) fn self_signed(&self, key: &Key) -> Signed {
        self.signed_by(&self.subject, key, key)
    }

    /// Signed by the issuer of the given name and key, for `key`.
    pub(crate) fn signed_by(&self, issuer: &[u8], issuer_key: &Key, key: &Key) -> Signed {
        let time = |time: UnixTime| {
            // GeneralizedTime, whatever the year: nobody here minds.
            let text = time.to_sigv4().replace('T', "");
            tlv(0x18, text.as_bytes())
        };
        let times = || [time(self.not_before), time(self.not_after)].concat();
        let validity = tlv(0x30, &self.times.clone().unwrap_or_else(times));
        let version = self
            .version
            .map(|version| tlv(0xa0, &tlv(0x02, &[version])))
            .unwrap_or_default();
        let extensions = if self.extensions.is_empty() {
            Vec::new()
        } else {
            tlv(0xa3, &tlv(0x30, &self.extensions.concat()))
        };
        let tbs = tlv(
            0x30,
            &[
                version,
                tlv(0x02, &self.serial),
                issuer_key.algorithm.clone(),
                issuer.to_vec(),
                validity,
                self.subject.clone(),
                key.spki.clone(),
                extensions,
            ]
            .concat(),
        );
        let signature = (issuer_key.sign)(&tbs);
        let bits = tlv(0x03, &[&[0], signature.as_slice()].concat());
        Signed {
            der: tlv(0x30, &[tbs, issuer_key.algorithm.clone(), bits].concat()),
            serial: decimal(&data_encoding::HEXLOWER.encode(&self.serial)),
            key: key.clone(),
        }
    }
}

/// A certificate that was written here.
pub(crate) struct Signed {
    der: Vec<u8>,
    serial: String,
    key: Key,
}

impl Signed {
    pub(crate) fn pem(&self) -> String {
        let text = BASE64.encode(&self.der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    }
}

impl Identity for Signed {
    fn der(&self) -> Vec<u8> {
        self.der.clone()
    }

    fn serial(&self) -> String {
        self.serial.clone()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        (self.key.sign)(message)
    }
}

/// A leaf for `key`, signed by a CA of OpenSSL's whose subject is one common name.
pub(crate) fn signed_by_openssl(
    certificate: &Handmade,
    key: &Key,
    ca: &Issued,
    ca_common_name: &str,
) -> Signed {
    certificate.signed_by(&name(&[ca_common_name]), &Key::ec(&ca.key), key)
}

/// A name of one RDN per common name, as UTF8String, which is what OpenSSL writes.
pub(crate) fn name(common_names: &[&str]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = common_names
        .iter()
        .map(|text| {
            let value = tlv(0x0c, text.as_bytes());
            tlv(
                0x31,
                &tlv(0x30, &[oid(&[0x55, 0x04, 0x03]), value].concat()),
            )
        })
        .collect();
    tlv(0x30, &rdns.concat())
}

/// `keyUsage`, critical: the bits of its first byte and how many at the end are unused.
pub(crate) fn key_usage(bits: u8, unused: u8) -> Vec<u8> {
    extension(&[0x55, 0x1d, 0x0f], true, &tlv(0x03, &[unused, bits]))
}

/// `basicConstraints`, critical.
pub(crate) fn basic_constraints(ca: bool) -> Vec<u8> {
    let content = if ca { tlv(0x01, &[0xff]) } else { Vec::new() };
    extension(&[0x55, 0x1d, 0x13], true, &tlv(0x30, &content))
}

/// An extension of the given OID (its content) and value.
pub(crate) fn extension(id: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical {
        tlv(0x01, &[0xff])
    } else {
        Vec::new()
    };
    tlv(0x30, &[oid(id), critical, tlv(0x04, value)].concat())
}

pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    tlv(0x06, content)
}

/// Tag, length, value in DER.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    match length {
        0..=0x7f => der.push(u8::try_from(length).unwrap()),
        0x80..=0xff => der.extend([0x81, u8::try_from(length).unwrap()]),
        _ => {
            der.push(0x82);
            der.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    der.extend_from_slice(content);
    der
}
