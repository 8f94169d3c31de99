import Foundation

internal import RolesAnywhereNative

/// What can go wrong, told apart by what to do next: one case per kind, the same kinds in every language.
///
/// Messages are lower case, name the cause and the next action, quote your words in backticks and never
/// hold a secret. `localizedDescription` is the message.
public enum RolesAnywhereError: Error, Sendable, Equatable {
    /// The service refused (401, 403): check the certificate, the trust anchor, the profile, the role and
    /// its trust policy.
    case accessDenied(message: String, service: ServiceAnswer? = nil)
    /// The certificate or its chain cannot be read or used: ask its issuer for another, or convert it.
    case invalidCertificate(message: String)
    /// An argument is out of bounds or malformed: correct it.
    case invalidInput(message: String)
    /// The private key cannot be read: convert it as the message says.
    case invalidKey(message: String)
    /// The answer is not what the service sends: check the endpoint and what stands between.
    case invalidResponse(message: String, service: ServiceAnswer? = nil)
    /// The private key does not belong to the certificate: pass the pair that does.
    case keyMismatch(message: String)
    /// The key is encrypted and no password was given: give one.
    case passwordRequired(message: String)
    /// The service found the request invalid (400, 404 and other 4xx): correct the request.
    case requestRejected(message: String, service: ServiceAnswer? = nil)
    /// The service failed (5xx): try again later.
    case serviceUnavailable(message: String, service: ServiceAnswer? = nil)
    /// The signer could not sign: look at the key store that it uses.
    case signingFailed(message: String)
    /// The service asked to slow down (429): try again later, and share sessions.
    case throttled(message: String, service: ServiceAnswer? = nil)
    /// The request or the answer was lost on the way: check the network, the proxy and the CA bundle.
    case transportFailed(message: String)
    /// The format or algorithm is known, and refused by name: convert as the message says.
    case unsupported(message: String)
    /// The password does not open the key: give the right one.
    case wrongPassword(message: String)

    /// The stable codes of the kinds, the contract across languages.
    public enum Code: String, Sendable, CaseIterable {
        /// ``RolesAnywhereError/accessDenied(message:service:)``
        case accessDenied = "access_denied"
        /// ``RolesAnywhereError/invalidCertificate(message:)``
        case invalidCertificate = "invalid_certificate"
        /// ``RolesAnywhereError/invalidInput(message:)``
        case invalidInput = "invalid_input"
        /// ``RolesAnywhereError/invalidKey(message:)``
        case invalidKey = "invalid_key"
        /// ``RolesAnywhereError/invalidResponse(message:service:)``
        case invalidResponse = "invalid_response"
        /// ``RolesAnywhereError/keyMismatch(message:)``
        case keyMismatch = "key_mismatch"
        /// ``RolesAnywhereError/passwordRequired(message:)``
        case passwordRequired = "password_required"
        /// ``RolesAnywhereError/requestRejected(message:service:)``
        case requestRejected = "request_rejected"
        /// ``RolesAnywhereError/serviceUnavailable(message:service:)``
        case serviceUnavailable = "service_unavailable"
        /// ``RolesAnywhereError/signingFailed(message:)``
        case signingFailed = "signing_failed"
        /// ``RolesAnywhereError/throttled(message:service:)``
        case throttled = "throttled"
        /// ``RolesAnywhereError/transportFailed(message:)``
        case transportFailed = "transport_failed"
        /// ``RolesAnywhereError/unsupported(message:)``
        case unsupported = "unsupported"
        /// ``RolesAnywhereError/wrongPassword(message:)``
        case wrongPassword = "wrong_password"

        /// Whether the same request, signed anew, may succeed later.
        public var isRetryable: Bool {
            switch self {
            case .serviceUnavailable, .throttled, .transportFailed: true
            default: false
            }
        }
    }

    /// The stable code of the kind.
    public var code: Code { parts.code }

    /// The cause and the next action, in English, without a secret.
    public var message: String { parts.message }

    /// What the service answered, where it was the service that refused.
    public var service: ServiceAnswer? { parts.service }

    /// Whether the same request, signed anew, may succeed later.
    public var isRetryable: Bool { code.isRetryable }

    private var parts: (code: Code, message: String, service: ServiceAnswer?) {
        switch self {
        case let .accessDenied(message, service): (.accessDenied, message, service)
        case let .invalidCertificate(message): (.invalidCertificate, message, nil)
        case let .invalidInput(message): (.invalidInput, message, nil)
        case let .invalidKey(message): (.invalidKey, message, nil)
        case let .invalidResponse(message, service): (.invalidResponse, message, service)
        case let .keyMismatch(message): (.keyMismatch, message, nil)
        case let .passwordRequired(message): (.passwordRequired, message, nil)
        case let .requestRejected(message, service): (.requestRejected, message, service)
        case let .serviceUnavailable(message, service): (.serviceUnavailable, message, service)
        case let .signingFailed(message): (.signingFailed, message, nil)
        case let .throttled(message, service): (.throttled, message, service)
        case let .transportFailed(message): (.transportFailed, message, nil)
        case let .unsupported(message): (.unsupported, message, nil)
        case let .wrongPassword(message): (.wrongPassword, message, nil)
        }
    }
}

extension RolesAnywhereError: LocalizedError, CustomStringConvertible {
    /// The message.
    public var errorDescription: String? { message }

    /// The code and the message.
    public var description: String { "\(code.rawValue): \(message)" }
}

/// What the service said when it refused.
public struct ServiceAnswer: Sendable, Equatable {
    /// The HTTP status.
    public let status: Int
    /// The error's code, `AccessDeniedException` for instance.
    public let code: String?
    /// The service's message.
    public let message: String?
    /// The request id, which AWS support asks for.
    public let requestID: String?
    /// The server's clock when it answered.
    public let serverTime: Date?
    /// How long the service asks to wait before the next try.
    public let retryAfter: Duration?
}

// MARK: - The border to the core

extension RolesAnywhereError {
    /// The one match from the core's kinds.
    init(_ failure: Failure) {
        let message = failure.message()
        let service = failure.service().map(ServiceAnswer.init)
        self =
            switch failure.kind() {
            case .accessDenied: .accessDenied(message: message, service: service)
            case .invalidCertificate: .invalidCertificate(message: message)
            case .invalidInput: .invalidInput(message: message)
            case .invalidKey: .invalidKey(message: message)
            case .invalidResponse: .invalidResponse(message: message, service: service)
            case .keyMismatch: .keyMismatch(message: message)
            case .passwordRequired: .passwordRequired(message: message)
            case .requestRejected: .requestRejected(message: message, service: service)
            case .serviceUnavailable: .serviceUnavailable(message: message, service: service)
            case .signingFailed: .signingFailed(message: message)
            case .throttled: .throttled(message: message, service: service)
            case .transportFailed: .transportFailed(message: message)
            case .unsupported: .unsupported(message: message)
            case .wrongPassword: .wrongPassword(message: message)
            }
    }

    /// What the core is told of an error that it did not make itself.
    var failure: Failure {
        let kind: FailureKind =
            switch code {
            case .accessDenied: .accessDenied
            case .invalidCertificate: .invalidCertificate
            case .invalidInput: .invalidInput
            case .invalidKey: .invalidKey
            case .invalidResponse: .invalidResponse
            case .keyMismatch: .keyMismatch
            case .passwordRequired: .passwordRequired
            case .requestRejected: .requestRejected
            case .serviceUnavailable: .serviceUnavailable
            case .signingFailed: .signingFailed
            case .throttled: .throttled
            case .transportFailed: .transportFailed
            case .unsupported: .unsupported
            case .wrongPassword: .wrongPassword
            }
        return Failure(kind: kind, message: message)
    }
}

extension ServiceAnswer {
    fileprivate init(_ answer: RolesAnywhereNative.ServiceAnswer) {
        status = Int(answer.status)
        code = answer.code
        message = answer.message
        requestID = answer.requestId
        serverTime = answer.serverTime.map(Date.init(seconds:))
        retryAfter = answer.retryAfter.map { .seconds(Int64(clamping: $0)) }
    }
}

/// Calls into the core; what it throws becomes a ``RolesAnywhereError``.
func calling<T>(_ act: () throws -> T) throws -> T {
    do {
        return try act()
    } catch let failure as Failure {
        throw RolesAnywhereError(failure)
    }
}
