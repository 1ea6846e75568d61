import FeatureModel
import TextFormats

/// What a training set without a spine was asked for, as it is stored with it.
struct StoredChanges: Codable {
    /// RFC 3339, like `end`; both included.
    var start: String
    var end: String
    /// By join key, one value for each entity; nil for all entities.
    var entities: [String: [StoredKeyValue]]?

    /// - Parameter maximumEntities: how many may be named.
    /// - Returns: nil for a spine that is one.
    /// - Throws: as `TrainingSetPlan.keyColumns(of:maximum:)`.
    init?(_ spine: SpineSource, _ plan: TrainingSetPlan, maximumEntities: Int) throws(LarderError) {
        guard case .changes(let start, let end, let keys) = spine else { return nil }
        self.start = start.description
        self.end = end.description
        guard let columns = try plan.keyColumns(of: keys, maximum: maximumEntities) else { return }
        var entities: [String: [StoredKeyValue]] = [:]
        for (key, column) in zip(try plan.commonKeys(), columns) {
            entities[key.name] = (0..<column.count).map { StoredKeyValue(column[$0]) }
        }
        self.entities = entities
    }

    /// - Throws: `internal_error` when a time is none.
    var spine: SpineSource {
        get throws(LarderError) {
            guard let from = Timestamp(start), let through = Timestamp(end) else {
                throw LarderError(.internalError, "the stored range of changes is from \"\(start)\" to \"\(end)\"")
            }
            let keys = entities.map { entities in
                EntityKeys(entities.map { .init(name: $0.key, values: $0.value.map(\.json)) })
            }
            return .changes(from: from, through: through, keys: keys)
        }
    }
}

/// The value of a join key as JSON has it: dates and bytes are text.
enum StoredKeyValue: Codable {
    case bool(Bool)
    case integer(Int64)
    case text(String)

    /// - Parameter value: of a join key, not null.
    init(_ value: Value) {
        switch value {
        case .bool(let value): self = .bool(value)
        case .int32(let value): self = .integer(Int64(value))
        case .int64(let value): self = .integer(value)
        case .string(let value): self = .text(value)
        case .date(let value): self = .text(value.description)
        case .bytes(let value):
            var text: [UInt8] = []
            Base64.encode(value, into: &text)
            self = .text(String(decoding: text, as: UTF8.self))
        case .null, .float32, .float64, .timestamp, .array, .vector:
            preconditionFailure("a join key has no such value")
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        }
    }

    var json: JSONValue {
        switch self {
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .text(let value): .string(value)
        }
    }
}
