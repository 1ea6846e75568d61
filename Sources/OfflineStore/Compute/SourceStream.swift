import FeatureDefinitions
import FeatureModel
import PointInTime
import PostgresClient

/// Computed rows of a view, and what is wrong with them beyond what the row checks find.
struct SourceBatch {
    let rows: HistoryBatch
    /// With the row's position in the batch.
    let violations: [(Int, RowViolation)]
}

/// Rows of a view as its source computes them, widened to the declared types.
struct SourceStream: RowStream {
    private let copy: PostgresCopyOut
    /// Beside the view's own.
    private let conditions: [PostgresQuery]
    private var decoder: SourceDecoder

    /// - Throws: `SourceFailure` when PostgreSQL fails at the computation, as `next()` does.
    static func open(
        _ sql: SourceSQL, where conditions: [PostgresQuery], isOrdered: Bool, on connection: PostgresConnection
    ) async throws -> SourceStream {
        let select = sql.select(where: conditions, isOrdered: isOrdered)
        do {
            let description = try await connection.describe(select)
            let columns = try sql.resultColumns(of: description)
            let arrival = try await now(on: connection)
            let copy = try await connection.beginCopyOut("COPY (\(query: select)) TO STDOUT (FORMAT binary)")
            return SourceStream(
                copy: copy, conditions: conditions,
                decoder: SourceDecoder(sql: sql, columns: columns, arrival: arrival))
        } catch let error as PostgresError where error.isAboutTheComputation {
            throw SourceFailure(error: error, conditions: conditions)
        }
    }

    /// The arrival of rows whose source has none of its own: when they were read.
    private static func now(on connection: PostgresConnection) async throws -> Timestamp {
        guard let row = try await connection.query("SELECT clock_timestamp() AS now").first else {
            throw PostgresError(.decoding, "clock_timestamp gave no row")
        }
        let now = try row.decode("now", as: PostgresTimestamp.self)
        return Timestamp(microsecondsSince1970: now.microsecondsSince1970)
    }

    mutating func next() async throws -> SourceBatch? {
        do {
            while let chunk = try await copy.next() {
                let batch = try decoder.decode(chunk)
                if batch.rows.rowCount > 0 { return batch }
            }
            return nil
        } catch let error as PostgresError where error.isAboutTheComputation {
            throw SourceFailure(error: error, conditions: conditions)
        }
    }
}

extension SourceSQL {
    /// A column of the computation as PostgreSQL gives it.
    struct ResultColumn {
        let type: ValueType
        /// `smallint`, which Larder has no type for and reads as int32.
        let isSmallInteger: Bool
    }

    /// What the columns of the computation are.
    /// - Throws: `expression_invalid` where one fits what is declared only by losing something.
    func resultColumns(of description: PostgresStatementDescription) throws(LarderError) -> [ResultColumn] {
        let declared = declaredTypes
        precondition(description.columns.count == declared.count, "the computation gives as many columns as it names")
        var columns: [ResultColumn] = []
        for (column, expected) in zip(description.columns, declared) {
            guard expected.type.acceptsOnWrite(column.type), let found = ValueType(postgresType: column.type) else {
                throw LarderError(
                    .expressionInvalid,
                    "\(expected.what) of feature view \"\(view.name)\" is \(expected.type), "
                        + "but source \"\(source.name)\" gives \(column.type)",
                    hint: Self.castHint(from: column.type, to: expected.type))
            }
            let type = if case .vector = expected.type { expected.type } else { found }
            columns.append(ResultColumn(type: type, isSmallInteger: column.type == .int2))
        }
        return columns
    }

    static func castHint(from type: PostgresType, to declared: ValueType) -> String {
        if type == .timestamp { return "a timestamp without time zone is no instant: write ... AT TIME ZONE 'UTC'" }
        return "nothing is converted silently: cast it in SQL, or declare the type it has"
    }

    private var declaredTypes: [(what: String, type: ValueType)] {
        var declared = generation.joinKeys.map { ("join key \"\($0.name)\"", $0.storedType) }
        declared += [("the event time", .timestamp), ("the recorded time", .timestamp)]
        if isTable {
            declared += [("the sequence", .int64), ("the arrival", .timestamp), ("the tombstone flag", .bool)]
        }
        return declared + version.features.map { ("feature \"\($0.schema.name)\"", $0.schema.type) }
    }
}
