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
    /// Rows, and keys, that are encoded at a time.
    private static let rowsAtOnce = 4_096

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
        for start in stride(from: groups.lowerBound, to: groups.upperBound, by: Self.rowsAtOnce) {
            let positions = positions(content, of: spine, start..<min(start + Self.rowsAtOnce, groups.upperBound))
            // A key may have any number of rows.
            for first in stride(from: 0, to: positions.count, by: Self.rowsAtOnce) {
                let end = min(first + Self.rowsAtOnce, positions.count)
                try append(Array(positions[first..<end]), of: spine, to: &encoder)
                if encoder.byteCount >= Self.bytesPerPiece { try await copy.write(encoder.take()) }
            }
        }
        encoder.finish()
        try await copy.write(encoder.take())
        _ = try await copy.finish()
    }

    /// What the table is to hold of some groups, by positions in the sorted spine.
    private func positions(_ content: Content, of spine: SpineIndex, _ groups: Range<Int>) -> [Int32] {
        switch content {
        case .keys: Array(spine.groupStarts[groups])
        case .times: spine.probes(ofGroups: groups)
        }
    }

    private func append(
        _ positions: [Int32], of spine: SpineIndex, to encoder: inout PostgresCopyEncoder
    ) throws(PostgresError) {
        let rows = positions.map { spine.sortedRows[Int($0)] }
        let times = positions.map { PostgresTimestamp(bounding: spine.sortedTimes[Int($0)]) }
        guard keyTypes.allSatisfy({ $0 == .int64 }) else {
            for index in positions.indices {
                encoder.beginRow(fieldCount: keyTypes.count + 2)
                encoder.append(int32: positions[index])
                try encoder.append(spine.keyColumns, row: Int(rows[index]))
                try encoder.append(timestamp: times[index])
            }
            return
        }
        var fields: [PostgresCopyField] = [.int32(positions)]
        for column in spine.keyColumns { fields.append(.int64(column.gathered(at: rows).int64s)) }
        fields.append(.timestamp(times))
        try encoder.appendRows(fields, count: positions.count)
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
