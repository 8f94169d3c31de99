// Compiled on Apple platforms only; not run by the tests of this repository, which run on Linux.
#if canImport(Security)
    import Foundation
    import Security

    /// Signs with a key of the keychain or of the Secure Enclave.
    ///
    /// The Secure Enclave holds P-256 keys. A key that wants the user's presence asks for it at every
    /// renewal: raise ``RolesAnywhereConfiguration/signingTimeout`` where a person may take long.
    public struct SecKeySigner: Signer, @unchecked Sendable { // `SecKey` is immutable
        private let key: SecKey

        /// - Parameter key: A private key that may sign: RSA, or EC on P-256, P-384 or P-521.
        public init(_ key: SecKey) {
            self.key = key
        }

        public func sign(_ message: Data, with algorithm: SigningAlgorithm) async throws -> Signature {
            // A prompt blocks its thread, which must not be one of the few that Swift's tasks run on.
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(with: Result { try signature(of: message, algorithm) })
                }
            }
        }

        private func signature(of message: Data, _ algorithm: SigningAlgorithm) throws -> Signature {
            let kind: SecKeyAlgorithm =
                switch algorithm {
                case .ecdsaSHA256: .ecdsaSignatureMessageX962SHA256
                case .rsaSHA256: .rsaSignatureMessagePKCS1v15SHA256
                case .mlDSA:
                    throw RolesAnywhereError.unsupported(
                        message: "`SecKey` does not sign with ML-DSA: use a certificate with an RSA or EC key"
                    )
                }
            guard SecKeyIsAlgorithmSupported(key, .sign, kind) else {
                throw RolesAnywhereError.keyMismatch(
                    message: "the `SecKey` cannot sign \(algorithm.rawValue), which the certificate's key wants: "
                        + "pass the key that belongs to the certificate"
                )
            }
            var failure: Unmanaged<CFError>?
            guard let bytes = SecKeyCreateSignature(key, kind, message as CFData, &failure) else {
                let reason = failure?.takeRetainedValue()
                throw RolesAnywhereError.signingFailed(
                    message: "the `SecKey` did not sign: \(reason.map { "\($0)" } ?? "no reason is given")"
                )
            }
            return algorithm == .rsaSHA256 ? .rsaPKCS1(bytes as Data) : .ecdsaDER(bytes as Data)
        }
    }
#endif
