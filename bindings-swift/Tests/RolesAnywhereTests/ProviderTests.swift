import Foundation
import Testing

@testable import RolesAnywhere

@Suite("The provider, against the emulator over URLSession")
struct ProviderTests {
    let authority: Authority
    let emulator: Emulator

    init() throws {
        authority = try Authority()
        emulator = try Emulator(authority)
    }

    @Test(arguments: Authority.Kind.allCases)
    func credentialsForEveryKindOfKey(_ kind: Authority.Kind) async throws {
        let provider = try emulator.provider(authority.issue(kind).identity())
        let credentials = try await provider.credentials()
        #expect(credentials.accessKeyID.hasPrefix("ASIA"))
        #expect(!credentials.secretAccessKey.isEmpty && !credentials.sessionToken.isEmpty)
        #expect(credentials.accountID == Emulator.account)
        #expect(abs(credentials.expiration.timeIntervalSinceNow - 43200) < 60)
        #expect(try emulator.calls() == 1)
    }

    @Test func twentyTasksShareOneRequest() async throws {
        let provider = try emulator.provider(authority.issue(.p256).identity())
        let all = try await withThrowingTaskGroup(of: Credentials.self) { group in
            for _ in 0..<20 { group.addTask { try await provider.credentials() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(all.count == 20 && all.allSatisfy { $0 == all[0] })
        #expect(try emulator.calls() == 1)
        #expect(try await provider.credentials() == all[0])
        #expect(try emulator.calls() == 1)
    }

    @Test func renewalInTheBackgroundThenAwaitedThenNeeded() async throws {
        let provider = try emulator.provider(authority.issue(.p256).identity()) { $0.duration = .seconds(3600) }
        let first = try await provider.credentials()
        try emulator.advance(3600 - 12 * 60) // within the last 15 minutes, and past the spread of a quarter
        #expect(try emulator.calls() == 1)
        try emulator.advance(90)
        #expect(try await provider.credentials() == first) // at once
        #expect(try await eventually { try await provider.credentials() != first })
        #expect(try emulator.calls() == 2)
        let second = try await provider.credentials()
        #expect(second.expiration > first.expiration)

        try emulator.advance(3600 - 4 * 60) // the last 5 minutes: waited for
        let third = try await provider.credentials()
        #expect(third != second)
        #expect(try emulator.calls() == 3)

        try emulator.advance(3600 + 1)
        #expect(try await provider.credentials() != third)
        #expect(try emulator.calls() == 4)
    }

    @Test func credentialsAreUsedWhileRenewalFails() async throws {
        let isDown = Shared(false)
        let failures = Shared([RolesAnywhereError]())
        let transport = Scripted { _, _ in
            if isDown.current { throw URLError(.cannotConnectToHost) }
            return nil
        }
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: transport) {
            $0.duration = .seconds(3600)
            $0.maximumAttempts = 1
            $0.onRenewalFailure = { error in failures.with { $0.append(error) } }
        }
        let first = try await provider.credentials()
        isDown.with { $0 = true }
        try emulator.advance(3600 - 4 * 60)
        #expect(try await provider.credentials() == first)
        #expect(await transport.sent == 2)
        #expect(try await provider.credentials() == first) // without another request: a pause has begun
        #expect(await transport.sent == 2)
        #expect(failures.current.map(\.code) == [.transportFailed])

        try emulator.advance(4 * 60 + 1) // now they have ended, and the pause with them
        let error = await refusal { _ = try await provider.credentials() }
        #expect(error?.code == .transportFailed)
        let sent = await transport.sent
        let again = await refusal { _ = try await provider.credentials() }
        #expect(again == error)
        #expect(await transport.sent == sent)

        isDown.with { $0 = false }
        try emulator.advance(5 * 60)
        #expect(try await provider.credentials() != first)
    }

    @Test func whoIsCancelledLeavesTheOthersTheirRequest() async throws {
        let gate = Gate()
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: gate)
        let waiting = (0..<3).map { _ in Task { try await provider.credentials() } }
        #expect(try await eventually { await gate.arrived == 1 })
        waiting[0].cancel()
        await #expect(throws: CancellationError.self) { try await waiting[0].value } // while the gate is shut
        #expect(try emulator.calls() == 0)
        await gate.open()
        #expect(try await waiting[1].value == waiting[2].value)
        #expect(await gate.arrived == 1)
        #expect(try emulator.calls() == 1)
    }

    @Test func whenAllAreCancelledTheRequestIsForWhoeverAsksNext() async throws {
        let gate = Gate()
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: gate)
        let only = Task { try await provider.credentials() }
        #expect(try await eventually { await gate.arrived == 1 })
        only.cancel()
        await #expect(throws: CancellationError.self) { try await only.value }
        await gate.open()
        #expect(try await !provider.credentials().accessKeyID.isEmpty)
        #expect(await gate.arrived == 1)
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await provider.credentials()
        }
        #expect(try await cancelled.value.accessKeyID.hasPrefix("ASIA")) // nothing to wait for
    }

    @Test func aCancelledCallOfItsOwnStops() async throws {
        let gate = Gate()
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: gate)
        let call = Task { try await provider.createSession() }
        #expect(try await eventually { await gate.arrived == 1 })
        call.cancel()
        await #expect(throws: CancellationError.self) { try await call.value }
        await gate.open()
    }

    @Test func aWrongClockIsCorrected() async throws {
        let identity = try authority.issue(.p256).identity()
        let clock = emulator.clock
        let provider = try RolesAnywhereCredentialProvider(
            configuration: emulator.configuration(), identity: identity, clock: { clock().addingTimeInterval(-3600) }
        )
        let credentials = try await provider.credentials()
        #expect(abs(credentials.expiration.timeIntervalSince(clock()) - 43200) < 60)
        #expect(try emulator.calls() == 2)
        #expect(try await provider.credentials() == credentials)
        try emulator.advance(43200 - 60) // renewed by the service's clock
        #expect(try await provider.credentials() != credentials)
        #expect(try emulator.calls() == 3) // the offset is known
    }

    @Test func aClockThatWasSetBackIsNotBelieved() async throws {
        let back = Shared(TimeInterval(0))
        let clock = emulator.clock
        let provider = try RolesAnywhereCredentialProvider(
            configuration: emulator.configuration(), identity: authority.issue(.p256).identity(),
            clock: { clock().addingTimeInterval(back.current) }
        )
        let first = try await provider.credentials()
        back.with { $0 = 120 }
        #expect(try await provider.credentials() == first)
        back.with { $0 = 90 } // by 30 seconds: nobody knows what happened to the clock
        let second = try await provider.credentials()
        #expect(second != first)
        #expect(try await provider.credentials() == second)
        #expect(try emulator.calls() == 2)
    }

    @Test func whatFailsOnTheWayIsTriedAgain() async throws {
        let transport = Scripted { number, _ in
            if number == 1 { throw URLError(.networkConnectionLost) }
            if number == 2 { return HTTPResponse(status: 503, headers: [], body: Data()) }
            return nil
        }
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: transport)
        #expect(try await provider.credentials().accessKeyID.hasPrefix("ASIA"))
        #expect(await transport.sent == 3)
    }

    @Test func aTransportThatNeverAnswersIsNotAwaitedForLong() async throws {
        let gate = Gate()
        let provider = try emulator.provider(authority.issue(.p256).identity(), transport: gate) {
            $0.attemptTimeout = .milliseconds(100)
            $0.maximumAttempts = 2
        }
        let error = await refusal { _ = try await provider.credentials() }
        #expect(error?.code == .transportFailed)
        #expect(error?.message.contains("within 0.1 s") == true)
        #expect(await gate.arrived == 2)
        await gate.open()
    }

    @Test func theIdentityIsLoadedAnew() async throws {
        let (first, second) = (try authority.issue(.p256, name: "one"), try authority.issue(.rsa2048, name: "two"))
        let folder = authority.folder.appendingPathComponent("rotating")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (certificate, key) = (folder.appendingPathComponent("c.pem"), folder.appendingPathComponent("k.pem"))
        try first.certificate().write(to: certificate)
        try first.key().write(to: key)
        let names = Shared([String]())
        let load = Identity.files(certificate: certificate, privateKey: key)
        let provider = try RolesAnywhereCredentialProvider(configuration: emulator.configuration(), clock: emulator.clock) {
            let identity = try await load()
            names.with { $0.append(identity.certificate.subject) }
            return identity
        }
        _ = try await provider.credentials()
        try second.certificate().write(to: certificate)
        try second.key().write(to: key)
        try emulator.advance(43200)
        _ = try await provider.credentials()
        #expect(names.current == ["CN=one", "CN=two"])
    }

    @Test func whatTheServiceSaysOfASession() async throws {
        let provider = try emulator.provider(authority.issue(.p256).identity()) { $0.roleSessionName = "build-7" }
        let session = try await provider.createSession()
        #expect(session.roleARN == Emulator.configuration().roleARN)
        #expect(session.assumedRoleARN == "arn:aws:sts::\(Emulator.account):assumed-role/app/build-7")
        #expect(session.subjectARN?.contains(":subject/") == true)
        #expect(session.sourceIdentity == "CN=client")
        #expect(session.requestID != nil)
        #expect(provider.region == Emulator.region)
        #expect(provider.endpoint == emulator.endpoint)
    }

    @Test func secretsAreNotPrinted() async throws {
        let credentials = try await emulator.provider(authority.issue(.p256).identity()).credentials()
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped, "\([credentials])"] {
            #expect(text.contains(credentials.accessKeyID))
            #expect(!text.contains(credentials.secretAccessKey) && !text.contains(credentials.sessionToken))
        }
        let request = HTTPRequest(url: try #require(URL(string: emulator.endpoint)))
        let signed = try SigV4Signer(region: Emulator.region, service: "sts").sign(request, with: credentials)
        dump(signed, to: &dumped)
        #expect(signed.headers.contains { $0.value == credentials.sessionToken })
        for text in ["\(signed)", dumped] {
            #expect(text.contains("X-Amz-Date"))
            #expect(!text.contains(credentials.sessionToken) && !text.contains("Signature="))
        }
    }
}
