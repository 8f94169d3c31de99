import Foundation

/// Time is up.
struct DeadlineExceeded: Error {}

/// Runs what may hang, and stops waiting for it when time is up or when the caller is cancelled: the
/// operation is cancelled then, and whatever comes of it is dropped. A task group would wait for it.
func withDeadline<T: Sendable>(
    _ limit: Duration, _ operation: @escaping @Sendable () async throws -> T
) async throws -> T {
    let outcome = Outcome<T>()
    let work = Task {
        do {
            outcome.settle(.success(try await operation()))
        } catch {
            outcome.settle(.failure(error))
        }
    }
    let timer = Task {
        // Cancelled: the operation has ended.
        guard (try? await Task.sleep(for: limit)) != nil else { return }
        outcome.settle(.failure(DeadlineExceeded()))
        work.cancel()
    }
    defer { timer.cancel() }
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { outcome.await($0) }
    } onCancel: {
        outcome.settle(.failure(CancellationError()))
        work.cancel()
    }
}

/// The first result, for one waiter.
private final class Outcome<T: Sendable>: @unchecked Sendable { // its state is behind the lock
    private let lock = NSLock()
    private var result: Result<T, any Error>?
    private var waiter: CheckedContinuation<T, any Error>?

    func settle(_ result: Result<T, any Error>) {
        let waiter: CheckedContinuation<T, any Error>? = lock.withLock {
            guard self.result == nil else { return nil }
            self.result = result
            defer { self.waiter = nil }
            return self.waiter
        }
        waiter?.resume(with: result)
    }

    func await(_ continuation: CheckedContinuation<T, any Error>) {
        let result: Result<T, any Error>? = lock.withLock {
            if self.result == nil { waiter = continuation }
            return self.result
        }
        if let result { continuation.resume(with: result) }
    }
}
