import Foundation
import Testing

@testable import RolesAnywhere

@Suite("URLSession")
struct TransportTests {
    private func send(_ server: Server, _ change: (inout HTTPRequest) -> Void = { _ in }) async throws -> HTTPResponse {
        var request = HTTPRequest(method: "POST", url: try #require(URL(string: server.url + "/a?x=%3A%2F")), body: Data("{}".utf8))
        change(&request)
        return try await URLSessionTransport.shared.send(request, timeout: .seconds(10))
    }

    @Test func whatIsSentAndRead() async throws {
        let server = try Server.answering("201 Created", ["X-One: 1"], "hello")
        let response = try await send(server) {
            $0.headers = [HTTPHeader(name: "authorization", value: "AWS4 x"), HTTPHeader(name: "x-amz-date", value: "now")]
        }
        #expect(response.status == 201 && response.body == Data("hello".utf8))
        #expect(response.headers.contains { $0.name.lowercased() == "x-one" && $0.value == "1" })
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("POST /a?x=%3A%2F HTTP/1.1\r\n"))
        #expect(request.lowercased().contains("\r\nauthorization: aws4 x\r\n"))
        #expect(request.lowercased().contains("\r\nhost: \(server.url.dropFirst("http://".count))\r\n"))
        #expect(request.hasSuffix("\r\n\r\n{}"))
    }

    @Test func noRedirectIsFollowed() async throws {
        let goal = try Server.answering("200 OK")
        let server = try Server.answering("307 Temporary Redirect", ["Location: \(goal.url)/b"])
        #expect(try await send(server).status == 307)
        #expect(goal.requests.isEmpty)
    }

    @Test func noCookieIsKept() async throws {
        let transport = URLSessionTransport()
        let server = try Server.answering("200 OK", ["Set-Cookie: a=b; Path=/"])
        for _ in 0..<2 {
            _ = try await transport.send(HTTPRequest(url: #require(URL(string: server.url))), timeout: .seconds(10))
        }
        #expect(server.requests.count == 2 && server.requests.allSatisfy { !$0.lowercased().contains("cookie:") })
    }

    @Test func aLongAnswerIsNotReadToItsEnd() async throws {
        let server = try Server.answering("200 OK", [], String(repeating: "x", count: maximumResponseLength + 1))
        let error = await refusal { _ = try await send(server) }
        #expect(error?.code == .invalidResponse)
        let full = try Server.answering("200 OK", [], String(repeating: "x", count: maximumResponseLength))
        #expect(try await send(full).body.count == maximumResponseLength)
    }

    @Test func cancellation() async throws {
        let listener = try Server.answering("200 OK")
        let url = try #require(URL(string: listener.url))
        let transport = URLSessionTransport()
        for delay in [0, 0, 0, 1, 1, 2, 3] {
            let task = Task { try await transport.send(HTTPRequest(url: url), timeout: .seconds(10)) }
            if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
            task.cancel()
            // It ends, one way or the other, once.
            _ = try? await task.value
        }
        let cancelled = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await transport.send(HTTPRequest(url: url), timeout: .seconds(10))
        }
        await #expect(throws: CancellationError.self) { try await cancelled.value }
    }

    /// The suite lets the tests write the CA bundle, where it has a root of its own. Read once by a process.
    static let bundle = ProcessInfo.processInfo.environment["ROLESANYWHERE_TEST_CA_BUNDLE"] ?? ""

    @Test(.enabled(if: !bundle.isEmpty, "the CA bundle is the machine's own"))
    func tls() async throws {
        let authority = try Authority()
        let identity = try authority.issue(.p256).identity()
        let emulator = try Emulator(authority, tls: true)
        try Data(#require(emulator.caPEM).utf8).write(to: URL(fileURLWithPath: Self.bundle))
        #expect(emulator.endpoint.hasPrefix("https://"))
        #expect(try await emulator.provider(identity).createSession().credentials.accessKeyID.hasPrefix("ASIA"))
        let stranger = try Emulator(authority, tls: true) // of another CA
        let provider = try stranger.provider(identity) { $0.maximumAttempts = 1 }
        let error = await refusal { _ = try await provider.createSession() }
        #expect(error?.code == .transportFailed)
        #expect(error?.message.contains("certificate") == true)
    }
}
