import Foundation

#if canImport(Glibc)
    import Glibc
    private let stream = Int32(SOCK_STREAM.rawValue)
    private let flags = Int32(MSG_NOSIGNAL)
#else
    import Darwin
    private let stream = SOCK_STREAM
    private let flags: Int32 = 0
#endif

/// A server on loopback that answers every connection with the same bytes, and closes it.
final class Server: @unchecked Sendable { // what changes is behind the lock
    let url: String
    private let listener: Int32
    private let lock = NSLock()
    private var received: [String] = []

    /// `answer` is all of what goes on the wire; nothing, and the connection is just closed. With `drip`, each byte
    /// is sent so long after the one before it.
    init(_ answer: String, drip: Duration? = nil) throws {
        let listener = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw Failed("no socket on loopback") }
        self.listener = listener
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        let thread = Thread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                let request = Self.read(connection)
                self?.lock.withLock { self?.received.append(request) }
                let bytes = [UInt8](answer.utf8)
                var sent = 0
                while sent < bytes.count {
                    let most = drip == nil ? bytes.count - sent : 1
                    let count = bytes[sent...].withUnsafeBytes { send(connection, $0.baseAddress, most, flags) }
                    if count <= 0 { break }
                    if let drip { Thread.sleep(forTimeInterval: drip / .seconds(1)) }
                    sent += count
                }
                shutdown(connection, Int32(SHUT_RDWR))
                close(connection)
            }
        }
        thread.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR)) // wakes the thread
        close(listener)
    }

    /// The requests so far, as they came.
    var requests: [String] { lock.withLock { received } }

    /// An answer with a length, to close the connection after.
    static func answering(_ status: String, _ headers: [String] = [], _ body: String = "") throws -> Server {
        let head = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)", "Connection: close"] + headers
        return try Server(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    private static func read(_ connection: Int32) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return text }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let length = text[..<end.lowerBound].split(separator: "\r\n")
                .first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.split(separator: ":")[1].trimmingCharacters(in: .whitespaces)) } ?? 0
            if text[end.upperBound...].utf8.count >= length { return text }
        }
    }
}
