import Foundation

internal import RolesAnywhereNative

/// Temporary AWS credentials that renew themselves.
///
/// ```swift
/// let provider = try RolesAnywhereCredentialProvider(
///     configuration: RolesAnywhereConfiguration(trustAnchorARN: anchor, profileARN: profile, roleARN: role),
///     identity: Identity(contentsOf: certificateFile, privateKey: keyFile)
/// )
/// let credentials = try await provider.credentials()
/// ```
///
/// Make one and share it. One request is in flight at a time, whoever waits for it; renewal begins in the
/// background 15 minutes before the credentials end, is waited for in the last 5 (less for short sessions),
/// and when it fails, the credentials are used while they are valid.
public actor RolesAnywhereCredentialProvider {
    private let call: CreateSession
    private let exchange: Exchange
    private let loadIdentity: @Sendable () async throws -> Identity
    private let clock: @Sendable () -> Date
    private let onRenewalFailure: (@Sendable (RolesAnywhereError) -> Void)?
    /// When to renew: it locks itself.
    private let renewal: Renewal

    private var held: (credentials: Credentials, receivedAt: Int64)?
    private var lastError: (error: RolesAnywhereError, at: Int64)?
    private var isRenewing = false
    private var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    private var lastWaiter: UInt64 = 0

    /// Makes a provider for one identity. Nothing is sent yet.
    ///
    /// - Parameters:
    ///   - configuration: What to ask for.
    ///   - identity: The certificate and what signs for it.
    ///   - transport: What carries requests.
    ///   - clock: The time. One that is wrong is corrected by what the service says.
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when the configuration is malformed.
    public init(
        configuration: RolesAnywhereConfiguration, identity: Identity,
        transport: any Transport = URLSessionTransport.shared, clock: @escaping @Sendable () -> Date = { Date() }
    ) throws {
        try self.init(configuration: configuration, transport: transport, clock: clock) { identity }
    }

    /// Makes a provider that asks for its identity at every renewal, so that a certificate that was replaced
    /// is taken up: ``Identity/files(certificate:privateKey:intermediates:password:)`` for instance.
    ///
    /// - Parameters:
    ///   - configuration: What to ask for.
    ///   - transport: What carries requests.
    ///   - clock: The time.
    ///   - loadingIdentity: Called at every renewal. What it throws that is no ``RolesAnywhereError`` becomes
    ///     ``RolesAnywhereError/invalidInput(message:)`` with its description.
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when the configuration is malformed.
    public init(
        configuration: RolesAnywhereConfiguration, transport: any Transport = URLSessionTransport.shared,
        clock: @escaping @Sendable () -> Date = { Date() },
        loadingIdentity: @escaping @Sendable () async throws -> Identity
    ) throws {
        let call = try configuration.call()
        let renewal = Renewal(jitter: .random(in: 0...UInt64.max))
        self.call = call
        self.renewal = renewal
        self.clock = clock
        loadIdentity = loadingIdentity
        onRenewalFailure = configuration.onRenewalFailure
        exchange = Exchange(
            call: call,
            transport: transport,
            attemptTimeout: configuration.attemptTimeout,
            signingTimeout: configuration.signingTimeout,
            maximumAttempts: configuration.maximumAttempts,
            signingTime: { renewal.signingTime(now: clock().seconds) },
            pause: { try await Task.sleep(for: $0) }
        )
    }

    /// The region of the trust anchor.
    public nonisolated var region: String { call.endpoint().region }

    /// The base URL of the endpoint.
    public nonisolated var endpoint: String { call.endpoint().url }

    /// Credentials that are valid now.
    ///
    /// A task that is cancelled while it waits stops waiting at once; the request goes on for the others, and
    /// for whoever asks next.
    ///
    /// - Throws: ``RolesAnywhereError`` when there are no valid credentials and none can be had, for a few
    ///   seconds or minutes the same again, without another request; `CancellationError` when the task was
    ///   cancelled while it waited.
    public func credentials() async throws -> Credentials {
        while true {
            let now = clock().seconds
            switch (renewal.next(now: now), held, lastError) {
            case let (.use, held?, _):
                if isSetBack(now, since: held.receivedAt) { beginRenewal() }
                return held.credentials
            case let (.useAndRenew, held?, _):
                beginRenewal()
                return held.credentials
            case let (.wait, _, last?):
                throw last.error
            default:
                beginRenewal()
                try await joinRenewal()
            }
        }
    }

    /// Calls CreateSession once, past the credentials at hand and the plan of renewals: all that the service
    /// says.
    ///
    /// - Throws: ``RolesAnywhereError``, or `CancellationError` when the task was cancelled.
    public nonisolated func createSession() async throws -> Session {
        do {
            return Session(try await exchange.session(of: identity()))
        } catch {
            throw told(error) ?? error
        }
    }

    // MARK: - Renewal

    /// By a clock that was set back, the credentials would seem valid for longer than they are: the service's
    /// next answer tells the time.
    private func isSetBack(_ now: Int64, since receivedAt: Int64) -> Bool {
        let offset = Exchange.ignoredClockOffset
        if let lastError, (0..<offset).contains(now - lastError.at) { return false }
        return now < receivedAt - offset
    }

    private func beginRenewal() {
        if isRenewing { return }
        isRenewing = true
        // A task of its own: none of those who wait can cancel it.
        Task { await renew() }
    }

    private func joinRenewal() async throws {
        lastWaiter += 1
        let waiter = lastWaiter
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else if !isRenewing {
                    continuation.resume() // it ended on the way here
                } else {
                    waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await abandon(waiter) }
        }
    }

    private func abandon(_ waiter: UInt64) {
        waiters.removeValue(forKey: waiter)?.resume(throwing: CancellationError())
    }

    private func renew() async {
        do {
            try takeIntoUse(await exchange.session(of: identity()))
        } catch {
            let failure = error as? Failure
            let error = told(error) ?? .transportFailed(message: "the renewal failed: \(described(error))")
            let now = clock().seconds
            renewal.failed(now: now, failure: failure ?? error.failure)
            lastError = (error, now)
            onRenewalFailure?(error)
        }
        isRenewing = false
        let waiting = waiters.values
        waiters = [:]
        for waiter in waiting { waiter.resume() }
    }

    private func takeIntoUse(_ session: RolesAnywhereNative.Session) throws {
        let now = clock().seconds
        renewal.renewed(now: now, session: session)
        guard renewal.isValid(now: now) else {
            throw RolesAnywhereError.invalidResponse(
                message: "the service's credentials had expired when they came: check the clock of this machine"
            )
        }
        held = (Session(session).credentials, now)
        lastError = nil
    }

    private nonisolated func identity() async throws -> Identity {
        do {
            return try await loadIdentity()
        } catch let error as RolesAnywhereError {
            throw error
        } catch is CancellationError where Task.isCancelled {
            throw CancellationError()
        } catch {
            throw RolesAnywhereError.invalidInput(message: "the identity cannot be loaded: \(described(error))")
        }
    }
}
