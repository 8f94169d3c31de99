import RolesAnywhere

import struct Smithy.Attributes
import struct SmithyIdentity.AWSCredentialIdentity
import protocol SmithyIdentity.AWSCredentialIdentityResolver

/// Credentials of Roles Anywhere for the clients of the AWS SDK for Swift.
///
/// ```swift
/// let configuration = try await S3Client.S3ClientConfig(
///     awsCredentialIdentityResolver: RolesAnywhereCredentialIdentityResolver(provider), region: "eu-west-1"
/// )
/// ```
///
/// The provider caches and renews; the SDK asks it for every request.
public struct RolesAnywhereCredentialIdentityResolver: AWSCredentialIdentityResolver {
    private let provider: RolesAnywhereCredentialProvider

    /// - Parameter provider: The provider, which other resolvers may share.
    public init(_ provider: RolesAnywhereCredentialProvider) {
        self.provider = provider
    }

    /// Credentials that are valid now.
    ///
    /// - Parameter identityProperties: What the client says of itself; nothing of it matters here.
    /// - Throws: `RolesAnywhereError` when there are none.
    public func getIdentity(identityProperties: Attributes?) async throws -> AWSCredentialIdentity {
        let credentials = try await provider.credentials()
        return AWSCredentialIdentity(
            accessKey: credentials.accessKeyID,
            secret: credentials.secretAccessKey,
            accountID: credentials.accountID,
            expiration: credentials.expiration,
            sessionToken: credentials.sessionToken
        )
    }
}
