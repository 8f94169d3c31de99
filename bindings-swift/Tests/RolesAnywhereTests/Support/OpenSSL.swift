import COpenSSL
import Foundation

@testable import RolesAnywhere

/// OpenSSL's libcrypto: another's hand, to sign and to check.
enum OpenSSL {
    /// A private key, as a user's key store has it.
    final class Key: @unchecked Sendable { // never changed, and signing takes a context of its own
        private let key: OpaquePointer

        init(pem: Data) throws {
            let key = withBIO(pem) { PEM_read_bio_PrivateKey($0, nil, nil, nil) }
            guard let key else { throw Failed("OpenSSL does not read the key") }
            self.key = key
        }

        deinit { EVP_PKEY_free(key) }

        /// SHA-256 with RSASSA-PKCS1-v1_5, or with ECDSA in DER.
        func sign(_ message: Data) throws -> Data {
            let context = EVP_MD_CTX_new()
            defer { EVP_MD_CTX_free(context) }
            guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { throw Failed("no signing") }
            let message = [UInt8](message)
            var length = 0
            guard EVP_DigestSign(context, nil, &length, message, message.count) == 1 else { throw Failed("no length") }
            var signature = [UInt8](repeating: 0, count: length)
            guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
                throw Failed("no signature")
            }
            return Data(signature[..<length])
        }

        /// ECDSA in DER over a digest that is given.
        func sign(digest: Data) throws -> Data {
            let context = EVP_PKEY_CTX_new(key, nil)
            defer { EVP_PKEY_CTX_free(context) }
            let digest = [UInt8](digest)
            var length = 0
            guard EVP_PKEY_sign_init(context) == 1, EVP_PKEY_sign(context, nil, &length, digest, digest.count) == 1 else {
                throw Failed("no signing")
            }
            var signature = [UInt8](repeating: 0, count: length)
            guard EVP_PKEY_sign(context, &signature, &length, digest, digest.count) == 1 else { throw Failed("no signature") }
            return Data(signature[..<length])
        }
    }

    /// Whether a signature over SHA-256 is valid under a certificate.
    static func verifies(certificate: Data, message: Data, signature: Data) throws -> Bool {
        let certificate = withBIO(certificate) { PEM_read_bio_X509($0, nil, nil, nil) }
        guard let certificate, let key = X509_get_pubkey(certificate) else { throw Failed("OpenSSL does not read the certificate") }
        let context = EVP_MD_CTX_new()
        defer {
            EVP_MD_CTX_free(context)
            EVP_PKEY_free(key)
            X509_free(certificate)
        }
        let (message, signature) = ([UInt8](message), [UInt8](signature))
        guard EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1 else { throw Failed("no verifying") }
        return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    /// SHA-256 in hexadecimal.
    static func sha256(_ data: Data) -> String {
        digest(data).map { String(format: "%02x", $0) }.joined()
    }

    /// SHA-256.
    static func digest(_ data: Data) -> Data {
        let data = [UInt8](data)
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_Digest(data, data.count, &digest, nil, EVP_sha256(), nil)
        return Data(digest)
    }
}

private func withBIO<T>(_ data: Data, _ act: (OpaquePointer?) -> T) -> T {
    data.withUnsafeBytes { bytes in
        let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
        defer { BIO_free(bio) }
        return act(bio)
    }
}

extension Data {
    init(hex: String) {
        self.init()
        var rest = hex[...]
        while let byte = UInt8(rest.prefix(2), radix: 16) {
            append(byte)
            rest = rest.dropFirst(2)
        }
    }
}
