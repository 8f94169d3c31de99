//! Java's key stores that are not PKCS#12, by their beginning: what they are, and the command that makes
//! PKCS#12 of each.

use crate::elements::{Elements, OCTET_STRING, SEQUENCE};

/// What to say of a key store of Java's; `None` when the file is another.
pub(crate) fn key_store(file: &[u8]) -> Option<&'static str> {
    match file {
        [0xfe, 0xed, 0xfe, 0xed, ..] => Some(JKS),
        [0xce, 0xce, 0xce, 0xce, ..] => Some(JCEKS),
        // The version, then the length of the salt, which BouncyCastle makes 20 bytes.
        [0, 0, 0, 1 | 2, 0, 0, 0, 20, rest @ ..] => Some(match rest.get(24) {
            // The iterations follow, and the kind of the first entry, or the end.
            Some(0..=4) => BKS,
            _ => UBER,
        }),
        _ => is_bcfks(file).then_some(BCFKS),
    }
}

const JKS: &str = "this is a Java key store (JKS): convert it with `keytool -importkeystore \
                   -srckeystore FILE -destkeystore NEW.p12 -deststoretype PKCS12`";

const JCEKS: &str = "this is a Java key store (JCEKS): convert it with `keytool -importkeystore \
                     -srckeystore FILE -srcstoretype JCEKS -destkeystore NEW.p12 -deststoretype PKCS12`";

/// BouncyCastle's stores need its provider.
macro_rules! bouncy_castle {
    ($kind:literal) => {
        concat!(
            "this is a key store of BouncyCastle's (",
            $kind,
            "): convert it with `keytool -importkeystore -srckeystore FILE -srcstoretype ",
            $kind,
            " -destkeystore NEW.p12 -deststoretype PKCS12 -provider \
             org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath BCPROV.jar`"
        )
    };
}

const BKS: &str = bouncy_castle!("BKS");
const UBER: &str = bouncy_castle!("UBER");
const BCFKS: &str = bouncy_castle!("BCFKS");

/// `ObjectStore` of BouncyCastle's `org.bouncycastle.asn1.bc`: the encrypted data (an algorithm and an
/// OCTET STRING), then the check of its integrity (an algorithm, its derivation and an OCTET STRING).
fn is_bcfks(file: &[u8]) -> bool {
    let read = || {
        let mut store = Elements::of(Elements::of(file).expect(SEQUENCE)?);
        let mut data = Elements::of(store.expect(SEQUENCE)?);
        data.algorithm()?;
        data.only(OCTET_STRING)?;
        let mut integrity = Elements::of(store.only(SEQUENCE)?);
        integrity.algorithm()?;
        integrity.algorithm()?;
        integrity.only(OCTET_STRING)
    };
    read().is_some()
}
