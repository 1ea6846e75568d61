/// A PostgreSQL data type by its object id. Built-in types have fixed ids; others differ between databases.
public struct PostgresType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The `pg_type.oid`.
    public let rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable
    init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let bool = PostgresType(16)
    public static let bytea = PostgresType(17)
    public static let name = PostgresType(19)
    public static let int8 = PostgresType(20)
    public static let int2 = PostgresType(21)
    public static let int4 = PostgresType(23)
    public static let text = PostgresType(25)
    public static let oid = PostgresType(26)
    public static let json = PostgresType(114)
    public static let float4 = PostgresType(700)
    public static let float8 = PostgresType(701)
    public static let unknown = PostgresType(705)
    public static let bpchar = PostgresType(1_042)
    public static let varchar = PostgresType(1_043)
    public static let date = PostgresType(1_082)
    public static let timestamp = PostgresType(1_114)
    public static let timestamptz = PostgresType(1_184)
    public static let numeric = PostgresType(1_700)
    public static let uuid = PostgresType(2_950)
    public static let jsonb = PostgresType(3_802)

    public static let boolArray = PostgresType(1_000)
    public static let byteaArray = PostgresType(1_001)
    public static let nameArray = PostgresType(1_003)
    public static let int2Array = PostgresType(1_005)
    public static let int4Array = PostgresType(1_007)
    public static let textArray = PostgresType(1_009)
    public static let bpcharArray = PostgresType(1_014)
    public static let varcharArray = PostgresType(1_015)
    public static let int8Array = PostgresType(1_016)
    public static let float4Array = PostgresType(1_021)
    public static let float8Array = PostgresType(1_022)
    public static let oidArray = PostgresType(1_028)
    public static let dateArray = PostgresType(1_182)
    public static let timestamptzArray = PostgresType(1_185)

    private static let names: [PostgresType: String] = [
        .bool: "bool", .bytea: "bytea", .name: "name", .int8: "int8", .int2: "int2", .int4: "int4", .text: "text",
        .oid: "oid", .json: "json", .float4: "float4", .float8: "float8", .unknown: "unknown", .bpchar: "bpchar",
        .varchar: "varchar", .date: "date", .timestamp: "timestamp", .timestamptz: "timestamptz",
        .numeric: "numeric", .uuid: "uuid", .jsonb: "jsonb",
        .boolArray: "bool[]", .byteaArray: "bytea[]", .nameArray: "name[]", .int2Array: "int2[]",
        .int4Array: "int4[]", .textArray: "text[]", .bpcharArray: "bpchar[]", .varcharArray: "varchar[]",
        .int8Array: "int8[]", .float4Array: "float4[]", .float8Array: "float8[]", .oidArray: "oid[]",
        .dateArray: "date[]", .timestamptzArray: "timestamptz[]",
    ]

    /// The type's name where it is built in, its id otherwise.
    public var description: String { Self.names[self] ?? "type \(rawValue)" }
}
