import COpenSSL
import Foundation

public struct SHA256Digest: Sendable {
    let bytes: [UInt8]
}

public enum SHA256 {
    public static func hash(data: some DataProtocol) -> SHA256Digest {
        let data = [UInt8](data)
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(data, data.count, &digest, nil, EVP_sha256(), nil)
        return SHA256Digest(bytes: digest)
    }
}

public struct CryptoError: Error {}

/// The signing that the curves share. A digest is signed as it is, whatever the curve, as swift-crypto does.
final class ECKey: @unchecked Sendable { // never changed
    private let key: OpaquePointer

    init(pemRepresentation: String) throws {
        let pem = [UInt8](pemRepresentation.utf8)
        let bio = BIO_new_mem_buf(pem, Int32(pem.count))
        defer { BIO_free(bio) }
        guard let key = PEM_read_bio_PrivateKey(bio, nil, nil, nil) else { throw CryptoError() }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    func der(_ digest: SHA256Digest) throws -> Data {
        let context = EVP_PKEY_CTX_new(key, nil)
        defer { EVP_PKEY_CTX_free(context) }
        var length = 0
        guard EVP_PKEY_sign_init(context) == 1,
            EVP_PKEY_sign(context, nil, &length, digest.bytes, digest.bytes.count) == 1
        else { throw CryptoError() }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_PKEY_sign(context, &signature, &length, digest.bytes, digest.bytes.count) == 1 else { throw CryptoError() }
        return Data(signature[..<length])
    }
}

public struct ECDSASignature: Sendable {
    public let derRepresentation: Data
}

public enum P256 {
    public enum Signing {
        public struct PrivateKey: Sendable {
            private let key: ECKey

            public init(pemRepresentation: String) throws { key = try ECKey(pemRepresentation: pemRepresentation) }

            public func signature(for digest: SHA256Digest) throws -> ECDSASignature {
                ECDSASignature(derRepresentation: try key.der(digest))
            }
        }
    }
}

public enum P384 {
    public enum Signing {
        public struct PrivateKey: Sendable {
            private let key: ECKey

            public init(pemRepresentation: String) throws { key = try ECKey(pemRepresentation: pemRepresentation) }

            public func signature(for digest: SHA256Digest) throws -> ECDSASignature {
                ECDSASignature(derRepresentation: try key.der(digest))
            }
        }
    }
}

public enum P521 {
    public enum Signing {
        public struct PrivateKey: Sendable {
            private let key: ECKey

            public init(pemRepresentation: String) throws { key = try ECKey(pemRepresentation: pemRepresentation) }

            public func signature(for digest: SHA256Digest) throws -> ECDSASignature {
                ECDSASignature(derRepresentation: try key.der(digest))
            }
        }
    }
}
