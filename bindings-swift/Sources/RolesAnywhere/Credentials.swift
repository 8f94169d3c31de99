import Foundation

internal import RolesAnywhereNative

/// Temporary AWS credentials.
///
/// Printing, interpolating, dumping or reflecting them does not show the secrets; their properties do.
public struct Credentials: Sendable, Equatable {
    /// The access key id. Not a secret: it stands in every signed request.
    public let accessKeyID: String
    /// The secret access key.
    public let secretAccessKey: String
    /// The session token, which goes with every request.
    public let sessionToken: String
    /// When the credentials end, by the service's clock.
    public let expiration: Date
    /// The account of the assumed role, where the service told it.
    public let accountID: String?

    /// Makes credentials, of a cache for instance.
    public init(
        accessKeyID: String, secretAccessKey: String, sessionToken: String, expiration: Date, accountID: String? = nil
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.accountID = accountID
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The access key id and the expiration, without the secrets.
    public var description: String {
        "Credentials(accessKeyID: \(accessKeyID), expiration: \(expiration), secrets redacted)"
    }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// The properties that are no secrets.
    public var customMirror: Mirror {
        Mirror(self, children: ["accessKeyID": accessKeyID, "expiration": expiration], displayStyle: .struct)
    }
}

/// All that the service says of a session.
public struct Session: Sendable, Equatable {
    /// The credentials.
    public let credentials: Credentials
    /// The role.
    public let roleARN: String?
    /// Who the credentials are, the role session included.
    public let assumedRoleARN: String?
    /// The source identity that the service derived from the certificate.
    public let sourceIdentity: String?
    /// The service's record of the certificate's subject.
    public let subjectARN: String?
    /// The request id, which AWS support asks for.
    public let requestID: String?
}

extension Session {
    init(_ session: RolesAnywhereNative.Session) {
        let parts = session.parts()
        credentials = Credentials(
            accessKeyID: parts.accessKeyId,
            secretAccessKey: parts.secretAccessKey,
            sessionToken: parts.sessionToken,
            expiration: Date(seconds: parts.expiration),
            accountID: parts.accountId
        )
        roleARN = parts.roleArn
        assumedRoleARN = parts.assumedRoleArn
        sourceIdentity = parts.sourceIdentity
        subjectARN = parts.subjectArn
        requestID = parts.requestId
    }
}
