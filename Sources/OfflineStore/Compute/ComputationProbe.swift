import FeatureDefinitions
import FeatureModel
import PostgresClient

/// Finds out what a computation failed at, which PostgreSQL does not say: which expression, and for which row.
///
/// The rows are read once more through a cursor, each as several records: first as it is, then with one expression
/// after the other. The last record before the failure tells both. Few records are fetched: the cursor is moved in long
/// strides as far as they go well, and then anew in short ones.
struct ComputationProbe {
    /// What may have failed.
    struct Suspect {
        /// As messages name it, such as `expr of feature "temp"`.
        let name: String
        let sql: PostgresQuery
    }

    struct Finding {
        let suspect: Suspect
        /// Keys and event time of the row; empty where there are none, or they are not known.
        let place: String
        let error: PostgresError
    }

    private struct Record {
        /// 0 is the row as it is, others are the suspects from 1.
        let step: Int
        let place: String
    }

    /// How long all of it may take.
    private static let patience: Duration = .seconds(20)
    private static let shortStride = 256
    private static let strides = [65_536, shortStride]

    private let sql: SourceSQL
    private let projectID: Int64
    private let connection: PostgresConnection
    private let deadline: ContinuousClock.Instant

    /// - Parameter connection: of the source login, with no transaction open.
    init(_ sql: SourceSQL, projectID: Int64, on connection: PostgresConnection) {
        self.sql = sql
        self.projectID = projectID
        self.connection = connection
        deadline = .now + Self.patience
    }

    /// - Parameter conditions: of the statement that failed, beside the view's own.
    /// - Returns: nil where nothing fails any more, or it took too long to find.
    func find(among conditions: [PostgresQuery]) async -> Finding? {
        do {
            let unfiltered = sql.conditions(conditions, isFiltered: false)
            if let finding = try await look(for: Suspect.filter(of: sql), in: unfiltered) { return finding }
            return try await look(for: Suspect.expressions(of: sql), in: sql.conditions(conditions))
        } catch {
            return nil
        }
    }

    private func look(for suspects: [Suspect], in conditions: [PostgresQuery]) async throws -> Finding? {
        guard !suspects.isEmpty else { return nil }
        let declaration = declaration(suspects, conditions)
        var passed = 0
        for stride in Self.strides {
            guard let found = try await recordsBeforeFailure(declaration, after: passed, stride: stride) else {
                return nil
            }
            passed = found
        }
        return try await finding(declaration, suspects, after: passed)
    }

    /// - Parameter known: records that are known to come before the one that fails.
    /// - Returns: how many do, in whole strides; nil where none fails.
    private func recordsBeforeFailure(
        _ declaration: PostgresQuery, after known: Int, stride: Int
    ) async throws -> Int? {
        var passed = known
        do {
            try await scanning(declaration) { connection in
                try await move(known, on: connection)
                while try await move(stride, on: connection) == stride { passed += stride }
            }
            return nil
        } catch let error as PostgresError where error.isAboutAValue {
            return passed
        }
    }

    /// Fetches records one by one until one fails.
    private func finding(
        _ declaration: PostgresQuery, _ suspects: [Suspect], after known: Int
    ) async throws -> Finding? {
        var last: Record?
        var isInPlace = false
        do {
            try await scanning(declaration) { connection in
                // From the one before, should the very next one fail.
                try await move(known - 1, on: connection)
                isInPlace = true
                for _ in 0...Self.shortStride {
                    guard let row = try await fetch(on: connection) else { return }
                    last = try record(row)
                }
            }
            return nil
        } catch let error as PostgresError where error.isAboutAValue {
            guard isInPlace, last != nil || known == 0 else { return nil }
            // Otherwise the row itself could not be read: what the source says fails, maybe in a column or a row that the
            // computation does not read.
            guard let last, last.step < suspects.count else { return nil }
            return Finding(suspect: suspects[last.step], place: last.place, error: error)
        }
    }

    // MARK: The cursor

    private func declaration(_ suspects: [Suspect], _ conditions: [PostgresQuery]) -> PostgresQuery {
        let name: PostgresQuery = "\(identifier: sql.source.name)"
        let keys = sql.generation.joinKeys.map { "(\(query: sql.keyExpression($0)))::text" as PostgresQuery }
        let cases = suspects.enumerated().map { index, suspect -> PostgresQuery in
            "WHEN \(literal: index + 1) THEN \(query: suspect.sql) IS NULL"
        }
        let tried: PostgresQuery = "CASE \"__step\" \(query: cases.joined(separator: " ")) END"
        let columns: [PostgresQuery] = ["\"__step\""] + keys + [sql.eventTime, tried]
        var rows: PostgresQuery = """
            SELECT \(query: name).*, generate_series(0, \(literal: suspects.count)) AS "__step"
            FROM \(query: sql.relation) AS \(query: name)
            """
        if !conditions.isEmpty { rows += " WHERE \(query: conditions.joined(separator: " AND "))" }
        return """
            DECLARE larder_probe NO SCROLL CURSOR FOR
            SELECT \(query: columns.joined(separator: ", ")) FROM (\(query: rows)) AS \(query: name)
            """
    }

    /// Runs `body` with the cursor before its first record. The records come in the same order each time.
    private func scanning(
        _ declaration: PostgresQuery, _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
            try await connection.execute("SET LOCAL synchronize_seqscans = off")
            try await connection.execute(
                "SET LOCAL search_path = \(identifier: ProjectSchema.sources(projectID)), public")
            try await connection.execute(declaration, timeout: remaining)
            try await body(connection)
        }
    }

    /// - Returns: how many records there were to move over.
    @discardableResult
    private func move(_ count: Int, on connection: PostgresConnection) async throws(PostgresError) -> Int {
        guard count > 0 else { return 0 }
        return try await connection.execute(
            "MOVE FORWARD \(literal: count) IN larder_probe", timeout: remaining)
    }

    private func fetch(on connection: PostgresConnection) async throws(PostgresError) -> PostgresRow? {
        try await connection.query("FETCH NEXT FROM larder_probe", timeout: remaining).first
    }

    private var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: deadline)) }

    private func record(_ row: PostgresRow) throws(PostgresError) -> Record {
        let keys = sql.generation.joinKeys
        var parts: [String] = []
        for (index, key) in keys.enumerated() {
            let text = try row.decode(at: index + 1, as: String?.self)
            let value = key.storedType == .string ? text.map { Value.string($0).description } : text
            parts.append("\(key.name) = \(value ?? "null")")
        }
        let time = try row.decode(at: keys.count + 1, as: PostgresTimestamp?.self)
        if let time, time.isFinite {
            parts.append("event time \(Timestamp(microsecondsSince1970: time.microsecondsSince1970))")
        }
        return Record(step: Int(try row.decode(at: 0, as: Int32.self)), place: parts.joined(separator: ", "))
    }
}

extension ComputationProbe.Suspect {
    /// The view's `where`, where it has one.
    fileprivate static func filter(of sql: SourceSQL) -> [Self] {
        sql.filter.map { [Self(name: "where", sql: "(\(query: $0))")] } ?? []
    }

    /// The expressions of the view's features.
    fileprivate static func expressions(of sql: SourceSQL) -> [Self] {
        sql.version.features.compactMap { feature in
            feature.expression.map {
                Self(name: "expr of feature \"\(feature.name)\"", sql: SourceSQL.expression($0))
            }
        }
    }

    static func all(of sql: SourceSQL) -> [Self] { filter(of: sql) + expressions(of: sql) }
}
