import Foundation
import Testing

@testable import RolesAnywhere

@Suite("Keys of every form, and keys that are elsewhere")
struct SignerTests {
    let authority: Authority
    let emulator: Emulator

    init() throws {
        authority = try Authority()
        emulator = try Emulator(authority)
    }

    /// A signer in Swift, on OpenSSL's library.
    struct OpenSSLSigner: Signer {
        let key: OpenSSL.Key

        func sign(_ message: Data, with algorithm: SigningAlgorithm) async throws -> Signature {
            let signature = try key.sign(message)
            return algorithm == .rsaSHA256 ? .rsaPKCS1(signature) : .ecdsaDER(signature)
        }
    }

    @Test(arguments: Authority.Kind.allCases)
    func aSignerInSwift(_ kind: Authority.Kind) async throws {
        let issued = try authority.issue(kind)
        let signer = try OpenSSLSigner(key: OpenSSL.Key(pem: issued.key()))
        let identity = try Identity(certificate: issued.certificate(), signer: signer)
        #expect(try await emulator.provider(identity).credentials().accessKeyID.hasPrefix("ASIA"))
        #expect(try emulator.calls() == 1)
    }

    @Test(arguments: [(Authority.Kind.p256, 32), (.p384, 48), (.p521, 66)])
    func aClosureThatGivesBothHalves(_ kind: Authority.Kind, _ size: Int) async throws {
        let issued = try authority.issue(kind)
        let key = try OpenSSL.Key(pem: issued.key())
        let identity = try Identity(
            certificate: issued.certificate(),
            signer: ClosureSigner { message, algorithm in
                #expect(algorithm == .ecdsaSHA256)
                await Task.yield()
                return .ecdsaP1363(try halves(of: key.sign(message), size: size))
            }
        )
        #expect(try await emulator.provider(identity).credentials().accessKeyID.hasPrefix("ASIA"))
    }

    @Test func aSignatureOfAnotherKeyIsNotSent() async throws {
        let other = try OpenSSL.Key(pem: authority.issue(.p256).key())
        let identity = try Identity(
            certificate: authority.issue(.p256).certificate(),
            signer: ClosureSigner { message, _ in .ecdsaDER(try other.sign(message)) }
        )
        let error = await refusal { _ = try await emulator.provider(identity).credentials() }
        #expect(error?.code == .keyMismatch)
        #expect(try emulator.calls() == 0)
    }

    @Test func aFormThatTheSignatureHasNotIsRefused() async throws {
        let issued = try authority.issue(.p256)
        let key = try OpenSSL.Key(pem: issued.key())
        for form in [Signature.ecdsaP1363, Signature.rsaPKCS1, Signature.mlDSA] {
            let identity = try Identity(
                certificate: issued.certificate(), signer: ClosureSigner { message, _ in form(try key.sign(message)) }
            )
            let error = await refusal { _ = try await emulator.provider(identity).credentials() }
            #expect(error?.code == .signingFailed)
        }
        #expect(try emulator.calls() == 0)
    }

    @Test func aSignerThatNeverAnswersIsNotAwaitedForLong() async throws {
        let identity = try Identity(
            certificate: authority.issue(.p256).certificate(),
            signer: ClosureSigner { _, _ in
                try await Task.sleep(for: .seconds(3600))
                throw Failed("not reached")
            }
        )
        let provider = try emulator.provider(identity) { $0.signingTimeout = .milliseconds(100) }
        let error = await refusal { _ = try await provider.credentials() }
        #expect(error?.code == .signingFailed)
        #expect(error?.message.contains("within 0.1 s") == true)
    }

    @Test(arguments: [Authority.Kind.p256, .rsa2048])
    func everyFormOfFile(_ kind: Authority.Kind) async throws {
        let issued = try authority.issue(kind)
        let certificate = try issued.certificate()
        let pem = try issued.key()
        let certificateDER = try issued.converted("der", "x509", "-in", "STEM.pem", "-outform", "DER")
        let keyDER = try issued.converted("key.der", "pkey", "-in", "STEM.key", "-outform", "DER")
        let encrypted = try issued.converted("enc", "pkcs8", "-topk8", "-in", "STEM.key", "-v2", "aes-256-cbc", "-passout", "pass:open sesame")
        let pkcs12 = try issued.converted("p12", "pkcs12", "-export", "-inkey", "STEM.key", "-in", "STEM.pem", "-passout", "pass:open sesame")
        let empty = try issued.converted("p12e", "pkcs12", "-export", "-inkey", "STEM.key", "-in", "STEM.pem", "-passout", "pass:")
        let identities = try [
            Identity(certificate: certificate, privateKey: pem),
            Identity(certificate: certificate + pem),
            Identity(certificate: certificateDER, privateKey: keyDER),
            Identity(certificate: certificate, privateKey: encrypted, password: "open sesame"),
            Identity(certificate: pkcs12, password: "open sesame"),
            Identity(certificate: empty, password: ""),
            Identity(contentsOf: issued.certificateFile, privateKey: issued.keyFile),
        ]
        for identity in identities {
            #expect(identity.certificate.subject == "CN=client" && identity.certificate.issuer == "CN=Test CA")
            #expect(try await emulator.provider(identity).credentials().accessKeyID.hasPrefix("ASIA"))
        }
        let details = identities[0].certificate
        #expect(details.notBefore < Date() && details.notAfter > Date())
        #expect(details.fingerprintSHA256 == OpenSSL.sha256(certificateDER))
        #expect(!details.serialNumber.isEmpty && details.serialNumber.allSatisfy(\.isNumber))
    }
}

/// `r` and `s` of a signature in DER, of `size` bytes each.
func halves(of der: Data, size: Int) throws -> Data {
    var rest = [UInt8](der)[...]
    func length() -> Int {
        let first = rest.removeFirst()
        return first < 0x80 ? Int(first) : (0..<(first & 0x7f)).reduce(0) { total, _ in total << 8 | Int(rest.removeFirst()) }
    }
    func integer() throws -> Data {
        guard rest.removeFirst() == 2 else { throw Failed("no INTEGER") }
        let count = length()
        let bytes = rest.prefix(count).drop { $0 == 0 }
        rest = rest.dropFirst(count)
        return Data(repeating: 0, count: size - bytes.count) + bytes
    }
    guard rest.removeFirst() == 0x30 else { throw Failed("no SEQUENCE") }
    _ = length()
    return try integer() + integer()
}
