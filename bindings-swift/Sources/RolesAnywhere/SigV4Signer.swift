import Foundation

internal import RolesAnywhereNative

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Signs any request to AWS with Signature Version 4, for those that no SDK sends.
///
/// ```swift
/// let sts = SigV4Signer(region: "eu-west-1", service: "sts")
/// let request = try sts.sign(request, with: try await provider.credentials())
/// ```
public struct SigV4Signer: Sendable {
    /// The region that is signed for.
    public let region: String
    /// The signing name of the service: `sts`, `s3`, `execute-api`. S3 (`s3`, `s3express`, `s3-outposts`,
    /// `s3-object-lambda`) is signed as it wants to be: the path as it is, the body's hash in a header.
    public let service: String
    /// Whether the credentials are those that `s3express:CreateSession` returned for one directory bucket of S3:
    /// their token has a header of its own.
    public let usesS3ExpressSession: Bool

    /// Makes a signer for one service in one region.
    public init(region: String, service: String, usesS3ExpressSession: Bool = false) {
        self.region = region
        self.service = service
        self.usesS3ExpressSession = usesS3ExpressSession
    }

    /// Makes a signer for the service and the region that a host name of AWS stands for.
    ///
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when the name does not tell both: pass them.
    public init(host: String) throws {
        let scope = hostScope(host: host)
        guard let service = scope.service, let region = scope.region else {
            throw RolesAnywhereError.invalidInput(
                message: "the host name `\(host)` does not tell service and region: pass `region` and `service`"
            )
        }
        self.init(region: region, service: service)
    }

    /// What of a body is signed.
    public enum Payload: Sendable {
        /// What the service wants: the request's body, and nothing in a presigned URL of S3.
        case automatic
        /// The request's body.
        case signed
        /// Nothing: over TLS alone. The request says so in `x-amz-content-sha256`.
        case unsigned
    }

    /// Signs a request, its signature in the `Authorization` header.
    ///
    /// All its headers are signed, and `Host`, which is the URL's. A request may be signed again: what was
    /// set before is replaced.
    ///
    /// - Parameters:
    ///   - request: The request, its URL percent-encoded as it goes on the wire.
    ///   - credentials: The credentials.
    ///   - payload: What of the body is signed.
    ///   - date: The time. The service takes what is off by less than five minutes.
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when a part cannot be signed.
    public func sign(
        _ request: HTTPRequest, with credentials: Credentials, payload: Payload = .automatic, date: Date = Date()
    ) throws -> HTTPRequest {
        let parts = try Parts(request.url)
        let added = try calling {
            try key(credentials, date).signHeaders(
                method: request.method, path: parts.path, query: parts.query,
                headers: parts.headers(request), body: request.body, signsBody: payload != .unsigned,
                now: date.seconds
            )
        }
        var signed = request
        let names = Set(added.map { $0.name.lowercased() })
        signed.headers.removeAll { names.contains($0.name.lowercased()) }
        signed.headers += added.map { HTTPHeader(name: $0.name, value: $0.value) }
        return signed
    }

    /// Signs a `URLRequest`, as the other. A body stream cannot be signed: set `httpBody`, or pass `.unsigned`.
    ///
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when a part cannot be signed.
    public func sign(
        _ request: URLRequest, with credentials: Credentials, payload: Payload = .automatic, date: Date = Date()
    ) throws -> URLRequest {
        guard let url = request.url else {
            throw RolesAnywhereError.invalidInput(message: "the request has no URL: set one")
        }
        if payload != .unsigned, request.httpBody == nil, request.httpBodyStream != nil {
            throw RolesAnywhereError.invalidInput(
                message: "the body is a stream, which cannot be hashed before it is sent: set `httpBody`"
            )
        }
        let headers = (request.allHTTPHeaderFields ?? [:]).map { HTTPHeader(name: $0.key, value: $0.value) }
        let signed = try sign(
            HTTPRequest(
                method: request.httpMethod ?? "GET", url: url, headers: headers, body: request.httpBody ?? Data()
            ),
            with: credentials, payload: payload, date: date
        )
        var wire = request
        for header in signed.headers { wire.setValue(header.value, forHTTPHeaderField: header.name) }
        return wire
    }

    /// A URL that carries its signature, for whoever has it.
    ///
    /// - Parameters:
    ///   - request: The request; its headers must be sent with the URL as they are.
    ///   - credentials: The credentials, whose end ends the URL too.
    ///   - expiresIn: How long the URL is valid: whole seconds, at most a week.
    ///   - payload: What of the body is signed.
    ///   - date: The time.
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when a part cannot be signed.
    public func presign(
        _ request: HTTPRequest, with credentials: Credentials, expiresIn: Duration, payload: Payload = .automatic,
        date: Date = Date()
    ) throws -> URL {
        guard expiresIn.components.attoseconds == 0, let expires = UInt64(exactly: expiresIn.components.seconds) else {
            throw RolesAnywhereError.invalidInput(
                message: "a URL cannot be presigned for \(expiresIn): whole seconds are wanted"
            )
        }
        var parts = try Parts(request.url)
        let query = try calling {
            try key(credentials, date).presign(
                method: request.method, path: parts.path, query: parts.query,
                headers: parts.headers(request), body: request.body, payload: payload.native,
                now: date.seconds, expires: expires
            )
        }
        parts.components.percentEncodedQuery = query
        guard let url = parts.components.url else {
            throw RolesAnywhereError.invalidInput(message: "the presigned query makes no URL: percent-encode the request's")
        }
        return url
    }

    private func key(_ credentials: Credentials, _ date: Date) throws -> SigningKey {
        try SigningKey(
            accessKeyId: credentials.accessKeyID, secretAccessKey: credentials.secretAccessKey,
            sessionToken: credentials.sessionToken, now: date.seconds, region: region, service: service,
            express: usesS3ExpressSession
        )
    }
}

extension SigV4Signer.Payload {
    fileprivate var native: PayloadSigning {
        switch self {
        case .automatic: .automatic
        case .signed: .signed
        case .unsigned: .unsigned
        }
    }
}

/// A URL as it goes on the wire.
private struct Parts {
    var components: URLComponents
    let host: String
    var path: String { components.percentEncodedPath.isEmpty ? "/" : components.percentEncodedPath }
    var query: String { components.percentEncodedQuery ?? "" }

    init(_ url: URL) throws {
        guard let components = URLComponents(url: url, resolvingAgainstBaseURL: true),
            let name = components.percentEncodedHost, !name.isEmpty
        else {
            throw RolesAnywhereError.invalidInput(message: "the URL has no host: pass an absolute URL")
        }
        guard components.user == nil, components.password == nil else {
            throw RolesAnywhereError.invalidInput(
                message: "the URL of `\(name)` holds a user name or a password: pass it without"
            )
        }
        self.components = components
        let usual = ["http": 80, "https": 443][components.scheme?.lowercased() ?? ""]
        host = components.port.flatMap { $0 == usual ? nil : "\(name):\($0)" } ?? name
    }

    func headers(_ request: HTTPRequest) -> [Header] {
        let given = request.headers.filter { $0.name.lowercased() != "host" }
        return [Header(name: "host", value: host)] + given.map { Header(name: $0.name, value: $0.value) }
    }
}
