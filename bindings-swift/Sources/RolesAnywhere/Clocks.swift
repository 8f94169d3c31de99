import Foundation

internal import RolesAnywhereNative

/// The clocks that the core is told of, and times in its unit.
struct Clocks: Sendable {
    /// The user's clock, `nil` for the machine's. The monotonic clock would disagree with one that was put in the
    /// place of the machine's, and is not told then.
    let replaced: (@Sendable () -> Date)?
    private let start = ContinuousClock.now

    init(_ replaced: (@Sendable () -> Date)?) {
        self.replaced = replaced
    }

    func now() -> Reading {
        if let replaced { return Reading(wall: replaced().milliseconds, monotonic: nil) }
        return Reading(wall: Date().milliseconds, monotonic: (ContinuousClock.now - start).milliseconds)
    }

    /// Whether the monotonic clock runs while the machine sleeps, as `ContinuousClock` does.
    var countsSleep: Bool { replaced == nil }
}

extension Window {
    func covers(_ now: Reading) -> Bool {
        guard since <= now.wall, now.wall < until else { return false }
        guard let monotonic = now.monotonic, let monotonicUntil else { return true }
        return monotonic < monotonicUntil
    }
}

extension Duration {
    /// Whole milliseconds, none for a negative duration.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = components
        if seconds < 0 || attoseconds < 0 { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000_000)).partialValue
    }

    init(milliseconds: UInt64) {
        self = .milliseconds(Int64(clamping: milliseconds))
    }
}

extension Date {
    init(seconds: Int64) {
        self.init(timeIntervalSince1970: TimeInterval(seconds))
    }

    /// Whole Unix seconds, rounded down; what is no time of this world is clamped to the years 1970 to 36812.
    var seconds: Int64 { milliseconds / 1000 }

    /// Whole milliseconds since the Unix epoch, rounded down and clamped in the same way.
    var milliseconds: Int64 {
        let time = (timeIntervalSince1970 * 1000).rounded(.down)
        return time.isFinite ? Int64(min(max(time, 0), Double(1000 << 40))) : 0
    }
}
