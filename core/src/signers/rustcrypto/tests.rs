use alloc::{format, string::String, vec::Vec};

use der::Encode;
use sec1::{EcParameters, EcPrivateKey};

use super::*;
use crate::{SignatureVerifier, key::PublicKey};

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const P521: &str = "1.3.132.0.35";

fn ec_key(curve: &str, scalar: &str) -> PrivateKey {
    let der = EcPrivateKey {
        private_key: &bytes(scalar),
        parameters: Some(EcParameters::NamedCurve(curve.parse().unwrap())),
        public_key: None,
    }
    .to_der()
    .unwrap();
    PrivateKey::from_der(&der).unwrap()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.chars().filter(|digit| !digit.is_whitespace()).collect();
    let padded = if digits.len().is_multiple_of(2) {
        digits
    } else {
        format!("0{digits}")
    };
    base16ct::mixed::decode_vec(padded).unwrap()
}

/// RFC 6979, appendix A.2.5 to A.2.7: curve, private key, message, r, s, all under SHA-256.
const RFC_6979: [(&str, &str, &str, &str, &str); 6] = [
    (
        P256,
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "sample",
        "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
        "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    ),
    (
        P256,
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "test",
        "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
        "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
    ),
    (
        P384,
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8
         96D5724E4C70A825F872C9EA60D2EDF5",
        "sample",
        "21B13D1E013C7FA1392D03C5F99AF8B30C570C6F98D4EA8E354B63A21D3DAA33
         BDE1E888E63355D92FA2B3C36D8FB2CD",
        "F3AA443FB107745BF4BD77CB3891674632068A10CA67E3D45DB2266FA7D1FEEB
         EFDC63ECCD1AC42EC0CB8668A4FA0AB0",
    ),
    (
        P384,
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8
         96D5724E4C70A825F872C9EA60D2EDF5",
        "test",
        "6D6DEFAC9AB64DABAFE36C6BF510352A4CC27001263638E5B16D9BB51D451559
         F918EEDAF2293BE5B475CC8F0188636B",
        "2D46F3BECBCC523D5F1A1256BF0C9B024D879BA9E838144C8BA6BAEB4B53B47D
         51AB373F9845C0514EEFB14024787265",
    ),
    (
        P521,
        "0FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75C
         AA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83
         538",
        "sample",
        "1511BB4D675114FE266FC4372B87682BAECC01D3CC62CF2303C92B3526012659
         D16876E25C7C1E57648F23B73564D67F61C6F14D527D54972810421E7D87589E
         1A7",
        "04A171143A83163D6DF460AAF61522695F207A58B95C0644D87E52AA1A347916
         E4F7A72930B1BC06DBE22CE3F58264AFD23704CBB63B29B931F7DE6C9D949A7E
         CFC",
    ),
    (
        P521,
        "0FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75C
         AA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83
         538",
        "test",
        "00E871C4A14F993C6C7369501900C4BC1E9C7B0B4BA44E04868B30B41D807104
         2EB28C4C250411D0CE08CD197E4188EA4876F279F90B3D8D74A3C76E6F1E4656
         AA8",
        "0CD52DBAA33B063C3A6CD8058A1FB0A46A4754B034FCC644766CA14DA8CA5CA9
         FDE00E88C1AD60CCBA759025299079D7A427EC3CC5B619BFBC828E7769BCD694
         E86",
    ),
];

#[test]
fn ecdsa_signs_as_rfc_6979_shows() {
    for (curve, scalar, message, r, s) in RFC_6979 {
        let key = ec_key(curve, scalar);
        let signature = RustCryptoSigner::new(&key)
            .unwrap()
            .sign(message.as_bytes())
            .unwrap();
        let expected = Signature::ecdsa_p1363(&[bytes(r), bytes(s)].concat()).unwrap();
        assert_eq!(signature, expected, "{curve} {message}");
        RustCryptoVerifier
            .verify(key.public_key(), message.as_bytes(), &signature)
            .unwrap();
    }
}

#[test]
fn every_library_accepts_the_signatures_of_rfc_6979() {
    for (curve, scalar, message, r, s) in RFC_6979 {
        let key = ec_key(curve, scalar);
        let signature = Signature::ecdsa_p1363(&[bytes(r), bytes(s)].concat()).unwrap();
        for verifier in verifiers() {
            let verify = |key: &PublicKey, message: &str, signature: &Signature| {
                verifier.verify(key, message.as_bytes(), signature)
            };
            verify(key.public_key(), message, &signature).unwrap();
            let error = verify(key.public_key(), "another", &signature).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::KeyMismatch, "{verifier:?}");
            let rsa = Signature::rsa_pkcs1(&[0; 256]).unwrap();
            let error = verify(key.public_key(), message, &rsa).unwrap_err();
            assert!(error.message().contains("AWS4-X509-RSA-SHA256"), "{error}");
        }
    }
}

fn verifiers() -> Vec<Box<dyn SignatureVerifier>> {
    alloc::vec![
        Box::new(RustCryptoVerifier),
        #[cfg(feature = "ring")]
        Box::new(crate::signers::ring::RingVerifier),
        #[cfg(feature = "aws-lc")]
        Box::new(crate::signers::aws_lc::AwsLcVerifier),
    ]
}

#[test]
fn blinding_depends_on_the_key_and_on_the_message() {
    let draw = |key: &[u8], digest: u8| {
        let mut number = [0; 100];
        use ::rsa::rand_core::RngCore;
        Blinding::new(&BlindingKey::new(key), &[digest; 32]).fill_bytes(&mut number);
        number
    };
    let first = draw(b"key", 1);
    assert_eq!(first, draw(b"key", 1), "the same again");
    assert_ne!(first, draw(b"key", 2), "another message");
    assert_ne!(first, draw(b"yek", 1), "another key");
    assert_ne!(first[..32], first[32..64], "blocks go on");
}
