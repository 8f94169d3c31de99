import Foundation
import Testing

@testable import RolesAnywhere

@Suite("Every kind of error, from a cause that is real")
struct ErrorTests {
    let authority: Authority
    let issued: Issued

    init() throws {
        authority = try Authority()
        issued = try authority.issue(.p256)
    }

    @Test(arguments: RolesAnywhereError.Code.allCases)
    func everyKind(_ code: RolesAnywhereError.Code) async throws {
        let error = await refusal { try await cause(code) }
        let caught = try #require(error)
        #expect(caught.code == code)
        #expect(caught.localizedDescription == caught.message)
        #expect(caught.message.first?.isLowercase == true || caught.message.first == "`")
        #expect(caught.message.last != ".")
        #expect("\(caught)" == "\(code.rawValue): \(caught.message)")
        let isOfTheService: Set<RolesAnywhereError.Code> = [.accessDenied, .requestRejected, .serviceUnavailable, .throttled]
        #expect((caught.service != nil) == isOfTheService.contains(code))
    }

    private func cause(_ code: RolesAnywhereError.Code) async throws {
        switch code {
        case .accessDenied:
            let emulator = try Emulator(authority)
            _ = try await emulator.provider(issued.identity()) { $0.roleARN = Emulator.configuration(role: "other").roleARN }
                .credentials()
        case .invalidCertificate:
            _ = try Identity(certificate: Data("-----BEGIN nothing".utf8), signer: ClosureSigner { _, _ in .ecdsaDER(Data()) })
        case .invalidInput:
            var configuration = Emulator.configuration()
            configuration.roleARN = "arn:nonsense"
            _ = try RolesAnywhereCredentialProvider(configuration: configuration, identity: issued.identity())
        case .invalidKey:
            _ = try Identity(certificate: issued.certificate(), privateKey: Data("no key".utf8))
        case .invalidResponse:
            try await answered("200 OK", "<html>welcome to the hotel</html>")
        case .keyMismatch:
            _ = try Identity(certificate: issued.certificate(), privateKey: authority.issue(.p256).key())
        case .passwordRequired:
            _ = try Identity(certificate: issued.certificate(), privateKey: encrypted())
        case .requestRejected:
            let emulator = try Emulator(authority)
            _ = try await emulator.provider(issued.identity()) { $0.endpoint = emulator.endpoint + "/elsewhere" }.credentials()
        case .serviceUnavailable:
            try await answered("503 Service Unavailable", #"{"message":"busy"}"#)
        case .signingFailed:
            let signer = ClosureSigner { _, _ in throw Failed("the token was pulled out") }
            let identity = try Identity(certificate: issued.certificate(), signer: signer)
            let provider = try RolesAnywhereCredentialProvider(configuration: Emulator.configuration(), identity: identity)
            do {
                _ = try await provider.credentials()
            } catch let error as RolesAnywhereError {
                #expect(error.message.contains("the token was pulled out"))
                throw error
            }
        case .throttled:
            try await answered("429 Too Many Requests", "")
        case .transportFailed:
            let server = try Server("") // takes the request and hangs up
            try await ask(server)
        case .unsupported:
            let ed25519 = try issued.converted("ed", "genpkey", "-algorithm", "ed25519")
            _ = try Identity(certificate: issued.certificate(), privateKey: ed25519)
        case .wrongPassword:
            _ = try Identity(certificate: issued.certificate(), privateKey: encrypted(), password: "open barley")
        }
    }

    @Test func whatTheServiceSaysIsCarried() async throws {
        let server = try Server.answering(
            "403 Forbidden",
            ["x-amzn-RequestId: 11-22", "x-amzn-ErrorType: AccessDeniedException:http://x/", "Date: Sun, 22 Nov 2026 06:00:00 GMT"],
            #"{"message":"Untrusted certificate. Insufficient certificate"}"#
        )
        let error = await refusal { try await ask(server) }
        let service = try #require(error?.service)
        #expect(service.status == 403 && service.code == "AccessDeniedException" && service.requestID == "11-22")
        #expect(service.message == "Untrusted certificate. Insufficient certificate")
        #expect(service.serverTime == Date(timeIntervalSince1970: 1_795_327_200))
        let busy = try Server.answering("503 Service Unavailable", ["Retry-After: 7"], "{}")
        let again = await refusal { try await ask(busy) }
        #expect(again?.service?.retryAfter == .seconds(7))
    }

    @Test func whatCannotBe() async throws {
        func code(_ act: () throws -> Void) -> RolesAnywhereError.Code? {
            refusalAtOnce(act)?.code
        }
        let identity = try issued.identity()
        for change: (inout RolesAnywhereConfiguration) -> Void in [
            { $0.maximumAttempts = 0 }, { $0.attemptTimeout = .zero }, { $0.signingTimeout = .seconds(-1) },
            { $0.duration = .milliseconds(900_500) }, { $0.duration = .seconds(899) }, { $0.duration = .seconds(-1) },
            { $0.region = "us-east-1" }, { $0.endpoint = "nowhere" }, { $0.trustAnchorARN = "" },
        ] {
            var configuration = Emulator.configuration()
            change(&configuration)
            #expect(code { _ = try RolesAnywhereCredentialProvider(configuration: configuration, identity: identity) } == .invalidInput)
        }
        #expect(code { _ = try Identity(certificate: Data()) } == .invalidInput)
        #expect(code { _ = try Identity(certificate: issued.certificate(), privateKey: Data()) } == .invalidInput)
        #expect(code { _ = try Identity(contentsOf: URL(fileURLWithPath: "/nowhere.pem")) } == .invalidInput)
        let device = refusalAtOnce { _ = try Identity(contentsOf: URL(fileURLWithPath: "/dev/null")) }
        #expect(device?.code == .invalidInput && device?.message.contains("not a file") == true)
        struct Strange: Error {}
        let provider = try RolesAnywhereCredentialProvider(configuration: Emulator.configuration()) { throw Strange() }
        let error = await refusal { _ = try await provider.createSession() }
        #expect(error?.code == .invalidInput && error?.message.contains("Strange") == true)
    }

    @Test func contentInBase64IsTaken() throws {
        let certificate = try issued.certificate()
        let key = try issued.key()
        let identity = try Identity(
            certificate: certificate.base64EncodedData(), privateKey: key.base64EncodedData(options: .lineLength76Characters)
        )
        #expect(identity.certificate == (try issued.identity()).certificate)
    }

    /// A key or a password where a file belongs is never repeated: no error has eight characters in a row of one.
    @Test func nothingRepeatsASecret() throws {
        let certificate = try issued.certificate()
        let pem = String(decoding: try issued.key(), as: UTF8.self)
        let lines = pem.split(separator: "\n").map(String.init)
        let base64 = lines.dropFirst().dropLast().joined()
        let der = try #require(Data(base64Encoded: base64))
        let secrets = [
            pem, Data(pem.utf8).base64EncodedString(), base64, lines[1], String(base64.dropLast(8)),
            der.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
            pem.replacingOccurrences(of: "\n", with: " "), String(pem.dropFirst()), "hunter2hunter2", "Tr0ub4dor&3-and-more",
            "correct horse battery staple", "/begins/with/a/slash",
        ]
        var refused = 0
        for secret in secrets {
            let file = URL(fileURLWithPath: secret)
            let attempts: [() throws -> Void] = [
                { _ = try Identity(contentsOf: file) },
                { _ = try Identity(contentsOf: issued.certificateFile, privateKey: file) },
                { _ = try Identity(contentsOf: issued.certificateFile, privateKey: issued.keyFile, intermediates: file) },
                { _ = try Identity(certificate: Data(secret.utf8)) },
                { _ = try Identity(certificate: certificate, privateKey: Data(secret.utf8)) },
                { _ = try Identity(certificate: certificate, privateKey: encrypted(), password: secret) },
            ]
            for attempt in attempts {
                let error: RolesAnywhereError
                do {
                    try attempt()
                    continue // a key where a key belongs, in a form that is taken
                } catch let caught as RolesAnywhereError {
                    error = caught
                }
                refused += 1
                let said = "\(error) \(error.localizedDescription) \(error.message) \(String(reflecting: error))"
                #expect(givenAway(said, secret) == nil)
            }
        }
        #expect(refused > 50)
        let error = refusalAtOnce { _ = try Identity(contentsOf: issued.certificateFile, privateKey: URL(fileURLWithPath: "hunter2hunter2")) }
        #expect(error?.message.contains("the value of `privateKey` is no path of a file") == true)
        let absent = refusalAtOnce { _ = try Identity(contentsOf: URL(fileURLWithPath: "/nowhere.pem")) }
        #expect(absent?.message.contains("the certificate `/nowhere.pem` cannot be read") == true)
    }

    /// The part of a secret, eight characters, that stands in a text; the labels of PEM are none.
    private func givenAway(_ text: String, _ secret: String) -> String? {
        let characters = Array(secret)
        guard characters.count >= 8 else { return nil }
        return (0...characters.count - 8)
            .map { String(characters[$0..<$0 + 8]) }
            .first { part in !part.allSatisfy { $0.isUppercase || "- \n".contains($0) } && text.contains(part) }
    }

    private func encrypted() throws -> Data {
        try issued.converted("enc", "pkcs8", "-topk8", "-in", "STEM.key", "-v2", "aes-256-cbc", "-passout", "pass:open sesame")
    }

    private func answered(_ status: String, _ body: String) async throws {
        try await ask(Server.answering(status, [], body))
    }

    private func ask(_ server: Server) async throws {
        var configuration = Emulator.configuration()
        configuration.endpoint = server.url
        configuration.maximumAttempts = 1
        // By the clock of the answers, so that it is not corrected.
        let provider = try RolesAnywhereCredentialProvider(
            configuration: configuration, identity: issued.identity(), clock: { Date(timeIntervalSince1970: 1_795_327_200) }
        )
        _ = try await provider.credentials()
    }
}
