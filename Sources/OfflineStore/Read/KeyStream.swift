public import FeatureDefinitions
public import FeatureModel
public import PostgresClient

/// The distinct keys of every row that a generation ever held, withdrawn ones included: whatever may have been published.
public struct KeyStream {
    private let copy: PostgresCopyOut
    private let keyTypes: [ValueType]

    /// - Parameter generation: of a view with join keys.
    public static func open(
        _ table: OfflineTable, generation: GenerationState, on connection: PostgresConnection
    ) async throws -> KeyStream {
        let keys = generation.joinKeys.indices.map(OfflineTable.keyColumn).joined(separator: ", ")
        return KeyStream(
            copy: try await connection.beginCopyOut(
                "COPY (SELECT DISTINCT \(query: keys) FROM \(query: table.table)) TO STDOUT (FORMAT binary)"),
            keyTypes: generation.joinKeys.map(\.storedType))
    }

    /// The next keys, a column for each join key in name order; nil at the end.
    public mutating func next() async throws -> [Column]? {
        while let chunk = try await copy.next() {
            guard chunk.rowCount > 0 else { continue }
            var columns = keyTypes.map { Column(type: $0) }
            try chunk.forEachRow { row in
                for index in columns.indices { try columns[index].append(nextOf: &row) }
            }
            return columns
        }
        return nil
    }
}
