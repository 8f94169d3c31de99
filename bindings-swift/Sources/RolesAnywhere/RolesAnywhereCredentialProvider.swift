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
/// Make one and share it. One request is in flight at a time, whoever waits for it. Credentials are renewed on demand:
/// the first use in the last 15 minutes (less for short sessions) begins a renewal in the background, in the last 5
/// callers wait for it, and when it fails, the credentials are used while they are valid. A provider that nobody asks
/// sends nothing.
public actor RolesAnywhereCredentialProvider {
    private let call: CreateSession
    private let clocks: Clocks
    /// Decides everything; it locks itself.
    private let provider: Provider
    private let driver: Driver

    private var held: (credentials: Credentials, window: Window)?
    private var waiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    private var lastWaiter: UInt64 = 0
    /// How often those who wait were woken.
    private var wakes: UInt64 = 0

    /// Makes a provider for one identity. Nothing is sent yet.
    ///
    /// - Parameters:
    ///   - configuration: What to ask for.
    ///   - identity: The certificate and what signs for it.
    ///   - transport: What carries requests.
    ///   - clock: The time, where it is not the machine's. One that is wrong is corrected by what the service says.
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when the configuration is malformed.
    public init(
        configuration: RolesAnywhereConfiguration, identity: Identity,
        transport: any Transport = URLSessionTransport.shared, clock: (@Sendable () -> Date)? = nil
    ) throws {
        try self.init(configuration: configuration, transport: transport, clock: clock) { identity }
    }

    /// Makes a provider that asks for its identity at every renewal, so that a certificate that was replaced
    /// is taken up: ``Identity/files(certificate:privateKey:intermediates:password:)`` for instance.
    ///
    /// - Parameters:
    ///   - configuration: What to ask for.
    ///   - transport: What carries requests.
    ///   - clock: The time, where it is not the machine's.
    ///   - loadingIdentity: Called at every renewal, in a task of its own; it must not block its thread. After
    ///     ``RolesAnywhereConfiguration/identityTimeout`` its task is cancelled and the renewal fails. What it throws
    ///     that is no ``RolesAnywhereError`` becomes ``RolesAnywhereError/invalidInput(message:)`` with its
    ///     description.
    /// - Throws: ``RolesAnywhereError/invalidInput(message:)`` when the configuration is malformed.
    public init(
        configuration: RolesAnywhereConfiguration, transport: any Transport = URLSessionTransport.shared,
        clock: (@Sendable () -> Date)? = nil,
        loadingIdentity: @escaping @Sendable () async throws -> Identity
    ) throws {
        let call = try configuration.call()
        let clocks = Clocks(clock)
        let provider = Provider(
            call: call, policy: configuration.policy, sharing: nil, machine: nil, countsSleep: clocks.countsSleep,
            seed: .random(in: 0...UInt64.max)
        )
        self.call = call
        self.clocks = clocks
        self.provider = provider
        driver = Driver(
            provider: provider, endpoint: call.endpoint().url, transport: transport, clocks: clocks,
            loadIdentity: loadingIdentity, onRenewalFailure: configuration.onRenewalFailure
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
            let now = clocks.now()
            if let held, held.window.covers(now) { return held.credentials }
            switch provider.ask(now: now) {
            case let .use(session, window):
                return hold(session, window)
            case let .useAndDrive(session, window):
                drive()
                return hold(session, window)
            case .drive:
                drive()
                try await wait(atMost: nil)
            case let .wait(atMost):
                try await wait(atMost: Duration(milliseconds: atMost))
            case let .fail(failure, _):
                throw RolesAnywhereError(failure)
            }
        }
    }

    /// Says that the credentials at hand are not wanted, although they may be valid: AWS has refused them, or the
    /// role's permissions have changed. The next who asks waits for others.
    public func invalidate() {
        held = nil
        provider.refresh(now: clocks.now())
    }

    /// Calls CreateSession, past the credentials at hand and the plan of renewals: all that the service says.
    ///
    /// - Throws: ``RolesAnywhereError``, or `CancellationError` when the task was cancelled.
    public nonisolated func createSession() async throws -> Session {
        let once = provider.oneShot(seed: .random(in: 0...UInt64.max))
        _ = once.ask(now: clocks.now()) // it has nothing: this task drives
        try await driver.with(once).run {}
        if let session = once.session() { return Session(session) }
        throw once.error().map(RolesAnywhereError.init) ?? .serviceUnavailable(message: "no session came: try again")
    }

    // MARK: - Those who wait, and the one who drives

    private func hold(_ session: RolesAnywhereNative.Session, _ window: Window) -> Credentials {
        let credentials = Session(session).credentials
        held = (credentials, window)
        return credentials
    }

    /// A task of its own, which none of those who wait can cancel, and which has no task-local value of theirs.
    private func drive() {
        Task.detached { [self] in
            try? await driver.run { await self.wake() } // nobody cancels it
            await wake()
        }
    }

    /// Has everybody ask again.
    private func wake() {
        held = nil
        wakes &+= 1
        let waiting = waiters.values
        waiters = [:]
        for waiter in waiting { waiter.resume() }
    }

    private func wait(atMost limit: Duration?) async throws {
        lastWaiter &+= 1
        let (waiter, seen) = (lastWaiter, wakes)
        let timer = limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                release(waiter, .success(()))
            }
        }
        defer { timer?.cancel() }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                if Task.isCancelled {
                    continuation.resume(throwing: CancellationError())
                } else if wakes != seen {
                    continuation.resume() // it ended on the way here
                } else {
                    waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await release(waiter, .failure(CancellationError())) }
        }
    }

    private func release(_ waiter: UInt64, _ result: Result<Void, any Error>) {
        waiters.removeValue(forKey: waiter)?.resume(with: result)
    }
}
