public struct Logger: Sendable {
    public init(label: String) {}
}
