public import FeatureModel

/// Join keys to bytes and back.
///
/// The keys stand in the order of their names. Each is a tag and then its content:
///
/// | type | tag | content |
/// |---|---|---|
/// | bool | 01 | 1 byte, 0 or 1 |
/// | int32, int64 | 02 | 8 bytes, sign bit flipped, big-endian |
/// | string | 03 | the UTF-8 bytes, then 00 00 |
/// | bytes | 04 | the bytes, each 00 written 00 FF, then 00 00 |
/// | date | 05 | 4 bytes of days since 1970, sign bit flipped, big-endian |
///
/// Every part ends by itself, so that `(1, 12)` and `(11, 2)` never meet; an int32 and an int64 of one value are the
/// same key; no keys at all, as of a view without an entity, are the single byte 00.
public struct EntityKeyEncoder: Sendable {
    /// Ordered by name, as UTF-8 bytes; the order of the values and columns to encode.
    public let joinKeys: [JoinKey]

    enum Tag {
        static let noEntity: UInt8 = 0x00
        static let bool: UInt8 = 0x01
        static let integer: UInt8 = 0x02
        static let string: UInt8 = 0x03
        static let bytes: UInt8 = 0x04
        static let date: UInt8 = 0x05
    }

    /// - Parameter joinKeys: in any order, each of a type for which `ValueType.isKeyType` holds.
    public init(joinKeys: [JoinKey]) {
        for joinKey in joinKeys {
            precondition(joinKey.type.isKeyType, "join key \(joinKey.name) cannot be of type \(joinKey.type)")
        }
        self.joinKeys = joinKeys.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Encodes one entity.
    /// - Parameter values: one for each join key, in key-name order.
    /// - Returns: nil when a value is null.
    /// - Throws: `join_key_missing` when the number of values is another, `join_key_type` when one does not fit.
    public func encode(_ values: [Value]) throws(LarderError) -> EntityKey? {
        guard values.count == joinKeys.count else {
            throw LarderError(.joinKeyMissing, "expected \(joinKeys.count) join keys, got \(values.count)")
        }
        guard !joinKeys.isEmpty else { return .global }
        var out: [UInt8] = []
        for (joinKey, value) in zip(joinKeys, values) {
            switch value {
            case .null: return nil
            case .bool(let value) where joinKey.type == .bool: Self.append(bool: value, to: &out)
            case .int32(let value): try append(integer: Int64(value), as: joinKey, row: nil, to: &out)
            case .int64(let value): try append(integer: value, as: joinKey, row: nil, to: &out)
            case .string(let value) where joinKey.type == .string:
                try append(string: value.utf8, as: joinKey, row: nil, to: &out)
            case .bytes(let value) where joinKey.type == .bytes: Self.append(bytes: value, to: &out)
            case .date(let value) where joinKey.type == .date: Self.append(date: value.daysSince1970, to: &out)
            default: throw mismatch(joinKey, row: nil, found: "the value \(value)")
            }
        }
        return EntityKey(bytes: out)
    }

    /// Encodes the entity of one row.
    /// - Returns: nil when one of its keys is null.
    /// - Throws: as `append(row:of:to:)`.
    public func encode(row: Int, of columns: [Column]) throws(LarderError) -> EntityKey? {
        var out: [UInt8] = []
        return try append(row: row, of: columns, to: &out) ? EntityKey(bytes: out) : nil
    }

    /// Appends the entity key of one row to `out`.
    /// - Parameter columns: one for each join key, in key-name order.
    /// - Returns: false, with `out` as it was, when one of the row's keys is null.
    /// - Throws: `join_key_type`, naming key and row (from 1), when a column's type or a value does not fit its key; the
    ///   end of `out` is then undefined.
    public func append(row: Int, of columns: [Column], to out: inout [UInt8]) throws(LarderError) -> Bool {
        precondition(columns.count == joinKeys.count, "\(columns.count) columns for \(joinKeys.count) join keys")
        guard !joinKeys.isEmpty else {
            out.append(Tag.noEntity)
            return true
        }
        let start = out.count
        for index in joinKeys.indices {
            if columns[index].isNull(row) {
                out.removeSubrange(start...)
                return false
            }
            switch (joinKeys[index].type, columns[index].type) {
            case (.scalar(.bool), .scalar(.bool)): Self.append(bool: columns[index].bools[row], to: &out)
            case (_, .scalar(.int32)):
                try append(integer: Int64(columns[index].int32s[row]), as: joinKeys[index], row: row, to: &out)
            case (_, .scalar(.int64)):
                try append(integer: columns[index].int64s[row], as: joinKeys[index], row: row, to: &out)
            case (.scalar(.string), .scalar(.string)):
                try append(string: columns[index].byteRun(row), as: joinKeys[index], row: row, to: &out)
            case (.scalar(.bytes), .scalar(.bytes)): Self.append(bytes: columns[index].byteRun(row), to: &out)
            case (.scalar(.date), .scalar(.date)): Self.append(date: columns[index].int32s[row], to: &out)
            case (_, let type): throw mismatch(joinKeys[index], row: row, found: "\(type)")
            }
        }
        return true
    }
}

extension EntityKeyEncoder {
    private static func append(bool value: Bool, to out: inout [UInt8]) {
        out.append(Tag.bool)
        out.append(value ? 1 : 0)
    }

    private static func append(date days: Int32, to out: inout [UInt8]) {
        out.append(Tag.date)
        out.append(signFlipped: days)
    }

    private static func append(bytes value: some Collection<UInt8>, to out: inout [UInt8]) {
        out.append(Tag.bytes)
        for byte in value {
            out.append(byte)
            if byte == 0x00 { out.append(0xFF) }
        }
        out.append(0x00)
        out.append(0x00)
    }

    private func append(
        string utf8: some Collection<UInt8>, as joinKey: JoinKey, row: Int?, to out: inout [UInt8]
    ) throws(LarderError) {
        // PostgreSQL's text cannot hold it, so that no such entity can exist.
        guard !utf8.contains(0x00) else { throw mismatch(joinKey, row: row, found: "a string with a NUL character") }
        out.append(Tag.string)
        out.append(contentsOf: utf8)
        out.append(0x00)
        out.append(0x00)
    }

    private func append(
        integer value: Int64, as joinKey: JoinKey, row: Int?, to out: inout [UInt8]
    ) throws(LarderError) {
        switch joinKey.type {
        case .scalar(.int64): break
        case .scalar(.int32):
            guard Int32(exactly: value) != nil else {
                throw mismatch(joinKey, row: row, found: "\(value), which is out of its range")
            }
        default: throw mismatch(joinKey, row: row, found: "the integer \(value)")
        }
        out.append(Tag.integer)
        out.append(signFlipped: value)
    }

    private func mismatch(_ joinKey: JoinKey, row: Int?, found: String) -> LarderError {
        let place = row.map { " in row \($0 + 1)" } ?? ""
        return LarderError(
            .joinKeyType, "join key \"\(joinKey.name)\"\(place) is of type \(joinKey.type), found \(found)")
    }
}
