import Foundation
import Testing

@testable import RolesAnywhere

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

@Suite("Requests that are signed with the credentials")
struct SigV4Tests {
    private let sts = SigV4Signer(region: Emulator.region, service: "sts")

    /// The emulator's STS verifies the signature.
    @Test func callerIdentity() async throws {
        let authority = try Authority()
        let emulator = try Emulator(authority)
        let provider = try emulator.provider(authority.issue(.p256).identity())
        let credentials = try await provider.credentials()
        var request = URLRequest(url: try #require(URL(string: emulator.endpoint + "/")))
        request.httpMethod = "POST"
        request.setValue("application/x-www-form-urlencoded; charset=utf-8", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data("Action=GetCallerIdentity&Version=2011-06-15".utf8)
        let signed = try sts.sign(request, with: credentials)
        let answer = try await data(of: signed)
        #expect(answer.contains("assumed-role/app/") && answer.contains(Emulator.account))
        #expect(try await data(of: sts.sign(signed, with: credentials)).contains("assumed-role/app/")) // signed again

        var forged = signed
        forged.httpBody = Data("Action=GetCallerIdentity&Version=2011-06-16".utf8)
        #expect(try await data(of: forged).contains("SignatureDoesNotMatch"))

        let question = try #require(URL(string: emulator.endpoint + "/?Action=GetCallerIdentity&Version=2011-06-15"))
        let presigned = try sts.presign(HTTPRequest(method: "GET", url: question), with: credentials, expiresIn: .seconds(60))
        #expect(try await data(of: URLRequest(url: presigned)).contains("assumed-role/app/"))
        let longer = presigned.absoluteString.replacingOccurrences(of: "X-Amz-Expires=60", with: "X-Amz-Expires=61")
        #expect(try await data(of: URLRequest(url: #require(URL(string: longer)))).contains("SignatureDoesNotMatch"))
    }

    @Test func aHostTellsServiceAndRegion() throws {
        struct Hosts: Decodable { let hosts: [[String?]] }
        let file = Emulator.vectors.appendingPathComponent("hosts.json")
        let hosts = try JSONDecoder().decode(Hosts.self, from: Data(contentsOf: file)).hosts
        #expect(hosts.count > 3000)
        for row in hosts {
            let signer = try? SigV4Signer(host: #require(row[0]))
            let known = row[1] != nil && row[2] != nil
            #expect(signer?.service == (known ? row[1] : nil) && signer?.region == (known ? row[2] : nil), "\(row)")
        }
    }

    /// What botocore signs: the vectors whose parts a URL can hold, through the function that people call.
    @Test func theVectorsThroughURLs() throws {
        let file = Emulator.vectors.appendingPathComponent("signed-requests.json")
        let vectors = try JSONDecoder().decode(VectorTests.SignedRequests.self, from: Data(contentsOf: file))
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withYear, .withMonth, .withDay, .withTime, .withTimeZone]
        var checked = [String: Int]()
        for entry in vectors.requests where entry.session_token != nil {
            guard let host = entry.headers.first(where: { $0[0].lowercased() == "host" })?[1],
                entry.headers.count(where: { $0[0].lowercased() == "host" }) == 1,
                let url = URL(string: "https://\(host)\(entry.path)" + (entry.query.isEmpty ? "" : "?\(entry.query)"), encodingInvalidCharacters: false),
                url.absoluteString == "https://\(host)\(entry.path)" + (entry.query.isEmpty ? "" : "?\(entry.query)")
            else { continue }
            let date = try #require(formatter.date(from: entry.time))
            let credentials = Credentials(
                accessKeyID: vectors.access_key_id, secretAccessKey: vectors.secret_access_key,
                sessionToken: try #require(entry.session_token), expiration: .distantFuture
            )
            let request = HTTPRequest(
                method: entry.method, url: url, headers: entry.headers.map { HTTPHeader(name: $0[0], value: $0[1]) },
                body: Data(entry.body.utf8)
            )
            let signer = SigV4Signer(
                region: entry.region, service: entry.service,
                usesS3ExpressSession: entry.session_token_kind == "s3express"
            )
            if let expires = entry.expires {
                let presigned = try signer.presign(
                    request, with: credentials, expiresIn: .seconds(Int64(expires)), date: date // the service's payload
                )
                #expect(try presigned.absoluteString.hasSuffix("X-Amz-Signature=\(#require(entry.signature))"), "\(entry)")
            } else {
                let payload: SigV4Signer.Payload = entry.payload == "unsigned" ? .unsigned : .automatic
                let signed = try signer.sign(request, with: credentials, payload: payload, date: date)
                #expect(signed.headers.first { $0.name == "Authorization" }?.value == entry.authorization, "\(entry)")
            }
            checked[entry.form, default: 0] += 1
        }
        // Of all, those with a session token, one host, and a path that a URL can hold.
        #expect(checked.values.allSatisfy { $0 >= 10 } && checked.count == 2, "\(checked)")
    }

    @Test func whatCannotBeSigned() throws {
        let credentials = Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "s", sessionToken: "t", expiration: Date())
        func code(_ act: () throws -> Void) -> RolesAnywhereError.Code? {
            refusalAtOnce(act)?.code
        }
        let url = try #require(URL(string: "https://sts.amazonaws.com/"))
        var stream = URLRequest(url: url)
        stream.httpBodyStream = InputStream(data: Data())
        #expect(code { _ = try sts.sign(stream, with: credentials) } == .invalidInput)
        for text in ["relative", "https://user:secret@sts.amazonaws.com/"] {
            let request = HTTPRequest(url: try #require(URL(string: text)))
            #expect(code { _ = try sts.sign(request, with: credentials) } == .invalidInput)
        }
        let request = HTTPRequest(url: url)
        #expect(code { _ = try sts.presign(request, with: credentials, expiresIn: .seconds(-1)) } == .invalidInput)
        #expect(code { _ = try sts.presign(request, with: credentials, expiresIn: .milliseconds(1)) } == .invalidInput)
        #expect(code { _ = try sts.presign(request, with: credentials, expiresIn: .seconds(8 * 86400)) } == .invalidInput)
    }

    private func data(of request: URLRequest) async throws -> String {
        let transport = URLSessionTransport.shared
        let headers = (request.allHTTPHeaderFields ?? [:]).map { HTTPHeader(name: $0.key, value: $0.value) }
        let answer = try await transport.send(
            HTTPRequest(
                method: request.httpMethod ?? "GET", url: #require(request.url), headers: headers,
                body: request.httpBody ?? Data()
            ),
            timeout: .seconds(10)
        )
        return String(decoding: answer.body, as: UTF8.self)
    }
}
