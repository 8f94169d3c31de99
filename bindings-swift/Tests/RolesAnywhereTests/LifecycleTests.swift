import Foundation
import Testing

@testable import RolesAnywhere

/// What the core decides, as callers of the provider see it.
@Suite("The lifecycle of credentials")
struct LifecycleTests {
    let authority: Authority
    let emulator: Emulator

    init() throws {
        authority = try Authority()
        emulator = try Emulator(authority)
    }

    /// A provider whose identity loads as long as `hangs` is false.
    private func provider(
        hanging hangs: Shared<Bool>, _ change: (inout RolesAnywhereConfiguration) -> Void = { _ in }
    ) throws -> RolesAnywhereCredentialProvider {
        let identity = try authority.issue(.p256).identity()
        var configuration = emulator.configuration()
        change(&configuration)
        return try RolesAnywhereCredentialProvider(configuration: configuration, clock: emulator.clock) {
            while hangs.current {
                // Deaf to cancellation, as bad callbacks are.
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
                }
            }
            return identity
        }
    }

    @Test func aHangingIdentityFailsAndIsLoadedAgain() async throws {
        let hangs = Shared(true)
        let provider = try provider(hanging: hangs) { $0.identityTimeout = .milliseconds(100) }
        let error = await refusal { _ = try await provider.credentials() }
        #expect(error?.code == .invalidInput && error?.message.contains("within 0.1 s") == true)
        let own = await refusal { _ = try await provider.createSession() }
        #expect(own?.code == .invalidInput)
        hangs.with { $0 = false }
        try emulator.advance(60) // past the pause after a failure
        #expect(try await provider.credentials().accessKeyID.hasPrefix("ASIA"))
    }

    @Test func aHangingIdentityLeavesValidCredentialsInUse() async throws {
        let hangs = Shared(false)
        let failures = Shared([RolesAnywhereError]())
        let provider = try provider(hanging: hangs) {
            $0.duration = .seconds(3600)
            $0.identityTimeout = .milliseconds(100)
            $0.onRenewalFailure = { error in failures.with { $0.append(error) } }
        }
        let first = try await provider.credentials()
        hangs.with { $0 = true }
        try emulator.advance(3600 - 10 * 60) // renewal is due in the background
        #expect(try await provider.credentials() == first)
        #expect(try await eventually { failures.current.count == 1 })
        try emulator.advance(6 * 60) // and now callers wait for it
        #expect(try await provider.credentials() == first)
        #expect(failures.current.map(\.code) == [.invalidInput, .invalidInput])
        hangs.with { $0 = false }
        try emulator.advance(3 * 60)
        #expect(try await provider.credentials() != first)
    }

    @Test func anExpiredAnswerReplacesNothing() async throws {
        let isStale = Shared(false)
        let failures = Shared([RolesAnywhereError]())
        let past = ISO8601DateFormatter().string(from: emulator.clock().addingTimeInterval(-60))
        let transport = Scripted { _, _ in
            guard isStale.current else { return nil }
            let credentials = #"{"accessKeyId":"ASIASTALE","secretAccessKey":"x","sessionToken":"y","expiration":"\#(past)"}"#
            let body = #"{"credentialSet":[{"credentials":\#(credentials),"roleArn":"\#(Emulator.configuration().roleARN)"}]}"#
            return HTTPResponse(
                status: 201, headers: [HTTPHeader(name: "Content-Type", value: "application/json")], body: Data(body.utf8)
            )
        }
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: transport) {
            $0.duration = .seconds(3600)
            $0.onRenewalFailure = { error in failures.with { $0.append(error) } }
        }
        let first = try await provider.credentials()
        isStale.with { $0 = true }
        try emulator.advance(3600 - 4 * 60)
        #expect(try await provider.credentials() == first)
        #expect(failures.current.map(\.code) == [.invalidResponse])
        #expect(failures.current.first?.message.contains("had ended") == true)
        try emulator.advance(4 * 60) // and when they have ended too, nothing that has ended is handed out
        let error = await refusal { _ = try await provider.credentials() }
        #expect(error?.code == .invalidResponse)
    }

    @Test func manyCallersShareOneSilence() async throws {
        let gate = Gate()
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: gate) {
            $0.attemptTimeout = .seconds(1)
            $0.maximumAttempts = 1
        }
        let errors = await withTaskGroup(of: RolesAnywhereError?.self) { group in
            for _ in 0..<1000 {
                group.addTask { await refusal { _ = try await provider.credentials() } }
            }
            return await group.reduce(into: [RolesAnywhereError?]()) { $0.append($1) }
        }
        #expect(errors.count == 1000 && errors.allSatisfy { $0 == errors[0] } && errors[0]?.code == .transportFailed)
        #expect(await gate.arrived == 1)
        await gate.open()
    }

    @Test func aDrippingAnswerIsGivenUp() async throws {
        let answer = "HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n" + String(repeating: " ", count: 1000)
        let server = try Server(answer, drip: .milliseconds(100)) // 100 seconds, and never silent for one
        var configuration = Emulator.configuration()
        configuration.endpoint = server.url
        configuration.attemptTimeout = .seconds(1)
        configuration.maximumAttempts = 1
        let provider = try RolesAnywhereCredentialProvider(
            configuration: configuration, identity: authority.issue(.p256).identity()
        )
        let error = await refusal { _ = try await provider.credentials() }
        // Read to its end, after 100 seconds, the answer would be no session: `.invalidResponse`.
        #expect(error?.code == .transportFailed)
    }

    @Test func plainHTTPIsForThisMachine() async throws {
        let identity = try authority.issue(.p256).identity()
        var configuration = Emulator.configuration()
        configuration.endpoint = "http://rolesanywhere.example.com"
        let error = refusalAtOnce { _ = try RolesAnywhereCredentialProvider(configuration: configuration, identity: identity) }
        #expect(error?.code == .invalidInput && error?.message.contains("rolesanywhere.example.com") == true)
        configuration.allowsPlainHTTP = true
        _ = try RolesAnywhereCredentialProvider(configuration: configuration, identity: identity)
    }

    @Test func anAnswerForAnotherRoleIsRefused() async throws {
        let isOther = Shared(true)
        let end = ISO8601DateFormatter().string(from: emulator.clock().addingTimeInterval(3600))
        let transport = Scripted { _, _ in
            guard isOther.current else { return nil }
            let credentials = #"{"accessKeyId":"ASIAOTHER","secretAccessKey":"x","sessionToken":"y","expiration":"\#(end)"}"#
            let role = Emulator.configuration(role: "other").roleARN
            return HTTPResponse(
                status: 201, headers: [HTTPHeader(name: "Content-Type", value: "application/json")],
                body: Data(#"{"credentialSet":[{"credentials":\#(credentials),"roleArn":"\#(role)"}]}"#.utf8)
            )
        }
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: transport)
        let error = await refusal { _ = try await provider.credentials() }
        #expect(error?.code == .invalidResponse && error?.message.contains("role/other") == true)
    }

    @Test func aPairThatIsBeingReplacedIsReadAgain() async throws {
        let (first, second) = (try authority.issue(.p256, name: "one"), try authority.issue(.rsa2048, name: "two"))
        let folder = authority.folder.appendingPathComponent("swapped")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (certificate, key) = (folder.appendingPathComponent("c.pem"), folder.appendingPathComponent("k.pem"))
        try second.certificate().write(to: certificate)
        let loads = Shared(0)
        let load = Identity.files(certificate: certificate, privateKey: key)
        let provider = try RolesAnywhereCredentialProvider(configuration: emulator.configuration()) {
            let isFirst = loads.with { $0 += 1; return $0 == 1 }
            // First the key of the certificate that was there before.
            try (isFirst ? first : second).key().write(to: key)
            // A little ahead, so that a machine that is busy for seconds finds it modified just now.
            try FileManager.default.setAttributes([.modificationDate: Date().addingTimeInterval(8)], ofItemAtPath: key.path)
            return try await load()
        }
        #expect(try await provider.credentials().accessKeyID.hasPrefix("ASIA"))
        #expect(loads.current == 2)
        #expect(try emulator.calls() == 1)
    }

    @Test func whatIsNotWantedIsReplaced() async throws {
        let provider = try emulator.provider(authority.issue(.p256).identity())
        await provider.invalidate() // nothing yet
        let first = try await provider.credentials()
        await provider.invalidate()
        let second = try await provider.credentials()
        #expect(second != first)
        #expect(try await provider.credentials() == second)
        #expect(try emulator.calls() == 2)
    }

    enum Local {
        @TaskLocal static var value: String?
    }

    @Test func aRenewalHasNoValueOfTheTaskThatBeganIt() async throws {
        let seen = Shared([String?]())
        let transport = Scripted { _, _ in
            seen.with { $0.append(Local.value) }
            return nil
        }
        let identity = try authority.issue(.p256).identity()
        let provider = try emulator.provider(identity, transport: transport)
        _ = try await Local.$value.withValue("one caller's") { try await provider.credentials() }
        #expect(seen.current == [nil])
    }

    @Test func theMachinesOwnClocks() async throws {
        // Without a clock of the tests' own the monotonic clock is told too.
        let provider = try RolesAnywhereCredentialProvider(
            configuration: emulator.configuration(), identity: authority.issue(.p256).identity()
        )
        let first = try await provider.credentials()
        for _ in 0..<100 { #expect(try await provider.credentials() == first) }
        #expect(try emulator.calls() == 1)
    }
}
