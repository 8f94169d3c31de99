import Foundation

internal import RolesAnywhereNative

/// Carries out what the core's provider wants to be done. What to do, how often and for how long is the core's to
/// decide.
struct Driver: Sendable {
    let provider: Provider
    let endpoint: String
    let transport: any Transport
    let clocks: Clocks
    let loadIdentity: @Sendable () async throws -> Identity
    /// Told of every renewal that fails.
    let onRenewalFailure: (@Sendable (RolesAnywhereError) -> Void)?

    /// Drives until nothing is left to do. `wake` is called when those who wait are to ask again.
    ///
    /// - Throws: `CancellationError` when its task was cancelled, nothing else.
    func run(wake: @Sendable () async -> Void) async throws {
        var identity: Identity?
        do {
            while let action = provider.poll(now: clocks.now()) {
                switch action {
                case let .loadIdentity(id, timeout): identity = try await load(id, within: timeout)
                case let .sign(id, request, timeout): try await sign(id, request, with: identity, within: timeout)
                case let .send(id, request, timeout): try await send(id, request, within: timeout)
                case let .pause(duration):
                    try await Task.sleep(for: Duration(milliseconds: duration))
                    provider.tick(now: clocks.now())
                case .use, .fail: await wake()
                case let .note(kind, _, _): note(kind)
                case .load, .lock, .store, .unlock, .unknown: break // of a store, which this provider has not
                }
            }
        } catch {
            provider.cancelled(now: clocks.now())
            throw error
        }
    }

    /// The same for a provider of one call, whose failures its caller is told.
    func with(_ once: Provider) -> Driver {
        Driver(
            provider: once, endpoint: endpoint, transport: transport, clocks: clocks, loadIdentity: loadIdentity,
            onRenewalFailure: nil
        )
    }

    private func note(_ kind: String) {
        guard kind == "renewal_failed", let onRenewalFailure, let failure = provider.error() else { return }
        onRenewalFailure(RolesAnywhereError(failure))
    }

    private func load(_ id: UInt32, within timeout: UInt64) async throws -> Identity? {
        let files = FileTimes()
        let identity = try await inTime(id, timeout) {
            try await FileTimes.$current.withValue(files) { try await loadIdentity() }
        } failed: { error in
            let failure = failure(error) { .invalidInput(message: "the identity cannot be loaded: \($0)") }
            provider.identityFailed(now: clocks.now(), id: id, failure: failure, modified: files.newest?.milliseconds)
        }
        if let identity { provider.identityLoaded(now: clocks.now(), id: id, chain: identity.chain) }
        return identity
    }

    private func sign(
        _ id: UInt32, _ request: UnsignedRequest, with identity: Identity?, within timeout: UInt64
    ) async throws {
        let signature = try await inTime(id, timeout) {
            guard let identity else { throw RolesAnywhereError.signingFailed(message: "no identity is at hand: ask again") }
            return try await identity.sign(request)
        } failed: { error in
            let failure = failure(error) { .signingFailed(message: "the signer failed: \($0)") }
            provider.signFailed(now: clocks.now(), id: id, failure: failure)
        }
        if let signature { provider.signed(now: clocks.now(), id: id, signature: signature) }
    }

    private func send(_ id: UInt32, _ signed: RolesAnywhereNative.HttpRequest, within timeout: UInt64) async throws {
        func lose(_ error: any Error) {
            let failure = failure(error) {
                .transportFailed(message: "no answer from `\(endpoint)`: \($0); check the network, the proxy and the CA bundle")
            }
            provider.notAnswered(now: clocks.now(), id: id, loss: loss(of: error), failure: failure)
        }
        // The core writes URLs percent-encoded; Foundation must not touch them.
        guard let url = URL(string: signed.url), url.absoluteString == signed.url else {
            return lose(RolesAnywhereError.invalidInput(message: "`\(signed.url)` is no URL: correct the endpoint"))
        }
        let request = HTTPRequest(
            method: signed.method, url: url,
            headers: signed.headers.map { HTTPHeader(name: $0.name, value: $0.value) }, body: signed.body
        )
        let response = try await inTime(id, timeout) {
            try await transport.send(request, timeout: Duration(milliseconds: timeout))
        } failed: { lose($0) }
        guard var response else { return }
        defer { response.body.wipe() }
        guard let status = UInt16(exactly: response.status) else {
            return lose(
                RolesAnywhereError.invalidResponse(
                    message: "the transport's answer has the status `\(response.status)`, which is none: correct the transport"
                )
            )
        }
        provider.answered(
            now: clocks.now(), id: id, status: status,
            headers: response.headers.map { Header(name: $0.name, value: $0.value) }, body: response.body
        )
    }

    /// What `work` gives in the time of an action. `nil` when it did not: the core has been told then, of what was
    /// thrown by `failed`.
    private func inTime<T: Sendable>(
        _ id: UInt32, _ timeout: UInt64, _ work: @escaping @Sendable () async throws -> T, failed: (any Error) -> Void
    ) async throws -> T? {
        do {
            return try await withDeadline(Duration(milliseconds: timeout), work)
        } catch is DeadlineExceeded {
            provider.timedOut(now: clocks.now(), id: id)
        } catch is CancellationError where Task.isCancelled {
            throw CancellationError()
        } catch {
            failed(error)
        }
        return nil
    }
}

/// An error for the core; of what is neither its own nor a ``RolesAnywhereError`` the words alone are known.
private func failure(_ error: any Error, _ otherwise: (String) -> RolesAnywhereError) -> Failure {
    switch error {
    case let failure as Failure: failure
    case let error as RolesAnywhereError: error.failure
    default: otherwise(described(error)).failure
    }
}

/// How an answer was lost.
private func loss(of error: any Error) -> Loss {
    if let error = error as? RolesAnywhereError { return error.isRetryable ? .unreachable : .unsendable }
    return switch (error as? URLError)?.code {
    case .timedOut: .timedOut
    case .serverCertificateUntrusted, .serverCertificateHasBadDate, .serverCertificateNotYetValid,
        .serverCertificateHasUnknownRoot, .secureConnectionFailed:
        .untrusted
    case .badURL, .unsupportedURL: .unsendable
    default: .unreachable
    }
}
