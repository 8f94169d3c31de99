import Foundation

internal import RolesAnywhereNative

/// What to ask the service for, and how.
public struct RolesAnywhereConfiguration: Sendable {
    /// The trust anchor, which also says the region.
    public var trustAnchorARN: String
    /// The profile.
    public var profileARN: String
    /// The role.
    public var roleARN: String
    /// The region of the endpoint; `nil` for the trust anchor's, which it must be the signing region of.
    public var region: String?
    /// The base URL of another endpoint: a VPC endpoint, an emulator.
    public var endpoint: String?
    /// Whether to call the FIPS endpoint.
    public var usesFIPS = false
    /// Whether to call the dual-stack endpoint.
    public var usesDualStack = false
    /// The session's length, 15 minutes to 12 hours in whole seconds; `nil` for the profile's.
    public var duration: Duration?
    /// The session's name, where the profile accepts one.
    public var roleSessionName: String?
    /// What the service records of the instance.
    public var instanceProperties: [String: String] = [:]
    /// Where the ARNs stand.
    public var arnPlacement = ARNPlacement.query
    /// How long an attempt's HTTP exchange may take.
    public var attemptTimeout: Duration = .seconds(10)
    /// How long an external signer may take: people are asked to touch things.
    public var signingTimeout: Duration = .seconds(60)
    /// How often a request is sent before a renewal counts as failed, 1 or more.
    public var maximumAttempts = 3
    /// Told of every renewal that fails, also of one in the background whose credentials are used on.
    public var onRenewalFailure: (@Sendable (RolesAnywhereError) -> Void)?

    /// Where the ARNs stand in a request.
    public enum ARNPlacement: Sendable {
        /// In the query, as AWS's own helper sends them.
        case query
        /// In the body.
        case body
    }

    /// A configuration with the service's defaults.
    public init(trustAnchorARN: String, profileARN: String, roleARN: String) {
        self.trustAnchorARN = trustAnchorARN
        self.profileARN = profileARN
        self.roleARN = roleARN
    }

    /// The checked call.
    func call() throws -> CreateSession {
        if maximumAttempts < 1 || attemptTimeout <= .zero || signingTimeout <= .zero {
            throw RolesAnywhereError.invalidInput(
                message: "`maximumAttempts`, `attemptTimeout` or `signingTimeout` is none: pass 1 or more, and times above zero"
            )
        }
        if let duration, duration.components.attoseconds != 0 {
            throw RolesAnywhereError.invalidInput(
                message: "the session duration is not whole seconds from 900 to 43200"
            )
        }
        return try calling {
            try CreateSession(
                parameters: CallParameters(
                    trustAnchorArn: trustAnchorARN,
                    profileArn: profileARN,
                    roleArn: roleARN,
                    region: region,
                    endpoint: endpoint,
                    fips: usesFIPS,
                    dualStack: usesDualStack,
                    durationSeconds: duration?.components.seconds,
                    roleSessionName: roleSessionName,
                    instanceProperties: instanceProperties,
                    arnsInBody: arnPlacement == .body
                )
            )
        }
    }
}
