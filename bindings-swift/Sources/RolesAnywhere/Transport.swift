import Foundation

/// Carries a signed request to the service and its answer back. ``URLSessionTransport`` is the default.
public protocol Transport: Sendable {
    /// Sends a request, once, as it is: neither retried nor redirected, since its signature covers all of it.
    ///
    /// - Parameters:
    ///   - request: The request. `Host` and `Content-Length` are yours to set, from the URL and the body.
    ///   - timeout: How long it may take. The caller stops waiting by itself, and cancels the task.
    /// - Returns: The answer, whatever its status.
    /// - Throws: Anything; what is no ``RolesAnywhereError`` becomes
    ///   ``RolesAnywhereError/transportFailed(message:)`` with its description, and is tried again.
    func send(_ request: HTTPRequest, timeout: Duration) async throws -> HTTPResponse
}

/// One header.
public struct HTTPHeader: Sendable, Equatable {
    /// The name, in any case.
    public var name: String
    /// The value.
    public var value: String

    /// Makes a header.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

extension HTTPHeader: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private var isSecret: Bool { ["authorization", "x-amz-security-token"].contains(name.lowercased()) }

    /// Name and value, but for what grants access: signatures and session tokens.
    public var description: String { "\(name): \(isSecret ? "[redacted]" : value)" }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// Nothing beside the name and, where it is no secret, the value.
    public var customMirror: Mirror {
        Mirror(self, children: ["name": name, "value": isSecret ? "[redacted]" : value], displayStyle: .struct)
    }
}

/// An HTTP request.
public struct HTTPRequest: Sendable, Equatable {
    /// The method.
    public var method: String
    /// The URL, percent-encoded as it goes on the wire.
    public var url: URL
    /// The headers, without `Host`.
    public var headers: [HTTPHeader]
    /// The body; empty for none.
    public var body: Data

    /// Makes a request.
    public init(method: String = "GET", url: URL, headers: [HTTPHeader] = [], body: Data = Data()) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// An HTTP answer.
public struct HTTPResponse: Sendable, Equatable {
    /// The status.
    public var status: Int
    /// The headers.
    public var headers: [HTTPHeader]
    /// The body. It holds credentials: the provider wipes its copy.
    public var body: Data

    /// Makes an answer.
    public init(status: Int, headers: [HTTPHeader], body: Data) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// The longest answer that is read: the core reads no more of a session either.
let maximumResponseLength = 256 * 1024
