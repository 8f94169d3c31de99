//! Certificates and signed requests, all made before anything is measured.

use std::{
    fs,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use data_encoding::{BASE64, HEXLOWER};
use rcgen::{CertificateParams, DnType, Issuer, KeyPair, KeyUsagePurpose, SerialNumber};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm},
};

use crate::server::{self, Server};

/// The kind of every key of a scenario.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    P256,
    Rsa2048,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::Rsa2048 => "RSA-2048",
        }
    }

    /// What the files of `run` begin with.
    pub fn file(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::Rsa2048 => "rsa",
        }
    }
}

/// The certificates of a scenario's subjects. All have one key: making ten thousand would tell
/// nothing of the emulator.
pub struct Identities {
    kind: Kind,
    leafs: Vec<Vec<u8>>,
    chain: Option<Vec<u8>>,
    key: SigningKey,
}

enum SigningKey {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl Identities {
    pub fn new(kind: Kind, count: usize, has_intermediate: bool) -> Self {
        let read = |who: &str| fs::read_to_string(format!("{}-{who}", kind.file())).unwrap();
        let ca = if has_intermediate { "issuing" } else { "root" };
        let ca_key = KeyPair::from_pem(&read(&format!("{ca}-key.pem"))).unwrap();
        let issuer = Issuer::from_ca_cert_pem(&read(&format!("{ca}.pem")), ca_key).unwrap();
        let leaf_key = KeyPair::from_pem(&read("leaf-key.pem")).unwrap();
        let leafs = (0..count).map(|number| {
            let mut params = CertificateParams::default();
            params.distinguished_name = rcgen::DistinguishedName::new();
            params
                .distinguished_name
                .push(DnType::OrganizationName, "Example");
            params
                .distinguished_name
                .push(DnType::CommonName, format!("host-{number:05}.example"));
            params.serial_number = Some(SerialNumber::from_slice(&serial(number).to_be_bytes()));
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            let now = SystemTime::now();
            params.not_before = (now - Duration::from_secs(300)).into();
            params.not_after = (now + Duration::from_secs(86_400)).into();
            params.signed_by(&leaf_key, &issuer).unwrap().der().to_vec()
        });
        let pkcs8 = leaf_key.serialize_der();
        let random = SystemRandom::new();
        Self {
            kind,
            leafs: leafs.collect(),
            chain: has_intermediate.then(|| der(&read("issuing.pem"))),
            key: match kind {
                Kind::P256 => SigningKey::Ecdsa(
                    EcdsaKeyPair::from_pkcs8(
                        &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
                        &pkcs8,
                        &random,
                    )
                    .unwrap(),
                ),
                Kind::Rsa2048 => SigningKey::Rsa(RsaKeyPair::from_pkcs8(&pkcs8).unwrap()),
            },
        }
    }

    /// One signed CreateSession of each subject, as bytes on the wire.
    pub fn requests(&self, server: &Server) -> Vec<Vec<u8>> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let date = sigv4_date(seconds);
        let leafs = self.leafs.iter().enumerate();
        leafs
            .map(|(number, leaf)| self.request(server, &date, number, leaf))
            .collect()
    }

    fn request(&self, server: &Server, date: &str, number: usize, leaf: &[u8]) -> Vec<u8> {
        const BODY: &str = r#"{"durationSeconds":3600}"#;
        let encoded = |arn: &str| arn.replace(':', "%3A").replace('/', "%2F");
        let query = format!(
            "profileArn={}&roleArn={}&trustAnchorArn={}",
            encoded(&server.profile),
            encoded(&server.role),
            encoded(&server.trust_anchor)
        );
        let mut headers = format!(
            "content-type:application/json\nhost:{}\nx-amz-date:{date}\nx-amz-x509:{}\n",
            server.host(),
            BASE64.encode(leaf)
        );
        let mut signed = "content-type;host;x-amz-date;x-amz-x509".to_owned();
        if let Some(chain) = &self.chain {
            headers.push_str(&format!("x-amz-x509-chain:{}\n", BASE64.encode(chain)));
            signed.push_str(";x-amz-x509-chain");
        }
        let canonical = format!(
            "POST\n/sessions\n{query}\n{headers}\n{signed}\n{}",
            sha256(BODY)
        );
        let algorithm = match self.kind {
            Kind::P256 => "AWS4-X509-ECDSA-SHA256",
            Kind::Rsa2048 => "AWS4-X509-RSA-SHA256",
        };
        let scope = format!("{}/us-east-1/rolesanywhere/aws4_request", &date[..8]);
        let to_sign = format!("{algorithm}\n{date}\n{scope}\n{}", sha256(&canonical));
        let signature = HEXLOWER.encode(&self.sign(to_sign.as_bytes()));
        let authorization = format!(
            "{algorithm} Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            serial(number)
        );
        let headers = headers
            .replace(':', ": ")
            .replace("127.0.0.1: ", "127.0.0.1:")
            .replace('\n', "\r\n");
        format!(
            "POST /sessions?{query} HTTP/1.1\r\n{headers}authorization: {authorization}\r\n\
             user-agent: load\r\ncontent-length: {}\r\n\r\n{BODY}",
            BODY.len()
        )
        .into_bytes()
    }

    /// The processor time of one verification with ring, in this process.
    pub fn verifying(&self) -> Duration {
        let algorithm: &dyn VerificationAlgorithm = match self.kind {
            Kind::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            Kind::Rsa2048 => &signature::RSA_PKCS1_2048_8192_SHA256,
        };
        let public = match &self.key {
            SigningKey::Ecdsa(key) => signature::KeyPair::public_key(key).as_ref().to_vec(),
            SigningKey::Rsa(key) => signature::KeyPair::public_key(key).as_ref().to_vec(),
        };
        let message = [7; 600];
        let signed = self.sign(&message);
        let (before, mut count) = (server::processor_time("self"), 0);
        loop {
            for _ in 0..100 {
                UnparsedPublicKey::new(algorithm, &public)
                    .verify(&message, &signed)
                    .unwrap();
            }
            count += 100;
            let taken = server::processor_time("self") - before;
            if taken > Duration::from_secs(1) {
                return taken / count;
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            SigningKey::Ecdsa(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            SigningKey::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(
                    &signature::RSA_PKCS1_SHA256,
                    &random,
                    message,
                    &mut signature,
                )
                .unwrap();
                signature
            }
        }
    }
}

/// Sixteen octets, as many CAs have it.
fn serial(number: usize) -> u128 {
    0x1234_5678_9abc_def0_1234_5678_0000_0000 + number as u128
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}

fn der(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(base64.as_bytes()).unwrap()
}

/// `YYYYMMDD'T'HHMMSS'Z'`, by Hinnant's `civil_from_days`.
fn sigv4_date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let era_day = days % 146_097;
    let year_of_era = (era_day - era_day / 1_460 + era_day / 36_524 - era_day / 146_096) / 365;
    let day_of_year = era_day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + days / 146_097 * 400 + u64::from(month <= 2);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}
