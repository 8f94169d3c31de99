import RolesAnywhere
import SotoCore

/// Credentials of Roles Anywhere for Soto's `AWSClient`: use
/// ``SotoCore/CredentialProviderFactory/rolesAnywhere(_:)``.
public struct RolesAnywhereSotoProvider: CredentialProvider {
    private let provider: RolesAnywhereCredentialProvider

    /// - Parameter provider: The provider, which other clients may share.
    public init(_ provider: RolesAnywhereCredentialProvider) {
        self.provider = provider
    }

    /// Credentials that are valid now.
    ///
    /// - Parameter logger: Not used: the provider tells failures through its configuration.
    /// - Throws: `RolesAnywhereError` when there are none.
    public func getCredential(logger: Logger) async throws -> any Credential {
        let credentials = try await provider.credentials()
        return RotatingCredential(
            accessKeyId: credentials.accessKeyID,
            secretAccessKey: credentials.secretAccessKey,
            sessionToken: credentials.sessionToken,
            expiration: credentials.expiration
        )
    }

    /// The name, without anything of the credentials.
    public var description: String { "RolesAnywhereSotoProvider" }
}

extension CredentialProviderFactory {
    /// Credentials of Roles Anywhere.
    ///
    /// ```swift
    /// let client = AWSClient(credentialProvider: .rolesAnywhere(provider))
    /// ```
    ///
    /// Soto's `RotatingCredentialProvider` is not put around it: the provider caches and renews, in the
    /// background and earlier than Soto would.
    public static func rolesAnywhere(_ provider: RolesAnywhereCredentialProvider) -> CredentialProviderFactory {
        .custom { _ in RolesAnywhereSotoProvider(provider) }
    }
}
