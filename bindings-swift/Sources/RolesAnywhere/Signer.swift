import Foundation

internal import RolesAnywhereNative

/// Signs with a private key that lives elsewhere: in a keychain, a Secure Enclave, a key service, an HSM.
///
/// A few lines make one of a key of CryptoKit or swift-crypto; ``ClosureSigner`` takes any async closure.
public protocol Signer: Sendable {
    /// Signs a message, which is **not** hashed yet.
    ///
    /// ECDSA signs its SHA-256 digest whatever the curve: a P-384 key of CryptoKit, which would take
    /// SHA-384 for a message, must be handed `SHA256.hash(data: message)`. ML-DSA signs the message itself,
    /// with an empty context.
    ///
    /// The signature is checked under the certificate before it is sent. The call may be cancelled with its
    /// task, and counts as failed after ``RolesAnywhereConfiguration/signingTimeout``.
    ///
    /// - Parameters:
    ///   - message: The string to sign, UTF-8, a few hundred bytes. No secret.
    ///   - algorithm: What the certificate's key wants.
    /// - Returns: The signature, in the form that its maker names.
    /// - Throws: Anything; what is no ``RolesAnywhereError`` becomes
    ///   ``RolesAnywhereError/signingFailed(message:)`` with its description.
    func sign(_ message: Data, with algorithm: SigningAlgorithm) async throws -> Signature
}

/// How a request is signed.
public enum SigningAlgorithm: String, Sendable, CaseIterable {
    /// ECDSA over SHA-256, whatever the curve.
    case ecdsaSHA256 = "AWS4-X509-ECDSA-SHA256"
    /// Pure ML-DSA with an empty context over the message itself.
    case mlDSA = "AWS4-X509-MLDSA"
    /// RSASSA-PKCS1-v1_5 over SHA-256.
    case rsaSHA256 = "AWS4-X509-RSA-SHA256"
}

/// A signature, and what its bytes are. Nothing is guessed from them.
public struct Signature: Sendable {
    let form: SignatureForm
    let bytes: Data

    /// ECDSA in ASN.1 DER: `derRepresentation` of CryptoKit's signatures, what `SecKey`, OpenSSL and KMS give.
    public static func ecdsaDER(_ bytes: Data) -> Signature { Signature(form: .ecdsaDer, bytes: bytes) }

    /// ECDSA, `r` and `s` side by side: `rawRepresentation` of CryptoKit's signatures.
    public static func ecdsaP1363(_ bytes: Data) -> Signature { Signature(form: .ecdsaP1363, bytes: bytes) }

    /// ML-DSA: 2,420, 3,309 or 4,627 bytes.
    public static func mlDSA(_ bytes: Data) -> Signature { Signature(form: .mlDsa, bytes: bytes) }

    /// RSASSA-PKCS1-v1_5, as long as the modulus.
    public static func rsaPKCS1(_ bytes: Data) -> Signature { Signature(form: .rsaPkcs1, bytes: bytes) }
}

/// A ``Signer`` out of a closure.
public struct ClosureSigner: Signer {
    private let closure: @Sendable (Data, SigningAlgorithm) async throws -> Signature

    /// - Parameter closure: As ``Signer/sign(_:with:)``.
    public init(_ closure: @escaping @Sendable (_ message: Data, _ algorithm: SigningAlgorithm) async throws -> Signature) {
        self.closure = closure
    }

    public func sign(_ message: Data, with algorithm: SigningAlgorithm) async throws -> Signature {
        try await closure(message, algorithm)
    }
}

extension SigningAlgorithm {
    init(_ algorithm: RolesAnywhereNative.SigningAlgorithm) {
        switch algorithm {
        case .ecdsaSha256: self = .ecdsaSHA256
        case .mlDsa: self = .mlDSA
        case .rsaSha256: self = .rsaSHA256
        }
    }
}
