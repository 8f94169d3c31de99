import Smithy

import struct Foundation.Date

public protocol Identity: Sendable {
    var expiration: Date? { get }
    var properties: Attributes { get }
}

public protocol IdentityResolver: Sendable {
    associatedtype IdentityT: Identity
    func getIdentity(identityProperties: Attributes?) async throws -> IdentityT
}

public protocol AWSCredentialIdentityResolver: IdentityResolver, Sendable where IdentityT == AWSCredentialIdentity {}

public struct AWSCredentialIdentity: Identity {
    public let accessKey: String
    public let secret: String
    public let accountID: String?
    public let expiration: Date?
    public let sessionToken: String?
    public let properties: Attributes

    public init(
        accessKey: String, secret: String, accountID: String? = nil, expiration: Date? = nil,
        sessionToken: String? = nil, properties: Attributes = Attributes()
    ) {
        self.accessKey = accessKey
        self.secret = secret
        self.accountID = accountID
        self.expiration = expiration
        self.sessionToken = sessionToken
        self.properties = properties
    }
}
