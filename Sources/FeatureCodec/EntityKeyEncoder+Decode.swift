public import FeatureModel

extension EntityKeyEncoder {
    /// The values of an encoded key, in key-name order and of the declared types.
    /// - Throws: when the bytes are no key of these join keys.
    public func decode(_ key: EntityKey) throws(CodecError) -> [Value] {
        var rest = key.bytes[...]
        if joinKeys.isEmpty {
            guard key == .global else { throw .malformed }
            return []
        }
        var values: [Value] = []
        for joinKey in joinKeys {
            values.append(try Self.decodeValue(of: joinKey.type, from: &rest))
        }
        guard rest.isEmpty else { throw .wrongLength }
        return values
    }

    private static func decodeValue(
        of type: ValueType, from rest: inout ArraySlice<UInt8>
    ) throws(CodecError) -> Value {
        switch (type, rest.popFirst()) {
        case (_, nil): throw .wrongLength
        case (.scalar(.bool), Tag.bool):
            let byte = try take(1, from: &rest).first
            guard byte == 0 || byte == 1 else { throw .malformed }
            return .bool(byte == 1)
        case (.scalar(.int64), Tag.integer):
            return .int64(ByteOrder.signFlipped64(try take(8, from: &rest)))
        case (.scalar(.int32), Tag.integer):
            let wide = ByteOrder.signFlipped64(try take(8, from: &rest))
            guard let value = Int32(exactly: wide) else { throw .malformed }
            return .int32(value)
        case (.scalar(.string), Tag.string):
            let utf8 = try takeTerminated(from: &rest)
            guard !utf8.contains(0), let text = String(validating: utf8, as: UTF8.self) else { throw .malformed }
            return .string(text)
        case (.scalar(.bytes), Tag.bytes):
            return .bytes(try takeTerminated(from: &rest))
        case (.scalar(.date), Tag.date):
            let days = ByteOrder.signFlipped32(try take(4, from: &rest))
            return .date(CalendarDate(daysSince1970: days))
        default: throw .malformed
        }
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) throws(CodecError) -> ArraySlice<UInt8> {
        guard rest.count >= count else { throw .wrongLength }
        defer { rest.removeFirst(count) }
        return rest.prefix(count)
    }

    private static func takeTerminated(from rest: inout ArraySlice<UInt8>) throws(CodecError) -> [UInt8] {
        var content: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == 0x00 else {
                content.append(byte)
                continue
            }
            switch rest.popFirst() {
            case 0x00: return content
            case 0xFF: content.append(0x00)
            case nil: throw .wrongLength
            default: throw .malformed
            }
        }
        throw .wrongLength
    }
}
