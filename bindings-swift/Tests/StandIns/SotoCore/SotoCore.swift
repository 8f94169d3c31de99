// SotoCore exports swift-log and SotoSignerV4, where credentials are declared.
@_exported import Logging

import struct Foundation.Date

public protocol Credential: Sendable {
    var accessKeyId: String { get }
    var secretAccessKey: String { get }
    var sessionToken: String? { get }
}

public protocol ExpiringCredential: Credential {
    var expiration: Date { get }
}

public struct RotatingCredential: ExpiringCredential {
    public let accessKeyId: String
    public let secretAccessKey: String
    public let sessionToken: String?
    public let expiration: Date

    public init(accessKeyId: String, secretAccessKey: String, sessionToken: String?, expiration: Date) {
        self.accessKeyId = accessKeyId
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }
}

public protocol CredentialProvider: Sendable, CustomStringConvertible {
    func getCredential(logger: Logger) async throws -> Credential
    func shutdown() async throws
}

extension CredentialProvider {
    public func shutdown() async throws {}
    public var description: String { "\(type(of: self))" }
}

public struct CredentialProviderFactory: Sendable {
    public struct Context: Sendable {
        public let logger: Logger
    }

    private let make: @Sendable (Context) -> any CredentialProvider

    public static func custom(
        _ factory: @escaping @Sendable (Context) -> any CredentialProvider
    ) -> CredentialProviderFactory {
        CredentialProviderFactory(make: factory)
    }

    /// What `AWSClient` does with it.
    public func provider() -> any CredentialProvider {
        make(Context(logger: Logger(label: "stand-in")))
    }
}
