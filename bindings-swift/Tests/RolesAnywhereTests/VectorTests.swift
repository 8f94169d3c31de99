import Foundation
import RolesAnywhereNative
import Testing

@testable import RolesAnywhere

/// The vectors that every language runs: `tests/vectors`.
@Suite("The shared vectors")
struct VectorTests {
    static let cases = try! FileManager.default // swiftlint:disable:this force_try - a test's argument
        .contentsOfDirectory(at: Emulator.vectors.appendingPathComponent("create-session"), includingPropertiesForKeys: nil)
        .filter { $0.hasDirectoryPath }

    struct Context: Decodable {
        let endpoint, region, trust_anchor_arn, profile_arn, role_arn, arns, time, serial_number: String
        let duration_seconds: Int?
    }

    struct Wire: Decodable {
        let body: String
        let headers: [[String]]
    }

    @Test(arguments: cases)
    func createSession(_ folder: URL) throws {
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
        }
        let context = try JSONDecoder().decode(Context.self, from: Data(text("context.json").utf8))
        let wire = try JSONDecoder().decode(Wire.self, from: Data(text("request.json").utf8))
        let authorization = try text("authorization.txt")
        let intermediates = try? Data(contentsOf: folder.appendingPathComponent("chain.pem"))
        let chain = try CertificateChain.read(
            certificate: Data(text("certificate.pem").utf8), intermediates: intermediates ?? Data(),
            password: Data(), hasPassword: false
        )
        #expect(chain.serialDecimal() == context.serial_number)

        var configuration = RolesAnywhereConfiguration(
            trustAnchorARN: context.trust_anchor_arn, profileARN: context.profile_arn, roleARN: context.role_arn
        )
        configuration.endpoint = context.endpoint
        configuration.region = context.region
        configuration.duration = context.duration_seconds.map { .seconds($0) }
        configuration.arnPlacement = context.arns == "body" ? .body : .query
        let time = try #require(ISO8601DateFormatter().date(from: context.time))
        let unsigned = try configuration.call().prepare(chain: chain, now: time.seconds)

        // 1: the canonical request of ours, with the headers of the case that this face does not send.
        let signedHeaders = try #require(authorization.firstMatch(of: /SignedHeaders=([^,]+)/)).1.split(separator: ";").map(String.init)
        let lines = unsigned.canonicalRequest().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var headers = [String: String]()
        for line in lines[3..<(lines.count - 3)] {
            let colon = try #require(line.firstIndex(of: ":"))
            headers[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        #expect(Set(headers.keys).isSubset(of: signedHeaders))
        for header in wire.headers where signedHeaders.contains(header[0].lowercased()) && headers[header[0].lowercased()] == nil {
            headers[header[0].lowercased()] = header[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        let sorted = headers.keys.sorted()
        let canonical = (lines[..<3] + sorted.map { "\($0):\(headers[$0]!)" } + ["", sorted.joined(separator: ";"), lines.last!])
            .joined(separator: "\n")
        #expect(try canonical == text("canonical-request.txt"))
        #expect(lines.last == OpenSSL.sha256(Data(wire.body.utf8)))

        // 2: the string to sign, made of it.
        var parts = unsigned.stringToSign().split(separator: "\n").map(String.init)
        parts[3] = OpenSSL.sha256(Data(canonical.utf8))
        #expect(try parts.joined(separator: "\n") == text("string-to-sign.txt"))
        #expect(authorization.hasPrefix("\(parts[0]) Credential=\(context.serial_number)/\(parts[2]), "))

        // 3: the recorded signature is valid under the certificate, by OpenSSL.
        let signature = try #require(authorization.firstMatch(of: /Signature=(\w+)/)).1
        #expect(
            try OpenSSL.verifies(
                certificate: Data(text("certificate.pem").utf8), message: Data(text("string-to-sign.txt").utf8),
                signature: Data(hex: String(signature))
            )
        )
    }

    @Test func thereAreCases() {
        #expect(!Self.cases.isEmpty)
    }

    struct Endpoints: Decodable {
        struct Entry: Decodable {
            let region, url, signing_region, partition: String
            let fips, dual_stack: Bool
        }
        let endpoints: [Entry]
    }

    @Test func endpoints() throws {
        let entries = try JSONDecoder().decode(Endpoints.self, from: vector("endpoints.json")).endpoints
        #expect(entries.count > 100)
        for entry in entries {
            let arn = "arn:\(entry.partition):rolesanywhere:\(entry.signing_region):\(Emulator.account)"
            var configuration = RolesAnywhereConfiguration(
                trustAnchorARN: "\(arn):trust-anchor/\(Emulator.id)", profileARN: "\(arn):profile/\(Emulator.id)",
                roleARN: "arn:\(entry.partition):iam::\(Emulator.account):role/r"
            )
            configuration.region = entry.region
            configuration.usesFIPS = entry.fips
            configuration.usesDualStack = entry.dual_stack
            let endpoint = try configuration.call().endpoint()
            #expect([endpoint.url, endpoint.region, endpoint.partition] == [entry.url, entry.signing_region, entry.partition])
        }
    }

    struct SignedRequests: Decodable {
        struct Entry: Decodable {
            let method, path, query, body, form, time, region, service, canonical_request: String
            let headers: [[String]]
            let payload: String
            let session_token_kind: String
            let session_token, authorization, signature: String?
            let expires: UInt64?
        }
        let access_key_id, secret_access_key: String
        let requests: [Entry]
    }

    @Test func signedRequests() throws {
        let vectors = try JSONDecoder().decode(SignedRequests.self, from: vector("signed-requests.json"))
        #expect(vectors.requests.count == 120)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
        for entry in vectors.requests {
            let now = try #require(formatter.date(from: entry.time)).seconds
            let key = try SigningKey(
                accessKeyId: vectors.access_key_id, secretAccessKey: vectors.secret_access_key,
                sessionToken: entry.session_token, now: now, region: entry.region, service: entry.service,
                express: entry.session_token_kind == "s3express"
            )
            let headers = entry.headers.map { Header(name: $0[0], value: $0[1]) }
            let signsBody = entry.payload == "signed"
            if entry.form == "header" {
                let signed = try key.signHeaders(
                    method: entry.method, path: entry.path, query: entry.query, headers: headers,
                    body: Data(entry.body.utf8), signsBody: signsBody, now: now
                )
                #expect(signed.first { $0.name == "Authorization" }?.value == entry.authorization)
            } else {
                let query = try key.presign(
                    method: entry.method, path: entry.path, query: entry.query, headers: headers,
                    body: Data(entry.body.utf8), payload: .automatic, now: now, expires: #require(entry.expires)
                )
                #expect(query.hasSuffix("X-Amz-Signature=\(try #require(entry.signature))"))
            }
        }
    }

    struct Kind: Decodable {
        let code: String
        let retryable: Bool
    }

    @Test func everyCodeHasItsCase() throws {
        let kinds = try JSONDecoder().decode([Kind].self, from: vector("errors.json"))
        #expect(kinds.map(\.code) == RolesAnywhereError.Code.allCases.map(\.rawValue))
        #expect(kinds.map(\.retryable) == RolesAnywhereError.Code.allCases.map(\.isRetryable))
        for native in kindsOfFailure() {
            let failure = Failure(kind: native.kind, message: "why: what to do")
            let error = RolesAnywhereError(failure)
            #expect(error.code.rawValue == native.code && error.isRetryable == native.retryable)
            #expect(error.failure.kind() == native.kind && error.failure.message() == "why: what to do")
        }
        #expect(kindsOfFailure().map(\.code) == kinds.map(\.code))
    }

    private func vector(_ name: String) throws -> Data {
        try Data(contentsOf: Emulator.vectors.appendingPathComponent(name))
    }
}
