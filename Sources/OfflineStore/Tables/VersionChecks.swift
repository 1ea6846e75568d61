import FeatureModel
import PostgresClient

/// The last line: what PostgreSQL itself refuses in rows of each schema version, and which versions it takes at all.
///
/// A row that has been withdrawn passes every check, so that one which was right when it was written can always be
/// withdrawn; nobody but the owner may insert a row as withdrawn. See docs/adr/0003-versions-and-generations.md.
struct VersionChecks {
    let table: PostgresQuery

    /// One field of a version.
    struct Field {
        let column: PostgresQuery
        let type: ValueType
        let isNullable: Bool
        var expectation: Expectation?
        /// Whether a time may be infinite.
        var mayBeInfinite = true
    }

    /// Makes the check of a version, in place of the one there was.
    func set(version: Int32, fields: [Field], on connection: PostgresConnection) async throws {
        let name: PostgresQuery = "\(identifier: "version_\(version)")"
        try await connection.execute("ALTER TABLE \(query: table) DROP CONSTRAINT IF EXISTS \(query: name)")
        let conditions = fields.flatMap(Self.conditions)
        guard !conditions.isEmpty else { return }
        // NOT VALID: rows of the version that are there were right by the expectations of their time.
        try await connection.execute(
            """
            ALTER TABLE \(query: table) ADD CONSTRAINT \(query: name)
            CHECK (schema_version <> \(literal: Int64(version)) OR is_deleted OR withdrawn_by IS NOT NULL
                   OR (\(query: conditions.joined(separator: " AND ")))) NOT VALID
            """)
    }

    /// Takes rows of these versions and of no other.
    func setWritable(_ versions: [Int32], on connection: PostgresConnection) async throws {
        let list = versions.map { "\(literal: Int64($0))" as PostgresQuery }.joined(separator: ", ")
        try await connection.execute(
            """
            ALTER TABLE \(query: table) DROP CONSTRAINT IF EXISTS writable_versions,
            ADD CONSTRAINT writable_versions
            CHECK (schema_version = ANY (ARRAY[\(query: list)]::integer[]) OR withdrawn_by IS NOT NULL) NOT VALID
            """)
    }

    /// What holds of a field in each row; a condition that is null holds.
    static func conditions(of field: Field) -> [PostgresQuery] {
        let column = field.column
        var conditions: [PostgresQuery] = field.isNullable ? [] : ["\(query: column) IS NOT NULL"]
        switch field.type {
        case .vector(let dimension):
            conditions.append("coalesce(array_length(\(query: column), 1) = \(literal: Int64(dimension)), true)")
            conditions.append("array_position(\(query: column), NULL) IS NULL")
        case .array:
            conditions.append("coalesce(array_ndims(\(query: column)), 1) = 1")
            conditions.append("array_position(\(query: column), NULL) IS NULL")
        case .scalar(.timestamp) where !field.mayBeInfinite:
            conditions.append("isfinite(\(query: column))")
        case .scalar: break
        }
        guard let expectation = field.expectation else { return conditions }
        return conditions + bounds(of: expectation, field) + lengths(of: expectation, field)
            + choices(of: expectation, field)
    }

    /// In float64 as `RowChecker` compares them. PostgreSQL takes NaN for the greatest number of all; here it is none.
    private static func bounds(of expectation: Expectation, _ field: Field) -> [PostgresQuery] {
        guard case .scalar(let type) = field.type else {
            guard expectation.isFinite, case .vector = field.type else { return [] }
            return [
                "(\(query: field.column) && ARRAY['NaN', 'Infinity', '-Infinity']::real[]) IS NOT TRUE"
            ]
        }
        guard [.int32, .int64, .float32, .float64].contains(type) else { return [] }
        let number: PostgresQuery = "\(query: field.column)::float8"
        var conditions: [PostgresQuery] = []
        if let minimum = expectation.minimum {
            conditions.append("\(query: number) >= \(literal: minimum) AND \(query: number) <> 'NaN'::float8")
        }
        if let maximum = expectation.maximum {
            conditions.append("\(query: number) <= \(literal: maximum) AND \(query: number) <> 'NaN'::float8")
        }
        if expectation.isFinite {
            conditions.append("\(query: number) NOT IN ('NaN'::float8, 'Infinity'::float8, '-Infinity'::float8)")
        }
        return conditions
    }

    private static func lengths(of expectation: Expectation, _ field: Field) -> [PostgresQuery] {
        guard let maximum = expectation.maximumLength else { return [] }
        switch field.type {
        case .scalar(.string): return ["char_length(\(query: field.column)) <= \(literal: maximum)"]
        case .scalar(.bytes): return ["octet_length(\(query: field.column)) <= \(literal: maximum)"]
        case .array: return ["cardinality(\(query: field.column)) <= \(literal: maximum)"]
        case .scalar, .vector: return []
        }
    }

    private static func choices(of expectation: Expectation, _ field: Field) -> [PostgresQuery] {
        guard let values = expectation.oneOf, case .scalar(let type) = field.type else { return [] }
        let list = values.map(constant).joined(separator: ", ")
        return ["\(query: field.column) = ANY (ARRAY[\(query: list)]::\(query: type.sqlTypeName)[])"]
    }

    private static func constant(_ value: Value) -> PostgresQuery {
        switch value {
        case .bool(let value): "\(literal: value)"
        case .int32(let value): "\(literal: Int64(value))"
        case .int64(let value): "\(literal: value)"
        case .float32(let value): "\(literal: Double(value))::real"
        case .float64(let value): "\(literal: value)"
        case .string(let value): "\(literal: value) COLLATE \"C\""
        case .bytes(let value): "\(literal: value)"
        case .timestamp(let value):
            "\(literal: PostgresTimestamp(microsecondsSince1970: value.microsecondsSince1970))"
        case .date(let value): "\(literal: PostgresDate(daysSince1970: value.daysSince1970))"
        case .null, .array, .vector: "NULL"
        }
    }
}
