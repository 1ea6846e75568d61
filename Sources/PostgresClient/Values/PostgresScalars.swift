extension Bool: PostgresScalar {
    public static var postgresType: PostgresType { .bool }
    public static var postgresArrayType: PostgresType { .boolArray }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(UInt8(self ? 1 : 0))
    }

    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Bool {
        guard type == .bool else { throw unexpectedType(type, for: Self.self) }
        return try bytes.integer(UInt8.self) != 0
    }
}

extension Int16: PostgresScalar {
    public static var postgresType: PostgresType { .int2 }
    public static var postgresArrayType: PostgresType { .int2Array }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(self)
    }

    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Int16 {
        guard type == .int2 else { throw unexpectedType(type, for: Self.self) }
        return try bytes.integer(Int16.self)
    }
}

extension Int32: PostgresScalar {
    public static var postgresType: PostgresType { .int4 }
    public static var postgresArrayType: PostgresType { .int4Array }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(self)
    }

    /// Reads `int4`, and `int2`, which always fits.
    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Int32 {
        switch type {
        case .int4: try bytes.integer(Int32.self)
        case .int2: Int32(try bytes.integer(Int16.self))
        default: throw unexpectedType(type, for: Self.self)
        }
    }
}

extension Int64: PostgresScalar {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(self)
    }

    /// Reads `int8`, and the narrower `int4`, `int2` and `oid`, which always fit.
    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Int64 {
        switch type {
        case .int8: try bytes.integer(Int64.self)
        case .int4: Int64(try bytes.integer(Int32.self))
        case .int2: Int64(try bytes.integer(Int16.self))
        case .oid: Int64(try bytes.integer(UInt32.self))
        default: throw unexpectedType(type, for: Self.self)
        }
    }
}

extension Int: PostgresScalar {
    public static var postgresType: PostgresType { .int8 }
    public static var postgresArrayType: PostgresType { .int8Array }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(Int64(self))
    }

    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Int {
        Int(try Int64.decode(bytes, type: type))
    }
}

extension Float: PostgresScalar {
    public static var postgresType: PostgresType { .float4 }
    public static var postgresArrayType: PostgresType { .float4Array }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(bitPattern)
    }

    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Float {
        guard type == .float4 else { throw unexpectedType(type, for: Self.self) }
        return Float(bitPattern: try bytes.integer(UInt32.self))
    }
}

extension Double: PostgresScalar {
    public static var postgresType: PostgresType { .float8 }
    public static var postgresArrayType: PostgresType { .float8Array }

    public func encode(into writer: inout PostgresBinaryWriter) {
        writer.append(bitPattern)
    }

    /// Reads `float8`, and `float4`, which always fits.
    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> Double {
        switch type {
        case .float8: Double(bitPattern: try bytes.integer(UInt64.self))
        case .float4: Double(Float(bitPattern: try bytes.integer(UInt32.self)))
        default: throw unexpectedType(type, for: Self.self)
        }
    }
}

extension String: PostgresScalar {
    public static var postgresType: PostgresType { .text }
    public static var postgresArrayType: PostgresType { .textArray }

    public func encode(into writer: inout PostgresBinaryWriter) throws(PostgresError) {
        try writer.append(text: self)
    }

    /// Reads the text types, `json` and `jsonb`.
    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> String {
        switch type {
        case .text, .varchar, .bpchar, .name, .unknown, .json:
            return try text(bytes)
        case .jsonb:
            // One version byte precedes the text.
            guard bytes.byteCount > 0, try bytes.extracting(first: 1).integer(UInt8.self) == 1 else {
                throw PostgresError(.decoding, "jsonb of an unknown version")
            }
            return try text(bytes.extracting(droppingFirst: 1))
        default:
            throw unexpectedType(type, for: Self.self)
        }
    }

    private static func text(_ bytes: RawSpan) throws(PostgresError) -> String {
        let decoded = unsafe bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
        guard let decoded else { throw PostgresError(.decoding, "text is not valid UTF-8") }
        return decoded
    }
}

extension PostgresTimestamp: PostgresScalar {
    public static var postgresType: PostgresType { .timestamptz }
    public static var postgresArrayType: PostgresType { .timestamptzArray }

    public func encode(into writer: inout PostgresBinaryWriter) throws(PostgresError) {
        writer.append(try encoded())
    }

    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> PostgresTimestamp {
        guard type == .timestamptz else { throw unexpectedType(type, for: Self.self) }
        return try PostgresTimestamp(encoded: bytes.integer(Int64.self))
    }
}

extension PostgresDate: PostgresScalar {
    public static var postgresType: PostgresType { .date }
    public static var postgresArrayType: PostgresType { .dateArray }

    public func encode(into writer: inout PostgresBinaryWriter) throws(PostgresError) {
        writer.append(try encoded())
    }

    public static func decode(_ bytes: RawSpan, type: PostgresType) throws(PostgresError) -> PostgresDate {
        guard type == .date else { throw unexpectedType(type, for: Self.self) }
        return try PostgresDate(encoded: bytes.integer(Int32.self))
    }
}
