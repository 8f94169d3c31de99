import Foundation

@testable import RolesAnywhere

/// A certificate authority out of OpenSSL's command line: nothing of it is ours to test.
final class Authority: Sendable {
    let folder: URL
    let pem: Data

    init(_ name: String = "Test CA") throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("rolesanywhere-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try openssl(
            folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", "/CN=\(name)", "-days", "30", "-keyout", "ca.key", "-out", "ca.pem",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"
        )
        pem = try Data(contentsOf: folder.appendingPathComponent("ca.pem"))
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A new key and its certificate, in files.
    func issue(_ kind: Kind, name: String = "client") throws -> Issued {
        let stem = UUID().uuidString
        try openssl(folder, ["genpkey"] + kind.arguments + ["-out", "\(stem).key"])
        try openssl(
            folder, "req", "-x509", "-new", "-key", "\(stem).key", "-subj", "/CN=\(name)", "-days", "20",
            "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "\(stem).pem",
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", "keyUsage=critical,digitalSignature"
        )
        return Issued(folder: folder, stem: stem)
    }

    enum Kind: String, CaseIterable, Sendable {
        case rsa2048, p256, p384, p521

        var arguments: [String] {
            switch self {
            case .rsa2048: ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
            case .p256: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
            case .p384: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]
            case .p521: ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"]
            }
        }
    }
}

/// A certificate and its key, in files.
struct Issued: Sendable {
    let folder: URL
    let stem: String

    var certificateFile: URL { folder.appendingPathComponent("\(stem).pem") }
    var keyFile: URL { folder.appendingPathComponent("\(stem).key") }

    func certificate() throws -> Data { try Data(contentsOf: certificateFile) }
    func key() throws -> Data { try Data(contentsOf: keyFile) }
    func identity() throws -> Identity { try Identity(contentsOf: certificateFile, privateKey: keyFile) }

    /// What OpenSSL makes of the files.
    func converted(_ name: String, _ arguments: String...) throws -> Data {
        try openssl(folder, arguments.map { $0.replacingOccurrences(of: "STEM", with: stem) } + ["-out", "\(stem).\(name)"])
        return try Data(contentsOf: folder.appendingPathComponent("\(stem).\(name)"))
    }
}

func openssl(_ folder: URL, _ arguments: String...) throws { try openssl(folder, arguments) }

func openssl(_ folder: URL, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let said = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw Failed("openssl \(arguments.joined(separator: " ")): \(String(decoding: said, as: UTF8.self))")
    }
}
