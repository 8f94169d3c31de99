import Foundation

@testable import RolesAnywhere

/// The emulator as a process, on a clock of its own that the tests move.
final class Emulator: @unchecked Sendable { // what changes is behind the lock
    static let account = "123456789012"
    static let region = "eu-west-1"
    static let id = "11111111-1111-4111-8111-111111111111"

    /// The checkout's root.
    static let root = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../..").standardizedFileURL
    static let vectors = root.appendingPathComponent("tests/vectors")

    let endpoint: String
    /// The certificate of its own TLS authority, in TLS.
    let caPEM: String?
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let lock = NSLock()
    private var offset = 0
    private var unread = Data()

    init(_ authority: Authority, tls: Bool = false) throws {
        let folder = authority.folder.appendingPathComponent("emulator-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try authority.pem.write(to: folder.appendingPathComponent("ca.pem"))
        let configuration = """
            account = "\(Self.account)"
            region = "\(Self.region)"
            [[trust_anchor]]
            name = "ca"
            id = "\(Self.id)"
            pem_file = "ca.pem"
            [[profile]]
            name = "app"
            id = "\(Self.id)"
            roles = ["app"]
            duration_seconds = 43200
            accept_role_session_name = true
            [[role]]
            name = "app"
            max_session_duration = 43200
            [[role]]
            name = "other"
            """
        let file = folder.appendingPathComponent("emulator.toml")
        try Data(configuration.utf8).write(to: file)
        let program = ProcessInfo.processInfo.environment["ROLESANYWHERE_TEST_EMULATOR"]
            ?? Self.root.appendingPathComponent("target/debug/examples/test-emulator").path
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [file.path] + (tls ? ["tls"] : [])
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let started = try JSONDecoder().decode(Started.self, from: Self.line(output, &unread))
        endpoint = started.endpoint
        caPEM = started.ca_pem
    }

    deinit {
        try? input.fileHandleForWriting.close() // its end
        process.waitUntilExit()
    }

    /// What the emulator noted of a call.
    struct Record: Decodable {
        let operation: String
        let refused: String?
    }

    /// The emulator's clock, which is the provider's too.
    var clock: @Sendable () -> Date {
        { [self] in Date().addingTimeInterval(TimeInterval(lock.withLock { offset })) }
    }

    func advance(_ seconds: Int) throws {
        _ = try ask("advance \(seconds)")
        lock.withLock { offset += seconds }
    }

    /// How many CreateSession calls have come.
    func calls() throws -> Int {
        try JSONDecoder().decode([Record].self, from: ask("records")).count { $0.operation == "CreateSession" }
    }

    /// A configuration for the role that the profile has.
    func configuration(role: String = "app") -> RolesAnywhereConfiguration {
        var configuration = Self.configuration(role: role)
        configuration.endpoint = endpoint
        return configuration
    }

    static func configuration(role: String = "app") -> RolesAnywhereConfiguration {
        RolesAnywhereConfiguration(
            trustAnchorARN: "arn:aws:rolesanywhere:\(region):\(account):trust-anchor/\(id)",
            profileARN: "arn:aws:rolesanywhere:\(region):\(account):profile/\(id)",
            roleARN: "arn:aws:iam::\(account):role/\(role)"
        )
    }

    func provider(
        _ identity: Identity, transport: (any Transport)? = nil,
        _ change: (inout RolesAnywhereConfiguration) -> Void = { _ in }
    ) throws -> RolesAnywhereCredentialProvider {
        var configuration = configuration()
        change(&configuration)
        return try RolesAnywhereCredentialProvider(
            configuration: configuration, identity: identity, transport: transport ?? URLSessionTransport.shared, clock: clock
        )
    }

    private struct Started: Decodable {
        let endpoint: String
        let ca_pem: String?
    }

    private func ask(_ line: String) throws -> Data {
        try lock.withLock {
            try input.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
            return try Self.line(output, &unread)
        }
    }

    private static func line(_ output: Pipe, _ unread: inout Data) throws -> Data {
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                defer { unread = Data(unread[(end + 1)...]) }
                return Data(unread[..<end])
            }
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Failed("the emulator has ended") }
            unread.append(more)
        }
    }
}

struct Failed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
