public import FeatureModel
public import TextFormats

/// The keys of some entities as a request names them: of a type once it is known which feature views are asked for.
public struct EntityKeys: Sendable {
    /// In any order; each has one value for each entity.
    public var keys: [OnlineRequest.Key]
    /// Whether the values come from a command line, where numbers and truth values are text too.
    public var valuesAreText: Bool

    public init(_ keys: [OnlineRequest.Key], valuesAreText: Bool = false) {
        self.keys = keys
        self.valuesAreText = valuesAreText
    }

    /// Reads `{"KEY": [VALUE, ...]}`.
    /// - Throws: `request_invalid` naming the key.
    public init(json: JSONValue) throws(LarderError) {
        let hint = #"write "entities": {"KEY": [VALUE, ...]}, one value for each entity"#
        guard case .object(let members) = json, !members.isEmpty else {
            throw LarderError(.requestInvalid, "\"entities\" is no object with at least one key", hint: hint)
        }
        var keys: [OnlineRequest.Key] = []
        for member in members {
            guard case .array(let values) = member.value else {
                throw LarderError(
                    .requestInvalid, "\"entities\".\"\(member.name.prefix(63))\" is no array", hint: hint)
            }
            keys.append(.init(name: member.name, values: values))
        }
        self.init(keys)
    }

    /// A column without nulls for each join key, in their order.
    /// - Parameter maximum: of entities.
    /// - Throws: `join_key_missing`; `request_invalid` for a key that there is not, or keys of different numbers of
    ///   values; `too_many_entities`; `join_key_type` naming key and position (from 0) of a value that does not fit.
    func columns(of joinKeys: [JoinKey], maximum: Int) throws(LarderError) -> [Column] {
        guard !joinKeys.isEmpty else {
            throw LarderError(
                .requestInvalid, "entities are named, and the feature views have no join keys",
                hint: "leave the entities out")
        }
        let needed = "keys needed: \(joinKeys.map { "\($0.name) (\($0.type))" }.joined(separator: ", "))"
        for key in joinKeys where !keys.contains(where: { $0.name == key.name }) {
            throw LarderError(.joinKeyMissing, "the entities have no join key \"\(key.name)\"", hint: needed)
        }
        for key in keys where !joinKeys.contains(where: { $0.name == key.name }) {
            throw LarderError(
                .requestInvalid, "\"\(key.name.prefix(63))\" is no join key of the feature views", hint: needed)
        }
        let count = keys[0].values.count
        for key in keys where key.values.count != count {
            throw LarderError(
                .requestInvalid,
                "keys \"\(keys[0].name)\" and \"\(key.name)\" have \(count) and \(key.values.count) values",
                hint: "give every key one value for each entity")
        }
        guard count <= maximum else {
            throw LarderError(
                .tooManyEntities, "\(count) entities are more than \(maximum)",
                hint: "raise limits.entities, or bring a spine")
        }
        var columns: [Column] = []
        for key in joinKeys {
            let values = keys.first { $0.name == key.name }?.values ?? []
            let column = try KeyColumnReader(key: key, acceptsText: valuesAreText).column(values)
            if let position = (0..<column.count).first(where: { column.isNull($0) }) {
                throw LarderError(
                    .joinKeyType, "join key \"\(key.name)\" is null at position \(position)",
                    hint: "no row has a null key: leave the entity out")
            }
            columns.append(column)
        }
        return columns
    }
}
