public import FeatureModel
import PostgresClient

/// Which rows of a generation a reader sees.
public enum HistoryVisibility: Sendable, Hashable {
    /// Those that count now.
    case current
    /// Those that counted at a past time: of writes that had arrived by then, and not withdrawn by then.
    case asOf(Timestamp)

    func conditions(on table: OfflineTable, hasWithdrawnRows: Bool) -> [PostgresQuery] {
        guard case .asOf(let time) = self else { return hasWithdrawnRows ? ["t.withdrawn_by IS NULL"] : [] }
        let later = Self.writes(into: table, after: time)
        let isWritten: PostgresQuery = "t.write_id NOT IN (\(query: later))"
        guard hasWithdrawnRows else { return [isWritten] }
        return [isWritten, "(t.withdrawn_by IS NULL OR t.withdrawn_by IN (\(query: later)))"]
    }

    /// The ids of writes that arrived after a time: the shorter list, as what is asked for is nearly always recent.
    private static func writes(into table: OfflineTable, after time: Timestamp) -> PostgresQuery {
        let bound = PostgresTimestamp(microsecondsSince1970: time.microsecondsSince1970)
        return """
            SELECT l.write_id FROM larder.write l
            WHERE l.feature_view_id = \(literal: table.featureViewID) AND l.generation = \(literal: Int64(table.generation))
              AND l.arrived_at > \(literal: bound)
            """
    }

    /// This visibility, or `current` where no later write makes a difference: what most reads of a recent past come to.
    func simplified(for table: OfflineTable, on connection: PostgresConnection) async throws -> HistoryVisibility {
        guard case .asOf(let time) = self else { return self }
        let differs = try await connection.query(
            "SELECT EXISTS (\(query: Self.writes(into: table, after: time))) AS differs"
        ).onlyValue(as: Bool.self)
        return differs ? self : .current
    }
}
