//! What a container may ask for.

/// The longest PKCS#12 file that is read, in bytes: 1 MiB, as for PEM. A Java key store with all
/// the public CAs has about 200 KiB.
pub const MAX_PKCS12_LENGTH: usize = 1 << 20;

/// The most iterations of key derivation that one file may ask for, all its parts together: ten
/// million, which RFC 8018 (4.2) calls appropriate for especially critical keys. They take
/// seconds natively, ten times as long in wasm. A 128-byte block of scrypt's work counts as one iteration.
pub const MAX_KDF_ITERATIONS: u64 = 10_000_000;

/// The most memory that scrypt may ask for, in bytes: 256 MiB. OpenSSL's own keys take 16 MiB, the
/// strongest of OWASP's recommendations 128 MiB.
pub const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
