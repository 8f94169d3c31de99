//! Identifiers: UUIDs and unique ids that follow from names, and random ones.

use ring::digest::{SHA256, digest};

use crate::random::{Random, RandomFailed};

/// A UUID that follows from `parts`, the same on every start: the first 16 bytes of a SHA-256 over
/// the parts, each followed by a zero byte, marked as version 8 (RFC 9562, 5.8: vendor-specific).
pub(crate) fn derived_uuid(parts: &[&[u8]]) -> String {
    uuid(leading_bytes(&hash(parts)), 8)
}

/// The UUID of a subject: it follows from its trust anchor's ARN and its name (DER).
pub(crate) fn subject_id(trust_anchor_arn: &str, subject: &[u8]) -> String {
    derived_uuid(&[b"subject", trust_anchor_arn.as_bytes(), subject])
}

/// A random UUID, version 4.
pub(crate) fn random_uuid(random: &dyn Random) -> Result<String, RandomFailed> {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes)?;
    Ok(uuid(bytes, 4))
}

/// `prefix` and `length` characters of base32 that follow from `parts`: the unique id of a role
/// (`AROA…`), the same on every start.
pub(crate) fn derived_unique_id(prefix: &str, length: usize, parts: &[&[u8]]) -> String {
    unique_id(prefix, length, &hash(parts))
}

/// `prefix` and 16 random characters of base32: an access key id (`ASIA…`).
pub(crate) fn random_access_key_id(
    prefix: &str,
    random: &dyn Random,
) -> Result<String, RandomFailed> {
    let mut bytes = [0u8; 16];
    random.fill(&mut bytes)?;
    Ok(unique_id(prefix, 16, &bytes))
}

fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut message = Vec::new();
    for part in parts {
        message.extend_from_slice(part);
        message.push(0);
    }
    digest(&SHA256, &message).as_ref().to_vec()
}

fn leading_bytes(hash: &[u8]) -> [u8; 16] {
    let mut bytes = [0u8; 16];
    for (to, from) in bytes.iter_mut().zip(hash) {
        *to = *from;
    }
    bytes
}

fn uuid(bytes: [u8; 16], version: u8) -> String {
    let mut value = u128::from_be_bytes(bytes);
    // RFC 9562, section 4: the version in bits 48 to 51, the variant `10` in bits 64 and 65.
    value = (value & !(0xf << 76)) | (u128::from(version) << 76);
    value = (value & !(0b11 << 62)) | (0b10 << 62);
    let hex = format!("{value:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}

fn unique_id(prefix: &str, length: usize, bytes: &[u8]) -> String {
    const BASE32: [u8; 32] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let characters = bytes
        .iter()
        .take(length)
        .filter_map(|byte| BASE32.get(usize::from(byte % 32)))
        .map(|character| char::from(*character));
    prefix.chars().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn derived_uuids_are_stable_and_marked_as_version_8() {
        // printf 'a\0b\0' | sha256sum begins with the bytes that stand here.
        let uuid = derived_uuid(&[b"a", b"b"]);
        assert_eq!(uuid, "8fb20ef6-3ced-8145-bc2e-983ffe597d1d");
        assert_ne!(uuid, derived_uuid(&[b"ab", b""]));
    }

    #[test]
    fn random_identifiers_have_their_form() {
        let random = SystemRandom::new();
        let uuid = random_uuid(&random).unwrap();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]));
        assert_ne!(uuid, random_uuid(&random).unwrap());
        let id = random_access_key_id("ASIA", &random).unwrap();
        assert_eq!(id.len(), 20);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b))
        );
    }
}
