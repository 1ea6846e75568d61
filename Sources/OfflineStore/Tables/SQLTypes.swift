import FeatureModel
import PostgresClient

extension ValueType {
    /// The column type in raw and offline tables. See docs/adr/0001-storage-layout.md.
    var sqlType: PostgresQuery {
        switch self {
        case .scalar(let scalar): scalar.sqlType
        case .array(let element): "\(query: element.sqlTypeName)[]"
        case .vector: "real[]"
        }
    }

    /// The type as PostgreSQL's catalogue knows it, for binary COPY.
    var postgresType: PostgresType {
        switch self {
        case .scalar(let scalar): scalar.postgresType
        case .array(let element): element.postgresArrayType
        case .vector: .float4Array
        }
    }

    /// Which value type a column of a query or an expression has; nil where Larder has none without a cast.
    init?(postgresType: PostgresType) {
        switch postgresType {
        case .bool: self = .bool
        case .int2, .int4: self = .int32
        case .int8: self = .int64
        case .float4: self = .float32
        case .float8: self = .float64
        case .text, .varchar, .bpchar, .name: self = .string
        case .bytea: self = .bytes
        case .timestamptz: self = .timestamp
        case .date: self = .date
        case .boolArray: self = .array(.bool)
        case .int4Array: self = .array(.int32)
        case .int8Array: self = .array(.int64)
        case .float4Array: self = .array(.float32)
        case .float8Array: self = .array(.float64)
        case .textArray, .varcharArray: self = .array(.string)
        case .byteaArray: self = .array(.bytes)
        case .timestamptzArray: self = .array(.timestamp)
        case .dateArray: self = .array(.date)
        default: return nil
        }
    }

    /// Whether a column that PostgreSQL describes as `type` may fill a feature of this type without loss.
    func acceptsOnWrite(_ type: PostgresType) -> Bool {
        guard let found = ValueType(postgresType: type) else { return false }
        if case .vector = self { return found == .array(.float32) }
        return acceptsOnWrite(found)
    }
}

extension ScalarType {
    /// Without the collation, which an array's element type does not take.
    var sqlTypeName: PostgresQuery {
        switch self {
        case .bool: "boolean"
        case .int32: "integer"
        case .int64: "bigint"
        case .float32: "real"
        case .float64: "double precision"
        case .string: "text"
        case .bytes: "bytea"
        case .timestamp: "timestamptz"
        case .date: "date"
        }
    }

    var sqlType: PostgresQuery {
        self == .string ? "text COLLATE \"C\"" : sqlTypeName
    }

    var postgresType: PostgresType {
        switch self {
        case .bool: .bool
        case .int32: .int4
        case .int64: .int8
        case .float32: .float4
        case .float64: .float8
        case .string: .text
        case .bytes: .bytea
        case .timestamp: .timestamptz
        case .date: .date
        }
    }

    var postgresArrayType: PostgresType {
        switch self {
        case .bool: .boolArray
        case .int32: .int4Array
        case .int64: .int8Array
        case .float32: .float4Array
        case .float64: .float8Array
        case .string: .textArray
        case .bytes: .byteaArray
        case .timestamp: .timestamptzArray
        case .date: .dateArray
        }
    }
}
