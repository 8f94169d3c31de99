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
    /// Whether plain HTTP to another machine is allowed: in a closed network, for a test. Whoever is on the way reads
    /// the credentials.
    public var allowsPlainHTTP = false
    /// How long an attempt's HTTP exchange may take; `nil` for the core's 10 seconds.
    public var attemptTimeout: Duration?
    /// How long loading the identity may take; `nil` for the core's 30 seconds.
    public var identityTimeout: Duration?
    /// How long a signer may take, where people are asked to touch things for instance; `nil` for the core's 20 seconds.
    public var signingTimeout: Duration?
    /// How often a request is sent before a renewal counts as failed, 1 or more; `nil` for the core's 3.
    public var maximumAttempts: Int?
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
        let times = [attemptTimeout, identityTimeout, signingTimeout].compactMap { $0 }
        if maximumAttempts.map({ $0 < 1 }) == true || times.contains(where: { $0 <= .zero }) {
            throw RolesAnywhereError.invalidInput(
                message: "`maximumAttempts`, `attemptTimeout`, `identityTimeout` or `signingTimeout` is none: "
                    + "pass 1 or more, and times above zero"
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
                    arnsInBody: arnPlacement == .body,
                    plainHttp: allowsPlainHTTP
                )
            )
        }
    }

    /// What of the core's policy the user has set.
    var policy: Policy {
        Policy(
            attempts: maximumAttempts.map { UInt32(clamping: $0) }, attemptTimeout: attemptTimeout?.milliseconds,
            identityTimeout: identityTimeout?.milliseconds, signingTimeout: signingTimeout?.milliseconds
        )
    }
}
