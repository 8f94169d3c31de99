/// Any JSON, for vectors whose members have several types.
enum JSON: Decodable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSON].self) {
            self = .list(list)
        } else {
            self = try .object(value.decode([String: JSON].self))
        }
    }

    /// A member of an object; `null` where it is not there.
    subscript(_ name: String) -> JSON { object?[name] ?? .null }

    var object: [String: JSON]? { if case let .object(members) = self { members } else { nil } }
    var list: [JSON]? { if case let .list(elements) = self { elements } else { nil } }
    var text: String? { if case let .text(text) = self { text } else { nil } }
    var number: Double? { if case let .number(number) = self { number } else { nil } }
    var isFalse: Bool { if case .bool(false) = self { true } else { false } }
    var isTrue: Bool { if case .bool(true) = self { true } else { false } }
    var isNull: Bool { if case .null = self { true } else { false } }
}
