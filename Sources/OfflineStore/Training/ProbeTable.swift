import FeatureModel
import PointInTime
import PostgresClient

/// A temporary table that carries the keys, or the keys and times, of a part of a spine to PostgreSQL, in their order.
///
/// It belongs to the session and goes with the transaction, so nothing is left of it whatever happens to this process.
struct ProbeTable {
    enum Content {
        /// Each distinct (key, time) once.
        case times
        /// Each distinct key once, with its first time.
        case keys
    }

    /// Rows are sent in pieces of about this many bytes.
    private static let bytesPerPiece = 1 << 18

    let table: PostgresQuery
    private let keyTypes: [ValueType]
    private let connection: PostgresConnection

    /// Creates the table in the running transaction.
    /// - Parameter number: tells the tables of one session apart.
    static func create(
        _ number: Int, keyTypes: [ValueType], on connection: PostgresConnection
    ) async throws -> ProbeTable {
        let table: PostgresQuery = "\(identifier: "pg_temp", "probe_\(number)")"
        let keys = keyTypes.enumerated().map { index, type in
            "\(query: OfflineTable.keyColumn(index)) \(query: type.sqlType) NOT NULL, " as PostgresQuery
        }
        try await connection.execute(
            """
            CREATE TEMPORARY TABLE \(query: table) (
                position integer NOT NULL, \(query: keys.joined(separator: "")) t timestamptz NOT NULL
            ) ON COMMIT DROP
            """)
        return ProbeTable(table: table, keyTypes: keyTypes, connection: connection)
    }

    /// Replaces what the table holds.
    /// - Parameter isEmpty: whether it holds nothing.
    func load(_ content: Content, of spine: SpineIndex, groups: Range<Int>, isEmpty: Bool) async throws {
        if !isEmpty { try await connection.execute("TRUNCATE \(query: table)") }
        let copy = try await connection.beginCopyIn("COPY \(query: table) FROM STDIN (FORMAT binary)")
        var encoder = PostgresCopyEncoder()
        // Group by group, because sending waits and a key's rows are few.
        for group in groups {
            switch content {
            case .keys: try append(position: Int(spine.groupStarts[group]), of: spine, to: &encoder)
            case .times:
                try spine.forEachProbe(ofGroups: group..<group + 1) { position in
                    try append(position: position, of: spine, to: &encoder)
                }
            }
            if encoder.byteCount >= Self.bytesPerPiece { try await copy.write(encoder.take()) }
        }
        encoder.finish()
        try await copy.write(encoder.take())
        _ = try await copy.finish()
    }

    private func append(
        position: Int, of spine: SpineIndex, to encoder: inout PostgresCopyEncoder
    ) throws(PostgresError) {
        encoder.beginRow(fieldCount: keyTypes.count + 2)
        encoder.append(int32: Int32(position))
        try encoder.append(spine.keyColumns, row: Int(spine.sortedRows[position]))
        try encoder.append(timestamp: PostgresTimestamp(bounding: spine.sortedTimes[position]))
    }
}

extension PostgresTimestamp {
    /// An instant to compare event times with: outside of the years that they can have, an infinity does as well.
    init(bounding microsecondsSince1970: Int64) {
        let time = Timestamp(microsecondsSince1970: microsecondsSince1970)
        let bounded = time < .earliest ? .negativeInfinity : time > .latest ? .positiveInfinity : time
        self.init(microsecondsSince1970: bounded.microsecondsSince1970)
    }
}
