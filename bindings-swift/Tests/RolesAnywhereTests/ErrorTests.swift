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
