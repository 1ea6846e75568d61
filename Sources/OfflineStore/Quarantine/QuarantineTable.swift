public import FeatureModel
public import PostgresClient

/// A row of the quarantine as it is stored.
public struct QuarantinedRow: Sendable {
    public let id: Int64
    public let target: WriteRecord.Target
    /// The version that the write named.
    public let schemaVersion: Int32
    /// The version that the reasons are about.
    public let judgedVersion: Int32
    public let writeID: Int64
    public let receivedAt: Timestamp
    public let actor: String
    /// Position in the input, from 1.
    public let number: Int64
    public let line: Int64?
    public let format: QuarantineFormat
    /// The header line of CSV, without its end.
    public let header: [UInt8]?
    /// The row as it came, without the end of its line.
    public let record: [UInt8]
    public let nullSpelling: String?
    /// A JSON array.
    public let reasons: String
}

/// `larder.quarantine`.
public enum QuarantineTable {
    /// How often a reason occurs among the rows of a version.
    public struct Count: Sendable, Hashable {
        public let schemaVersion: Int32
        public let code: String
        public let count: Int64
    }

    /// A page of `lockPage` ends when it has this many rows, or before a row with which it had more than so many bytes.
    private static let maximumPageRows = 1_000
    private static let maximumPageBytes = 8 << 20

    /// How many rows of a target there are, by the version they were written for, ascending.
    public static func rowCounts(
        of target: WriteRecord.Target, on connection: PostgresConnection
    ) async throws -> [(schemaVersion: Int32, count: Int64)] {
        try await connection.query(
            """
            SELECT schema_version, count(*) AS count FROM larder.quarantine WHERE \(query: condition(target))
            GROUP BY schema_version ORDER BY schema_version
            """
        ).map { (try $0.decode("schema_version", as: Int32.self), try $0.decode("count", as: Int64.self)) }
    }

    /// How often each reason occurs, by version, the most frequent first.
    public static func reasonCounts(
        of target: WriteRecord.Target, on connection: PostgresConnection
    ) async throws -> [Count] {
        try await connection.query(
            """
            SELECT schema_version, code, count(*) AS count
            FROM larder.quarantine, unnest(codes) AS code WHERE \(query: condition(target))
            GROUP BY schema_version, code ORDER BY schema_version, count(*) DESC, code COLLATE "C"
            """
        ).map { row in
            Count(
                schemaVersion: try row.decode("schema_version", as: Int32.self),
                code: try row.decode("code", as: String.self), count: try row.decode("count", as: Int64.self))
        }
    }

    /// The rows of a target that came last, newest first.
    public static func newest(
        of target: WriteRecord.Target, limit: Int, on connection: PostgresConnection
    ) async throws -> [QuarantinedRow] {
        try await rows("\(query: condition(target)) ORDER BY id DESC LIMIT \(Int64(limit))", on: connection)
    }

    /// The rows of a target with greater ids, ascending.
    public static func rows(
        of target: WriteRecord.Target, after id: Int64, limit: Int, on connection: PostgresConnection
    ) async throws -> [QuarantinedRow] {
        try await rows(
            "\(query: condition(target)) AND id > \(id) ORDER BY id LIMIT \(Int64(limit))", on: connection)
    }

    /// One row of a project; nil when there is none of that id.
    public static func row(
        id: Int64, projectID: Int64, on connection: PostgresConnection
    ) async throws -> QuarantinedRow? {
        try await rows("id = \(id) AND project_id = \(projectID)", on: connection).first
    }

    /// The next rows of a target with greater ids, ascending, locked until the transaction ends; empty after the last.
    public static func lockPage(
        of target: WriteRecord.Target, after id: Int64, on connection: PostgresConnection
    ) async throws -> [QuarantinedRow] {
        let isNext: PostgresQuery = "\(query: condition(target)) AND id > \(id)"
        let limit = Int64(maximumPageRows)
        return try await rows(
            """
            \(query: isNext) AND id < coalesce((
                SELECT min(sized.id) FROM (
                    SELECT page.id, sum(octet_length(page.record)) OVER (ORDER BY page.id) AS bytes,
                           row_number() OVER (ORDER BY page.id) AS place
                    FROM (SELECT id, record FROM larder.quarantine WHERE \(query: isNext) ORDER BY id LIMIT \(limit)) page
                ) sized WHERE sized.place > 1 AND sized.bytes > \(Int64(maximumPageBytes))), \(Int64.max))
            ORDER BY id LIMIT \(limit) FOR UPDATE
            """, on: connection)
    }

    /// Puts other reasons in the place of those there were.
    /// - Parameter rows: with the codes and the JSON array of the reasons.
    public static func update(
        _ rows: [(id: Int64, codes: [String], reasons: String)], judgedVersion: Int32, on connection: PostgresConnection
    ) async throws {
        guard !rows.isEmpty else { return }
        try await connection.execute(
            """
            UPDATE larder.quarantine q SET judged_version = \(judgedVersion),
                codes = string_to_array(d.codes, ','), reasons = d.reasons::json
            FROM unnest(\(rows.map(\.id)), \(rows.map { $0.codes.joined(separator: ",") }), \(rows.map(\.reasons)))
                AS d(id, codes, reasons)
            WHERE q.id = d.id
            """)
    }

    /// - Returns: how many rows there were.
    @discardableResult
    public static func delete(
        _ ids: [Int64], of target: WriteRecord.Target, on connection: PostgresConnection
    ) async throws -> Int64 {
        guard !ids.isEmpty else { return 0 }
        return Int64(
            try await connection.execute(
                "DELETE FROM larder.quarantine WHERE \(query: condition(target)) AND id = ANY (\(ids))"))
    }

    /// - Returns: how many rows there were.
    public static func deleteAll(
        of target: WriteRecord.Target, on connection: PostgresConnection
    ) async throws -> Int64 {
        Int64(try await connection.execute("DELETE FROM larder.quarantine WHERE \(query: condition(target))"))
    }

    /// The rows of a view are one list, whatever generation they were written for.
    private static func condition(_ target: WriteRecord.Target) -> PostgresQuery {
        switch target {
        case .source(let id): "source_id = \(id)"
        case .featureView(let id, _): "feature_view_id = \(id)"
        }
    }

    private static func rows(
        _ condition: PostgresQuery, on connection: PostgresConnection
    ) async throws -> [QuarantinedRow] {
        try await connection.query(
            """
            SELECT id, source_id, feature_view_id, generation, schema_version, judged_version, write_id, received_at, actor,
                   row_number, line, format, header, record, null_spelling, reasons::text AS reasons
            FROM larder.quarantine WHERE \(query: condition)
            """
        ).map(QuarantinedRow.init)
    }
}

extension QuarantinedRow {
    fileprivate init(_ row: PostgresRow) throws {
        let received = try row.decode("received_at", as: PostgresTimestamp.self)
        let name = try row.decode("format", as: String.self)
        guard let format = QuarantineFormat(rawValue: name) else {
            throw PostgresError(.decoding, "a quarantined row has format \(name)")
        }
        if let source = try row.decode("source_id", as: Int64?.self) {
            target = .source(source)
        } else {
            target = .featureView(
                try row.decode("feature_view_id", as: Int64.self),
                generation: try row.decode("generation", as: Int32.self))
        }
        id = try row.decode("id", as: Int64.self)
        schemaVersion = try row.decode("schema_version", as: Int32.self)
        judgedVersion = try row.decode("judged_version", as: Int32.self)
        writeID = try row.decode("write_id", as: Int64.self)
        receivedAt = Timestamp(microsecondsSince1970: received.microsecondsSince1970)
        actor = try row.decode("actor", as: String.self)
        number = try row.decode("row_number", as: Int64.self)
        line = try row.decode("line", as: Int64?.self)
        self.format = format
        header = try row.decode("header", as: [UInt8]?.self)
        record = try row.decode("record", as: [UInt8].self)
        nullSpelling = try row.decode("null_spelling", as: String?.self)
        reasons = try row.decode("reasons", as: String.self)
    }
}
