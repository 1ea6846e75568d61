import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import PostgresClient
import Registry
import Testing

/// What PostgreSQL itself refuses of the writer's login, whatever program uses it.
@Suite struct LastLineTests {
    private static let definitions = """
        kind: project
        name: test
        ---
        kind: entity
        name: user
        join_keys: [{name: user_id, type: int64}]
        ---
        kind: source
        name: visits
        type: table
        timestamp: at
        compatibility: none
        columns:
          - {name: user_id, type: int64}
          - {name: at, type: timestamp}
          - {name: pages, type: int32, nullable: false}
        ---
        kind: feature_view
        name: last_visit
        entities: [user]
        source: visits
        compatibility: none
        features:
          - {name: pages, type: int32, nullable: false, expect: {min: 0, max: 1000}}
          - {name: share, type: float64, expr: "pages / 10.0::float8", expect: {min: 0.5, finite: true}}
          - {name: kind, type: string, expr: "'web'", expect: {one_of: [web, shop], max_length: 3}}
          - {name: vector, type: "vector<float32, 2>", expr: "ARRAY[1, 2]::real[]", expect: {finite: true}}
          - {name: tags, type: array<string>, expr: "ARRAY['a']", expect: {max_length: 2}}
        """

    /// Columns and values of a row that is right; a test changes one of them.
    private static let good: [(column: String, value: String)] = [
        ("k1", "1"), ("event_timestamp", "'2024-01-01T00:00:00Z'"), ("recorded_timestamp", "'-infinity'"),
        ("sequence", "1"), ("schema_version", "1"), ("write_id", "1"), ("ingested_at", "now()"),
        ("is_deleted", "false"),
        ("f1", "10"), ("f2", "1.0"), ("f3", "'web'"), ("f4", "'{1,2}'"), ("f5", "'{a}'"),
    ]

    private static func insert(_ changes: [String: String], into table: PostgresQuery) -> PostgresQuery {
        var row = good.map { ($0.column, changes[$0.column] ?? $0.value) }
        for (column, value) in changes where !row.contains(where: { $0.0 == column }) { row.append((column, value)) }
        return """
            INSERT INTO \(query: table) (\(unescaped: row.map(\.0).joined(separator: ", ")))
            VALUES (\(unescaped: row.map(\.1).joined(separator: ", ")))
            """
    }

    private static func expectOne(_ statement: PostgresQuery, on connection: PostgresConnection) async throws {
        let count = try await connection.execute(statement)
        #expect(count == 1)
    }

    private static let bad: [(change: [String: String], state: SQLState)] = [
        (["f1": "NULL"], .checkViolation), (["f1": "-1"], .checkViolation), (["f1": "1001"], .checkViolation),
        (["f1": "'ten'"], "22P02"), (["f1": "3000000000"], "22003"),
        (["f2": "0.4"], .checkViolation), (["f2": "'NaN'"], .checkViolation), (["f2": "'Infinity'"], .checkViolation),
        (["f3": "'phone'"], .checkViolation), (["f3": "'shop'"], .checkViolation),
        (["f4": "'{1}'"], .checkViolation), (["f4": "'{1,NULL}'"], .checkViolation),
        (["f4": "'{1,NaN}'"], .checkViolation), (["f5": "'{a,b,c}'"], .checkViolation),
        (["f5": "'{{a},{b}}'"], .checkViolation), (["f5": "'{NULL}'"], .checkViolation),
        (["schema_version": "2"], .checkViolation), (["schema_version": "0"], .checkViolation),
        (["k1": "NULL"], "23502"), (["event_timestamp": "NULL"], "23502"),
        (["withdrawn_by": "1"], .insufficientPrivilege),
    ]

    @Test func `a row that its version does not allow is refused of a direct INSERT`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions)
            let table = try await larder.offlineTable("last_visit")
            try await larder.stores.writer.withConnection { connection in
                for (change, state) in Self.bad {
                    let error = await #expect(throws: PostgresError.self, "\(change)") {
                        try await connection.execute(Self.insert(change, into: table))
                    }
                    #expect(error?.sqlState == state, "\(change): \(String(describing: error))")
                }
                try await Self.expectOne(Self.insert([:], into: table), on: connection)
                // A tombstone has no features, whatever the version asks of rows.
                let tombstone = Dictionary(
                    uniqueKeysWithValues: ["f1", "f2", "f3", "f4", "f5"].map { ($0, "NULL") } + [("is_deleted", "true")]
                )
                try await Self.expectOne(Self.insert(tombstone, into: table), on: connection)
            }
        }
    }

    @Test func `a row that its version does not allow is refused of a direct COPY`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions)
            let table = try await larder.rawTable("visits")
            try await larder.stores.writer.withConnection { connection in
                for (version, pages) in [(Int32(1), Int32?.none), (2, 5)] {
                    let error = await #expect(throws: PostgresError.self) {
                        try await Self.copy(version: version, pages: pages, to: table, on: connection)
                    }
                    #expect(error?.sqlState == .checkViolation)
                }
                try await Self.copy(version: 1, pages: 5, to: table, on: connection)
            }
            #expect(try await larder.count(table) == 1)
        }
    }

    private static func copy(
        version: Int32, pages: Int32?, to table: PostgresQuery, on connection: PostgresConnection
    ) async throws {
        let copy = try await connection.beginCopyIn(
            """
            COPY \(query: table) (sequence, write_id, schema_version, is_deleted, c1, c2, c3)
            FROM STDIN (FORMAT binary)
            """)
        var encoder = PostgresCopyEncoder()
        encoder.beginRow(fieldCount: 7)
        encoder.append(int64: 1)
        encoder.append(int64: 1)
        encoder.append(int32: version)
        encoder.append(bool: false)
        encoder.append(int64: 7)
        try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: 0))
        if let pages { encoder.append(int32: pages) } else { encoder.appendNull() }
        encoder.finish()
        try await copy.write(encoder.take())
        _ = try await copy.finish()
    }

    @Test func `two versions of one generation are written side by side until one is retired`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions)
            try await larder.apply(
                Self.definitions.replacingOccurrences(
                    of: "  - {name: tags,", with: "  - {name: extra, type: int64, expr: pages}\n  - {name: tags,"))
            let table = try await larder.offlineTable("last_visit")
            try await larder.stores.writer.withConnection { connection in
                try await connection.execute(Self.insert([:], into: table))
                try await connection.execute(Self.insert(["schema_version": "2", "f6": "9"], into: table))
                // What the later version allows is not what the earlier one does.
                _ = await #expect(throws: PostgresError.self) {
                    try await connection.execute(Self.insert(["schema_version": "2", "f1": "1001"], into: table))
                }
            }
            try await ChangeLifecycle(stores: larder.stores).make(
                .retire(VersionedObject(kind: .featureView, name: "last_visit", version: 1)),
                in: try await larder.project())
            try await larder.stores.writer.withConnection { connection in
                let error = await #expect(throws: PostgresError.self) {
                    try await connection.execute(Self.insert(["sequence": "2"], into: table))
                }
                #expect(error?.sqlState == .checkViolation)
                #expect(error?.constraintName == "writable_versions")
                try await connection.execute(Self.insert(["schema_version": "2", "sequence": "3"], into: table))
                // A row of the retired version can still be withdrawn, and not be brought back.
                try await Self.expectOne(
                    "UPDATE \(query: table) SET withdrawn_by = 9 WHERE schema_version = 1", on: connection)
                _ = await #expect(throws: PostgresError.self) {
                    try await connection.execute("UPDATE \(query: table) SET withdrawn_by = NULL")
                }
            }
        }
    }

    @Test func `a changed expectation holds for new rows and lets old ones be withdrawn`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Self.definitions)
            let table = try await larder.offlineTable("last_visit")
            _ = try await larder.stores.writer.withConnection { connection in
                try await connection.execute(Self.insert(["f1": "900"], into: table))
            }
            try await larder.apply(Self.definitions.replacingOccurrences(of: "max: 1000", with: "max: 100"))
            try await larder.stores.writer.withConnection { connection in
                _ = await #expect(throws: PostgresError.self) {
                    try await connection.execute(Self.insert(["f1": "900", "sequence": "2"], into: table))
                }
                try await Self.expectOne("UPDATE \(query: table) SET withdrawn_by = 9", on: connection)
            }
        }
    }
}
