// Compiled on Apple platforms only; not run by the tests of this repository, which run on Linux. Elsewhere
// swift-crypto has the same types: see Adapters/SwiftCrypto.
#if canImport(CryptoKit)
    import CryptoKit
    import Foundation

    /// Signs with a key of CryptoKit, one of the Secure Enclave included.
    public struct CryptoKitSigner: Signer, @unchecked Sendable { // the keys are immutable
        private let closure: (SHA256Digest) throws -> Data

        /// - Parameter key: The private key that belongs to the certificate.
        public init(_ key: P256.Signing.PrivateKey) {
            closure = { try key.signature(for: $0).derRepresentation }
        }

        /// - Parameter key: The private key that belongs to the certificate.
        public init(_ key: P384.Signing.PrivateKey) {
            closure = { try key.signature(for: $0).derRepresentation }
        }

        /// - Parameter key: The private key that belongs to the certificate.
        public init(_ key: P521.Signing.PrivateKey) {
            closure = { try key.signature(for: $0).derRepresentation }
        }

        /// - Parameter key: The private key that belongs to the certificate.
        public init(_ key: SecureEnclave.P256.Signing.PrivateKey) {
            closure = { try key.signature(for: $0).derRepresentation }
        }

        public func sign(_ message: Data, with algorithm: SigningAlgorithm) async throws -> Signature {
            // The digest is given, since for a message P-384 would take SHA-384.
            .ecdsaDER(try closure(SHA256.hash(data: message)))
        }
    }
#endif
