/// SQL text with the values bound to it.
///
/// Written as a string literal whose interpolations bind:
///
/// ```swift
/// let query: PostgresQuery = "SELECT * FROM \(identifier: "public", "trips") WHERE id = \(id)"
/// ```
///
/// `\(value)` becomes `$1`, `$2` … with the value sent beside the text in binary format. `\(identifier:)` quotes a name,
/// `\(literal:)` writes a quoted constant where no parameter is possible (COPY, DDL), `\(query:)` splices another
/// query with its binds renumbered, and `\(unescaped:)` inserts text as it is. There is no way to make a query
/// from a `String` otherwise.
///
/// What cannot be encoded (a NUL in text, an identifier that is too long) is reported when the query is sent.
public struct PostgresQuery: Sendable {
    enum Segment: Sendable {
        case text(String)
        /// A parameter, by its index into the binds.
        case bind(Int)
    }

    private(set) var segments: [Segment] = []
    private(set) var binds = PostgresBinds()
    /// The first mistake made while the query was put together.
    private(set) var failure: PostgresError?

    public init() {}

    /// Whether the query has no text.
    public var isEmpty: Bool { segments.isEmpty }

    /// The text as it is sent, with numbered parameters and without their values.
    public var sql: String {
        var text = ""
        for segment in segments {
            switch segment {
            case .text(let part): text += part
            case .bind(let index): text += "$\(index + 1)"
            }
        }
        return text
    }

    mutating func append(text: String) {
        guard !text.isEmpty else { return }
        if case .text(let last) = segments.last {
            segments[segments.count - 1] = .text(last + text)
        } else {
            segments.append(.text(text))
        }
    }

    mutating func append<T: PostgresEncodable>(bind value: T?) {
        attempt { (query) throws(PostgresError) in
            let index = try query.binds.append(value)
            query.segments.append(.bind(index))
        }
    }

    /// Runs a step that may find a mistake, and keeps the first.
    mutating func attempt(_ step: (inout PostgresQuery) throws(PostgresError) -> Void) {
        do {
            try step(&self)
        } catch {
            failure = failure ?? error
        }
    }

    public static func += (query: inout PostgresQuery, other: PostgresQuery) {
        let offset = query.binds.count
        for segment in other.segments {
            switch segment {
            case .text(let text): query.append(text: text)
            case .bind(let index): query.segments.append(.bind(index + offset))
            }
        }
        query.binds.append(other.binds)
        query.failure = query.failure ?? other.failure
    }

    public static func + (query: PostgresQuery, other: PostgresQuery) -> PostgresQuery {
        var result = query
        result += other
        return result
    }

    /// What must hold before anything is sent.
    func validated() throws(PostgresError) -> String {
        if let failure { throw failure.issuedBy(sql) }
        guard binds.count <= Limits.parameters else {
            throw PostgresError(
                .invalidQuery, "query has \(binds.count) parameters, the protocol takes \(Limits.parameters)",
                hint: "bind arrays, or use COPY")
        }
        guard binds.bytes.count <= Limits.parameterBytes else {
            throw PostgresError(
                .invalidQuery, "parameters take \(binds.bytes.count) bytes, PostgreSQL takes \(Limits.parameterBytes)",
                hint: "use COPY")
        }
        let sql = sql
        guard !sql.utf8.contains(0) else { throw PostgresError(.invalidQuery, "SQL text holds a NUL character") }
        return sql
    }
}

extension PostgresError {
    fileprivate func issuedBy(_ sql: String) -> PostgresError {
        var copy = self
        copy.sql = sql
        return copy
    }
}

extension Sequence where Element == PostgresQuery {
    /// The queries one after the other, with `separator` between them.
    public func joined(separator: PostgresQuery = "") -> PostgresQuery {
        var result = PostgresQuery()
        var isFirst = true
        for query in self {
            if !isFirst { result += separator }
            isFirst = false
            result += query
        }
        return result
    }
}

/// Values of parameters: their types, and one buffer that holds the bytes of all of them.
struct PostgresBinds: Sendable {
    private(set) var types: [PostgresType] = []
    /// Where in `bytes` each value lies; nil is null.
    private(set) var ranges: [Range<Int>?] = []
    private(set) var bytes: [UInt8] = []

    var count: Int { types.count }

    /// Appends the value and returns its index.
    mutating func append<T: PostgresEncodable>(_ value: T?) throws(PostgresError) -> Int {
        if let value {
            let start = bytes.count
            var writer = PostgresBinaryWriter(bytes: bytes)
            bytes = []
            defer { bytes = writer.bytes }
            try value.encode(into: &writer)
            ranges.append(start..<writer.bytes.count)
        } else {
            ranges.append(nil)
        }
        types.append(T.postgresType)
        return types.count - 1
    }

    mutating func append(_ other: PostgresBinds) {
        let offset = bytes.count
        types += other.types
        ranges += other.ranges.map { $0.map { $0.lowerBound + offset..<$0.upperBound + offset } }
        bytes += other.bytes
    }
}
