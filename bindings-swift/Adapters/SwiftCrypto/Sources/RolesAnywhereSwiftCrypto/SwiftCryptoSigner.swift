import Crypto
import Foundation
import RolesAnywhere

/// Signs with a key of swift-crypto.
public struct SwiftCryptoSigner: Signer {
    private let closure: @Sendable (SHA256Digest) throws -> Data

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

    public func sign(_ message: Data, with algorithm: SigningAlgorithm) async throws -> Signature {
        // The digest is given, since for a message P-384 would take SHA-384.
        .ecdsaDER(try closure(SHA256.hash(data: message)))
    }
}
