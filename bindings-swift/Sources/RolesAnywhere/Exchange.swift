import Foundation

internal import RolesAnywhereNative

/// CreateSession over a transport: signed, sent, retried, its answer read.
struct Exchange: Sendable {
    let call: CreateSession
    let transport: any Transport
    let attemptTimeout: Duration
    let signingTimeout: Duration
    let maximumAttempts: Int
    /// The time to date requests with, Unix seconds.
    let signingTime: @Sendable () -> Int64
    let pause: @Sendable (Duration) async throws -> Void

    /// A renewal does not pause longer than this between two attempts; what the service wants longer is left
    /// to the plan of renewals.
    static let maximumPause: Duration = .seconds(5)
    /// A clock that is off by less is not what the service refused for, as in the core. Seconds.
    static let ignoredClockOffset: Int64 = 60

    /// Calls until it succeeds or there is no point in going on; every attempt is signed anew. Throws a
    /// `Failure` of the core's, a `RolesAnywhereError` or a `CancellationError`.
    func session(of identity: Identity) async throws -> RolesAnywhereNative.Session {
        var skew: Int64 = 0
        var isCorrected = false
        var attempt = 0
        while true {
            attempt += 1
            do {
                return try await attemptSession(of: identity, skew: skew)
            } catch {
                guard let told = told(error) else { throw error }
                if !isCorrected, let offset = clockOffset(told) {
                    // The clock is wrong, the service's answer told by how much: once more, at once.
                    (skew, isCorrected) = (offset, true)
                    continue
                }
                guard let duration = pauseAfter(told, attempt: attempt) else { throw error }
                try await pause(duration)
            }
        }
    }

    private func attemptSession(of identity: Identity, skew: Int64) async throws -> RolesAnywhereNative.Session {
        let unsigned = try call.prepare(chain: identity.chain, now: signingTime() + skew)
        let signed = try await identity.sign(unsigned, within: signingTimeout)
        var response = try await send(signed)
        defer { response.body.wipe() }
        guard let status = UInt16(exactly: response.status) else {
            throw RolesAnywhereError.invalidResponse(
                message: "the transport's answer has the status `\(response.status)`, which is none: correct the transport"
            )
        }
        return try .fromResponse(
            status: status,
            headers: response.headers.map { Header(name: $0.name, value: $0.value) },
            body: response.body
        )
    }

    private func send(_ signed: RolesAnywhereNative.HttpRequest) async throws -> HTTPResponse {
        // The core writes URLs percent-encoded; Foundation must not touch them.
        guard let url = URL(string: signed.url), url.absoluteString == signed.url else {
            throw RolesAnywhereError.invalidInput(message: "`\(signed.url)` is no URL: correct the endpoint")
        }
        let request = HTTPRequest(
            method: signed.method, url: url,
            headers: signed.headers.map { HTTPHeader(name: $0.name, value: $0.value) }, body: signed.body
        )
        let advice = "check the network, the proxy and the CA bundle"
        do {
            return try await withDeadline(attemptTimeout) { [transport, attemptTimeout] in
                try await transport.send(request, timeout: attemptTimeout)
            }
        } catch let error as RolesAnywhereError {
            throw error
        } catch is DeadlineExceeded {
            throw RolesAnywhereError.transportFailed(
                message: "no answer from `\(call.endpoint().url)` within \(attemptTimeout): \(advice)"
            )
        } catch is CancellationError where Task.isCancelled {
            throw CancellationError()
        } catch {
            throw RolesAnywhereError.transportFailed(
                message: "no answer from `\(call.endpoint().url)`: \(described(error)); \(advice)"
            )
        }
    }

    private func clockOffset(_ error: RolesAnywhereError) -> Int64? {
        guard let service = error.service, let serverTime = service.serverTime else { return nil }
        guard [400, 401, 403].contains(service.status) else { return nil }
        let offset = serverTime.seconds - signingTime()
        return abs(offset) >= Self.ignoredClockOffset ? offset : nil
    }

    private func pauseAfter(_ error: RolesAnywhereError, attempt: Int) -> Duration? {
        if !error.isRetryable || attempt >= maximumAttempts { return nil }
        let asked = error.service?.retryAfter ?? .zero
        if asked > Self.maximumPause { return nil }
        let base: Duration = error.code == .transportFailed ? .milliseconds(100) : .milliseconds(500)
        // Full jitter, so that a fleet does not come back at once.
        let ceiling = min(Self.maximumPause, base * (1 << min(attempt, 10)))
        return max(asked, ceiling * Double.random(in: 0..<1))
    }
}

/// An error as people see it, `nil` for one that is none: cancellation.
func told(_ error: any Error) -> RolesAnywhereError? {
    switch error {
    case let failure as Failure: RolesAnywhereError(failure)
    case let error as RolesAnywhereError: error
    default: nil
    }
}
