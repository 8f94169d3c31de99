public struct Attributes: Sendable {
    public init() {}
}
