import FeatureModel
import FeatureService
import PostgresClient
import Testing
import TextFormats

/// A key that is used a second time: for the same write it counts once, for another one it is refused.
@Suite struct IdempotencyKeyTests {
    private enum Verdict {
        case written
        case wasThere
        case refused
    }

    private struct Outcome {
        let score: Int
        let verdict: Verdict
    }

    private func withScores(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            try await larder.publishScores()
            try await body(larder)
        }
    }

    private func row(_ user: Int, _ score: Int) -> String {
        #"{"user_id": \#(user), "at": "2024-05-01T10:00:00Z", "score": \#(score)}"#
    }

    private func request(
        _ rows: String, version: Int32 = 1, mode: WriteMode = .allOrNothing, to destination: WriteDestination = .both,
        key: String?
    ) throws -> WriteViewRows.Request {
        .init(
            view: "scores", rows: .payload(try RowPayload(json: try JSONValue.parse(Array("[\(rows)]".utf8)))),
            schemaVersion: version, mode: mode, destination: destination, idempotencyKey: key)
    }

    /// As a server writes: together with other pushes where that can be, else alone.
    private func write(
        _ request: WriteViewRows.Request, through groups: PushGroups, _ larder: LarderFixture
    ) async throws -> ViewWriteReport {
        let project = try await larder.project()
        if let report = try await groups.write(request, in: project) { return report }
        return try await WriteViewRows(stores: larder.stores).run(request, in: project)
    }

    @Test func `what differs from the write that had the key is refused, and the same write counts once`() async throws
    {
        try await withScores { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            let groups = PushGroups(stores: larder.stores)
            #expect(try await write(request(row(1, 1), key: "a"), through: groups, larder).write.rowsWritten == 1)
            let id = try await larder.value(
                "SELECT write_id FROM larder.write WHERE idempotency_key IS NOT NULL", as: Int64.self)
            let others = try [
                request(row(1, 2), key: "a"), request(row(2, 1), key: "a"),
                request("\(row(1, 1)), \(row(1, 1))", key: "a"), request(row(1, 1), version: 2, key: "a"),
                request(row(1, 1), mode: .partial, key: "a"), request(row(1, 1), to: .offline, key: "a"),
            ]
            for other in others {
                let error = try await thrownError { _ = try await write(other, through: groups, larder) }
                #expect(error.code == .idempotencyKeyReused && error.code.httpStatus == 422, "\(error)")
                #expect(
                    error.message.hasPrefix("write \(id) into feature view \"scores\" has the idempotency key \"a\""))
            }
            #expect(try await larder.count(larder.scoresTable()) == 1)
            let again = try await write(request(row(1, 1), key: "a"), through: groups, larder)
            #expect(again.write.wasThereBefore && again.online.name == "published")
            let alone = try await WriteViewRows(stores: larder.stores)
                .run(request(row(3, 3), key: "b"), in: try await larder.project())
            #expect(alone.write.rowsWritten == 1)
            #expect(try await write(request(row(3, 3), key: "b"), through: groups, larder).write.wasThereBefore)
            #expect(try await larder.count(larder.scoresTable()) == 2)
        }
    }

    @Test func `of writes that take one key at once one is written, its equals were there, and the others are refused`()
        async throws
    {
        try await withScores { larder in
            let servers = [PushGroups(stores: larder.stores), PushGroups(stores: larder.stores)]
            for round in 0..<5 {
                let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            let score = number % 2
                            let push = try request(row(round, score), key: "round \(round)")
                            do {
                                let report = try await write(push, through: servers[number / 4], larder)
                                let wasThere = report.write.wasThereBefore
                                return Outcome(score: score, verdict: wasThere ? .wasThere : .written)
                            } catch let error as LarderError where error.code == .idempotencyKeyReused {
                                return Outcome(score: score, verdict: .refused)
                            }
                        }
                    }
                    var all: [Outcome] = []
                    for try await outcome in group { all.append(outcome) }
                    return all
                }
                let winner = try #require(outcomes.first(where: { $0.verdict == .written })).score
                #expect(outcomes.filter { $0.verdict == .written }.count == 1)
                #expect(outcomes.filter { $0.verdict == .wasThere && $0.score == winner }.count == 3)
                #expect(outcomes.filter { $0.verdict == .refused && $0.score != winner }.count == 4)
                #expect(try await larder.score("scores:score", of: round).value == .int32(Int32(winner)))
            }
            #expect(try await larder.count(larder.scoresTable()) == 5)
        }
    }

    @Test func `a file that changed is another write, and the same one is the same under a newer version`() async throws
    {
        try await withScores { larder in
            func push(_ text: String, null: String? = nil) async throws -> WriteReport {
                try await larder.withTemporaryFile(text) { path in
                    try await WriteViewRows(stores: larder.stores).run(
                        .init(
                            view: "scores", rows: .file(path: path, .csv), idempotencyKey: "file", nullSpelling: null),
                        in: try await larder.project()
                    ).write
                }
            }
            let text = "user_id,at,score,label\n1,2024-05-01T10:00:00Z,4,NA\n"
            #expect(try await push(text).rowsWritten == 1)
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            #expect(try await push(text).wasThereBefore)
            let others: [(String, String?)] = [(text, "NA"), (text + "2,2024-05-01T10:00:00Z,4,NA\n", nil)]
            for (text, null) in others {
                let error = try await thrownError { _ = try await push(text, null: null) }
                #expect(error.code == .idempotencyKeyReused)
            }
            #expect(try await larder.count(larder.scoresTable()) == 1)
        }
    }

    @Test func `a key that is blank, too long or not UTF-8 is refused, and nothing is written`() async throws {
        try await withScores { larder in
            let groups = PushGroups(stores: larder.stores)
            for key in ["", " \t", String(repeating: "k", count: 257), "k\u{FFFD}"] {
                let push = try request(row(1, 1), key: key)
                let error = try await thrownError { _ = try await write(push, through: groups, larder) }
                #expect(error.code == .requestInvalid, "key \(key): \(error)")
                #expect(error.message.hasPrefix("the idempotency key is "), "key \(key): \(error)")
            }
            #expect(try await larder.count(larder.scoresTable()) == 0)
            let longest = try request(row(1, 1), key: String(repeating: "k", count: 256))
            #expect(try await write(longest, through: groups, larder).write.rowsWritten == 1)
        }
    }

    @Test func `a write from before the ledger kept what was asked matches everything`() async throws {
        try await withScores { larder in
            #expect(try await larder.push(row(1, 1), key: "a").write.rowsWritten == 1)
            try await larder.stores.owner.withConnection { connection in
                for statement in [
                    "ALTER TABLE larder.write DISABLE TRIGGER USER", "UPDATE larder.write SET request_digest = NULL",
                    "ALTER TABLE larder.write ENABLE TRIGGER USER",
                ] as [PostgresQuery] {
                    try await connection.execute(statement)
                }
            }
            #expect(try await larder.push(row(1, 2), key: "a").write.wasThereBefore)
        }
    }

    @Test func `a key of a source is refused for other rows`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                """
                kind: project
                name: test
                ---
                kind: source
                name: visits
                type: table
                columns: [{name: id, type: int64}, {name: at, type: timestamp}]
                timestamp: at
                """)
            let project = try await larder.project()
            func write(_ id: Int, mode: WriteMode = .allOrNothing) async throws -> WriteReport {
                let rows = try JSONValue.parse(Array(#"[{"id":\#(id),"at":"2024-05-01T10:00:00Z"}]"#.utf8))
                return try await WriteSourceRows(stores: larder.stores).run(
                    .init(
                        source: "visits", schemaVersion: 1, rows: try RowPayload(json: rows), mode: mode,
                        idempotencyKey: "a"), in: project)
            }
            #expect(try await write(1).rowsWritten == 1)
            #expect(try await write(1).wasThereBefore)
            for (id, mode) in [(2, .allOrNothing), (1, .partial)] as [(Int, WriteMode)] {
                let error = try await thrownError { _ = try await write(id, mode: mode) }
                #expect(error.code == .idempotencyKeyReused)
                #expect(error.message.contains("into source \"visits\""))
            }
            // A file counts by its bytes, which are its key.
            let file = "id,at\n7,2024-05-01T10:00:00Z\n"
            #expect(try await larder.ingest("visits", file).rowsWritten == 1)
            #expect(try await larder.ingest("visits", file).wasThereBefore)
            #expect(
                try await larder.value(
                    "SELECT count(*) FROM larder.write WHERE request_digest IS NOT NULL", as: Int64.self) == 1)
        }
    }
}
