import Foundation

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Sends requests by `URLSession`, which uses the system's proxy and trust settings.
///
/// Nothing is cached or stored, no cookie is kept, no redirect followed, and no more than 256 KiB of an answer read.
///
/// Use ``shared``, or make one and keep it: on Linux, its session lives as long as the process.
public final class URLSessionTransport: Transport {
    /// The transport of those who bring none: an ephemeral session.
    public static let shared = URLSessionTransport()

    private let session: URLSession
    private let exchanges = Exchanges()

    /// - Parameter configuration: A configuration to copy, with a proxy for instance. Without one, an
    ///   ephemeral one.
    public init(configuration: URLSessionConfiguration = .ephemeral) {
        let own = configuration.copy() as? URLSessionConfiguration ?? .ephemeral
        own.urlCache = nil
        own.requestCachePolicy = .reloadIgnoringLocalCacheData
        own.httpCookieStorage = nil
        own.httpShouldSetCookies = false
        session = URLSession(configuration: own, delegate: exchanges, delegateQueue: nil)
        #if canImport(FoundationNetworking)
            // Observed with Swift 6.0.3: a session that ends while libcurl's timer runs ends the process
            // ("_MultiHandle deallocated with non-zero retain count").
            _ = Unmanaged.passRetained(session)
        #endif
    }

    #if !canImport(FoundationNetworking)
        deinit {
            session.finishTasksAndInvalidate() // the session holds its delegate until then
        }
    #endif

    public func send(_ request: HTTPRequest, timeout: Duration) async throws -> HTTPResponse {
        var wire = URLRequest(url: request.url)
        wire.httpMethod = request.method
        wire.timeoutInterval = timeout / .seconds(1)
        for header in request.headers { wire.addValue(header.value, forHTTPHeaderField: header.name) }
        if !request.body.isEmpty { wire.httpBody = request.body }
        let task = session.dataTask(with: wire)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                exchanges.begin(task, continuation)
            }
        } onCancel: {
            exchanges.cancel(task)
        }
    }
}

/// The exchanges under way, by their task.
private final class Exchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable { // its state is behind the lock
    private struct Exchange {
        let continuation: CheckedContinuation<HTTPResponse, any Error>
        var body = Data()
        var isTooLong = false
    }

    private let lock = NSLock()
    private var exchanges: [Int: Exchange] = [:]
    /// Tasks that were cancelled before they began.
    private var cancelled: Set<Int> = []

    func begin(_ task: URLSessionTask, _ continuation: CheckedContinuation<HTTPResponse, any Error>) {
        let begins = lock.withLock {
            if cancelled.remove(task.taskIdentifier) != nil { return false }
            exchanges[task.taskIdentifier] = Exchange(continuation: continuation)
            return true
        }
        if begins { task.resume() } else { continuation.resume(throwing: CancellationError()) }
    }

    func cancel(_ task: URLSessionTask) {
        let exchange = lock.withLock {
            let exchange = exchanges.removeValue(forKey: task.taskIdentifier)
            if exchange == nil, task.state == .suspended { cancelled.insert(task.taskIdentifier) }
            return exchange
        }
        task.cancel()
        exchange?.continuation.resume(throwing: CancellationError())
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooLong = lock.withLock {
            guard var exchange = exchanges[dataTask.taskIdentifier] else { return false }
            if exchange.body.count + data.count > maximumResponseLength {
                exchange.isTooLong = true
            } else {
                exchange.body.append(data)
            }
            exchanges[dataTask.taskIdentifier] = exchange
            return exchange.isTooLong
        }
        if isTooLong { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil) // a signed request follows nobody
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let exchange = lock.withLock({ exchanges.removeValue(forKey: task.taskIdentifier) }) else { return }
        if exchange.isTooLong {
            exchange.continuation.resume(throwing: RolesAnywhereError.invalidResponse(
                message: "the answer has more than the \(maximumResponseLength) bytes that a session may have: "
                    + "check the endpoint and what stands between"
            ))
        } else if let error {
            exchange.continuation.resume(throwing: error)
        } else if let response = task.response as? HTTPURLResponse {
            let headers = response.allHeaderFields.compactMap { name, value in
                (name as? String).map { HTTPHeader(name: $0, value: "\(value)") }
            }
            exchange.continuation.resume(
                returning: HTTPResponse(status: response.statusCode, headers: headers, body: exchange.body)
            )
        } else {
            exchange.continuation.resume(throwing: URLError(.badServerResponse))
        }
    }
}
