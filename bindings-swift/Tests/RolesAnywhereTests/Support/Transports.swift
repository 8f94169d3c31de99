import Foundation
import Testing

@testable import RolesAnywhere

/// Lets requests through when it is opened.
actor Gate: Transport {
    private let inner = URLSessionTransport.shared
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private(set) var arrived = 0

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func send(_ request: HTTPRequest, timeout: Duration) async throws -> HTTPResponse {
        arrived += 1
        // Deaf to cancellation, as bad transports are.
        if !isOpen { await withCheckedContinuation { waiting.append($0) } }
        return try await inner.send(request, timeout: timeout)
    }
}

/// Answers by a closure that is given the number of the request, from 1; `nil` passes it on.
actor Scripted: Transport {
    private let inner = URLSessionTransport.shared
    private let answer: @Sendable (Int, HTTPRequest) throws -> HTTPResponse?
    private(set) var sent = 0

    init(_ answer: @escaping @Sendable (Int, HTTPRequest) throws -> HTTPResponse?) {
        self.answer = answer
    }

    func send(_ request: HTTPRequest, timeout: Duration) async throws -> HTTPResponse {
        sent += 1
        if let response = try answer(sent, request) { return response }
        return try await inner.send(request, timeout: timeout)
    }
}

/// A value that closures of several tasks change.
final class Shared<T: Sendable>: @unchecked Sendable { // behind the lock
    private let lock = NSLock()
    private var value: T
    init(_ value: T) { self.value = value }
    func with<R>(_ act: (inout T) throws -> R) rethrows -> R { try lock.withLock { try act(&value) } }
    var current: T { with { $0 } }
}

/// Waits until something holds, five seconds at most.
func eventually(_ holds: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<500 {
        if try await holds() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// The error of ours that something throws; anything else fails the test. (Swift Testing 6.0 returns none.)
func refusal(_ act: () async throws -> Void) async -> RolesAnywhereError? {
    do {
        try await act()
        Issue.record("nothing was thrown")
    } catch let error as RolesAnywhereError {
        return error
    } catch {
        Issue.record("\(error) was thrown")
    }
    return nil
}

func refusalAtOnce(_ act: () throws -> Void) -> RolesAnywhereError? {
    do {
        try act()
        Issue.record("nothing was thrown")
    } catch let error as RolesAnywhereError {
        return error
    } catch {
        Issue.record("\(error) was thrown")
    }
    return nil
}
