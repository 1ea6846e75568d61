import FeatureCodec
import FeatureDefinitions
import FeatureModel
import FeatureService
import OnlineStore
import PostgresClient
import RedisClient
import Registry
import TestSupport
import Testing
import TextFormats

/// Pushes that come at the same time: what they share, and what each keeps for itself.
@Suite struct PushGroupTests {
    private typealias Pushing = Task<ViewWriteReport?, any Error>

    private func withScores(
        entities: String = "[user]", _ body: (LarderFixture, PushGroups) async throws -> Void
    ) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(entities: entities, PushedScores.first))
            try await larder.publishScores()
            try await body(larder, PushGroups(stores: larder.stores))
        }
    }

    private func request(
        _ rows: String, mode: WriteMode = .allOrNothing, to destination: WriteDestination = .both, key: String? = nil
    ) throws -> WriteViewRows.Request {
        .init(
            view: "scores", rows: .payload(try RowPayload(json: try JSONValue.parse(Array("[\(rows)]".utf8)))),
            schemaVersion: 1, mode: mode, destination: destination, idempotencyKey: key)
    }

    private func row(_ user: Int, _ score: Int, at: String = "2024-05-01T10:00:00Z") -> String {
        #"{"user_id": \#(user), "at": "\#(at)", "score": \#(score)}"#
    }

    /// Pushes one after the other, so that the first is being committed while all others wait for the next group.
    /// - Parameter meanwhile: runs when all of them wait.
    private func push(
        _ requests: [WriteViewRows.Request], through groups: PushGroups, of larder: LarderFixture,
        meanwhile: ([Pushing]) async throws -> Void = { _ in }
    ) async throws -> [Pushing] {
        let project = try await larder.project()
        return try await larder.stores.owner.withConnection { holder in
            try await holder.transaction { holder in
                try await holder.execute("LOCK TABLE larder.write IN EXCLUSIVE MODE")
                var pushes: [Pushing] = []
                for request in requests {
                    pushes.append(Task { try await groups.write(request, in: project) })
                    if pushes.count == 1 { _ = try await larder.waitForLockWaiter(on: "larder.write") }
                    try await wait(for: pushes.count, in: groups)
                }
                try await meanwhile(pushes)
                return pushes
            }
        }
    }

    private func wait(for count: Int, in groups: PushGroups) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while await groups.pendingCount != count, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(await groups.pendingCount == count)
    }

    private func ledger(_ expression: PostgresQuery, _ larder: LarderFixture) async throws -> Int64 {
        try await larder.value(
            "SELECT \(query: expression)::bigint AS number FROM larder.write WHERE kind = 'push'", as: Int64.self)
    }

    // MARK: Together

    @Test func `what comes during a transaction goes into the next one, each with an answer of its own`() async throws {
        try await withScores { larder, groups in
            let requests = try (1...6).map { try request(row($0, 10 * $0), key: $0 > 4 ? "key \($0)" : nil) }
            for push in try await push(requests, through: groups, of: larder) {
                let value = try await push.value
                let report = try #require(value)
                #expect(report.write.rowsWritten == 1 && report.write.schemaVersion == 1 && report.generation == 1)
                #expect(!report.write.wasThereBefore && report.online.name == "published")
            }
            #expect(await groups.pendingCount == 0)
            // Those with a key are writes of their own, the others of a group are one.
            #expect(try await ledger("count(DISTINCT transaction_id)", larder) == 2)
            #expect(try await ledger("count(*)", larder) == 4)
            #expect(try await ledger("sum(rows_written)", larder) == 6)
            let table = try await larder.scoresTable()
            let recorded: PostgresQuery = """
                SELECT count(*) FROM \(query: table) JOIN larder.write USING (write_id) WHERE ingested_at <= arrived_at
                """
            #expect(try await larder.value(recorded, as: Int64.self) == 6)
            for user in 1...6 {
                #expect(try await larder.score("scores:score", of: user).value == .int32(Int32(10 * user)))
            }
        }
    }

    @Test func `of rows with equal key and time the one that came later wins, in one group and through two servers`()
        async throws
    {
        try await withScores { larder, groups in
            let requests = try [request(row(9, 1)), request(row(1, 10)), request(row(1, 20))]
            for push in try await push(requests, through: groups, of: larder) { #expect(try await push.value != nil) }
            #expect(try await ledger("count(DISTINCT transaction_id)", larder) == 2)
            #expect(try await larder.score("scores:score", of: 1).value == .int32(20))
            let other = PushGroups(stores: larder.stores)
            let project = try await larder.project()
            for (score, server) in [(30, other), (40, groups), (50, other)] {
                #expect(try await server.write(request(row(1, score)), in: project) != nil)
                #expect(try await larder.score("scores:score", of: 1).value == .int32(Int32(score)))
            }
            try await larder.push(row(1, 60))
            #expect(try await groups.write(request(row(1, 70)), in: project) != nil)
            #expect(try await larder.score("scores:score", of: 1).value == .int32(70))
        }
    }

    @Test func `to offline leaves publishing to the next materialize, whatever is published beside it`() async throws {
        try await withScores { larder, groups in
            let requests = try [
                request(row(1, 1)), request(row(2, 2), to: .offline), request(row(3, 3), to: .online),
            ]
            var outcomes: [String?] = []
            for push in try await push(requests, through: groups, of: larder) {
                outcomes.append(try await push.value?.online.name)
            }
            #expect(outcomes == ["published", "none", "published"])
            #expect(try await larder.score("scores:score", of: 2).status == .notFound)
            #expect(try await larder.score("scores:score", of: 3).value == .int32(3))
            try await larder.publishScores()
            #expect(try await larder.score("scores:score", of: 2).value == .int32(2))
        }
    }

    @Test func `where many rows wait one more transaction begins, and no third`() async throws {
        try await withScores { larder, groups in
            func many(from user: Int) throws -> WriteViewRows.Request {
                try request((user..<user + 1_000).map { row($0, $0 % 100) }.joined(separator: ","))
            }
            let requests = try [request(row(1, 1)), request(row(2, 2)), many(from: 1_001), many(from: 2_001)]
            let pushes = try await push(requests, through: groups, of: larder) { _ in
                let waiting: PostgresQuery = """
                    SELECT count(*) FROM pg_locks WHERE relation = 'larder.write'::regclass AND NOT granted
                    """
                let deadline = ContinuousClock.now + .seconds(10)
                while try await larder.value(waiting, as: Int64.self) < 2, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(5))
                }
                #expect(try await larder.value(waiting, as: Int64.self) == 2)
            }
            for push in pushes { #expect(try await push.value?.online.name == "published") }
            // The second took what waited before the many rows with it, the third what came after.
            #expect(try await ledger("count(*)", larder) == 3)
            #expect(try await ledger("max(rows_written)", larder) == 1_001)
            for user in [1, 2, 1_001, 2_000, 2_001, 3_000] {
                #expect(try await larder.score("scores:score", of: user).value == .int32(Int32(user % 100)))
            }
        }
    }

    @Test func `rows are stored by key, roughly, whatever order and type they came in`() async throws {
        for (entities, key) in [("[user]", "user_id"), ("[place]", "region")] {
            try await withScores(entities: entities) { larder, groups in
                func row(_ number: Int) -> String {
                    let value = key == "user_id" ? "\(number - 500)" : "\"r\(number)\""
                    return #"{"\#(key)": \#(value), "at": "2024-05-01T10:00:00Z", "score": \#(number / 10)}"#
                }
                // Every number once, far from its neighbours.
                let numbers = (0..<900).map { 100 + $0 * 77 % 900 }
                let request = try request(numbers.map(row).joined(separator: ","))
                #expect(try await groups.write(request, in: try await larder.project()) != nil)
                let table = try await larder.scoresTable()
                let scores = try await larder.value(
                    "SELECT array_agg(f1 ORDER BY ctid) AS scores FROM \(query: table)", as: [Int32].self)
                #expect(scores.map { $0 / 10 } == (100..<1_000).map { $0 / 100 }, "keys of \(entities)")
                // Their order is that in which they came.
                let first = try await larder.value(
                    "SELECT f1 AS score FROM \(query: table) ORDER BY sequence LIMIT 1", as: Int32.self)
                #expect(Int(first) == numbers[0] / 10)
            }
        }
    }

    // MARK: Alone

    @Test func `what PostgreSQL refuses takes no neighbour with it`() async throws {
        try await withScores(entities: "[place]") { larder, groups in
            func place(_ region: String) -> String {
                #"{"region": "\#(region)", "at": "2024-05-01T10:00:00Z", "score": 1}"#
            }
            // A rule that nobody but PostgreSQL knows.
            let table = try await larder.scoresTable()
            try await larder.stores.owner.withConnection {
                _ = try await $0.execute("ALTER TABLE \(query: table) ADD CHECK (k1 <> 'bad')")
            }
            let requests = try [place("first"), place("good"), place("bad"), place("fine")].map { try request($0) }
            let pushes = try await push(requests, through: groups, of: larder)
            #expect(try await pushes[0].value?.write.rowsWritten == 1)
            for push in pushes.dropFirst() { #expect(try await push.value == nil) }
            #expect(try await larder.count(table) == 1)
            for region in ["good", "fine"] { #expect(try await larder.push(place(region)).write.rowsWritten == 1) }
            let error = try await thrownError { try await larder.push(place("bad")) }
            #expect(error.code == .schemaVersionMismatch)
            #expect(try await larder.count(table) == 3)
        }
    }

    @Test func `bad, large, empty and outdated pushes are written alone, and nothing of them before`() async throws {
        try await withScores { larder, groups in
            let project = try await larder.project()
            let future = try await larder.time(secondsFromNow: 120)
            let many = (0...1_000).map { row($0, 1) }.joined(separator: ",")
            for rows in [row(1, 101), "7", row(1, 1, at: future), many, ""] {
                for mode in WriteMode.allCases {
                    #expect(try await groups.write(request(rows, mode: mode), in: project) == nil, "\(rows.prefix(80))")
                }
            }
            let soon = try await larder.time(secondsFromNow: 30)
            #expect(try await groups.write(request(row(2, 1, at: soon)), in: project) != nil)
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            #expect(try await groups.write(request(row(3, 1)), in: project) == nil)
            #expect(try await groups.write(request(row(4, 1)), in: try await larder.project()) != nil)
            #expect(try await larder.count(larder.scoresTable()) == 2)
            #expect(try await larder.count("larder.quarantine") == 0)
        }
    }

    @Test func `an idempotency key counts once, within a group and afterwards`() async throws {
        try await withScores { larder, groups in
            let requests = try [
                request(row(1, 1)), request(row(2, 2), key: "a"), request(row(2, 2), key: "a"),
                request(row(3, 3), key: "b"),
            ]
            let pushes = try await push(requests, through: groups, of: larder)
            var written: [Int64?] = []
            for push in pushes { written.append(try await push.value?.write.rowsWritten) }
            #expect(written == [1, 1, nil, 1])
            #expect(try await groups.write(requests[3], in: try await larder.project()) == nil)
            let again = try await larder.push(row(2, 2), version: 1, key: "a")
            #expect(again.write.wasThereBefore && again.online.name == "published")
            #expect(try await larder.count(larder.scoresTable()) == 3)
        }
    }

    @Test func `rows that are no JSON are found when they are read, and nothing is written`() async throws {
        try await withScores { larder, groups in
            let project = try await larder.project()
            let first = row(1, 1)
            for (rows, message) in [
                (
                    "[\(first),\n{\"user_id\": nul}]",
                    "a value is misspelt; words are true, false and null (line 2, column 13)"
                ),
                ("[\(first),]", "nothing follows a comma (line 1, column 68)"),
                ("[\(first)}]", "a comma or ] is missing"),
                ("[\(first) \(first)]", "a comma or ] is missing (line 1, column 68)"),
            ] {
                for mode in WriteMode.allCases {
                    let body = Array(#"{"rows": \#(rows)}"#.utf8)
                    let error = try await thrownError {
                        let (_, array) = try JSONValue.parse(body, leaving: "rows")
                        let request = WriteViewRows.Request(
                            view: "scores", rows: .payload(try RowPayload(array: array, of: body)), schemaVersion: 1,
                            mode: mode)
                        #expect(try await groups.write(request, in: project) == nil)
                        _ = try await WriteViewRows(stores: larder.stores).run(request, in: project)
                    }
                    #expect(
                        error.code == .requestInvalid && error.message.contains("invalid JSON: \(message)"), "\(error)")
                }
            }
            #expect(try await larder.count(larder.scoresTable()) == 0)
            #expect(try await larder.count("larder.quarantine") == 0)
        }
    }

    @Test func `a key that is being committed is not tried by the second transaction`() async throws {
        try await withScores { larder, groups in
            let many = (1_001...2_000).map { row($0, $0 % 100) }.joined(separator: ",")
            let requests = try [
                request(row(1, 1), key: "a"), request(row(1, 1), key: "a"), request(row(2, 2)), request(many),
            ]
            let pushes = try await push(requests, through: groups, of: larder)
            var written: [Int64?] = []
            for push in pushes { written.append(try await push.value?.write.rowsWritten) }
            // Only who repeats the key goes alone, to be told that it was there before.
            #expect(written == [1, nil, 1, 1_000])
        }
    }

    @Test func `a view without an entity takes pushes, too`() async throws {
        try await withScores(entities: "[]") { larder, groups in
            let body = #"{"at": "2024-05-01T10:00:00Z", "score": 7}"#
            let report = try await groups.write(request(body), in: try await larder.project())
            #expect(report?.write.rowsWritten == 1 && report?.online.name == "published")
        }
    }

    // MARK: Failures and limits

    @Test func `a transaction that breaks fails its own pushes, not those that wait`() async throws {
        try await withScores { larder, groups in
            let requests = try (1...3).map { try request(row($0, $0)) }
            let pushes = try await push(requests, through: groups, of: larder) { pushes in
                let pid = try await larder.waitForLockWaiter(on: "larder.write")
                _ = try await larder.value("SELECT pg_terminate_backend(\(pid)) AS ended", as: Bool.self)
                let error = try await thrownError { _ = try await pushes[0].value }
                #expect(error.code == .registryUnavailable)
            }
            for push in pushes.dropFirst() { #expect(try await push.value?.write.rowsWritten == 1) }
            #expect(try await larder.count(larder.scoresTable()) == 2)
            #expect(try await larder.score("scores:score", of: 1).status == .notFound)
            #expect(try await larder.score("scores:score", of: 3).value == .int32(3))
        }
    }

    @Test func `who goes away before its turn is not written, and nobody else is concerned`() async throws {
        try await withScores { larder, groups in
            let requests = try (1...4).map { try request(row($0, $0)) }
            let pushes = try await push(requests, through: groups, of: larder) { pushes in
                pushes[0].cancel()
                pushes[2].cancel()
                try await wait(for: 3, in: groups)
            }
            // Its transaction was under way.
            #expect(try await pushes[0].value?.write.rowsWritten == 1)
            await #expect(throws: CancellationError.self) { _ = try await pushes[2].value }
            for index in [1, 3] { #expect(try await pushes[index].value?.write.rowsWritten == 1) }
            #expect(try await larder.count(larder.scoresTable()) == 3)
            #expect(try await larder.score("scores:score", of: 3).status == .notFound)
        }
    }

    @Test func `beyond the limit a push is refused with a code, and the queue takes pushes again later`() async throws {
        try await withScores { larder, _ in
            let groups = PushGroups(stores: larder.stores, maximumPending: 2)
            let project = try await larder.project()
            let requests = try (1...2).map { try request(row($0, $0)) }
            let pushes = try await push(requests, through: groups, of: larder) { _ in
                let error = try await thrownError { _ = try await groups.write(request(row(3, 3)), in: project) }
                #expect(error.code == .writeQueueFull && error.code.httpStatus == 503)
            }
            for push in pushes { #expect(try await push.value != nil) }
            #expect(try await groups.write(request(row(4, 4)), in: project) != nil)
            #expect(try await larder.count(larder.scoresTable()) == 3)
        }
    }

    // MARK: Online

    @Test func `rows that were committed and not published are published by the next materialize`() async throws {
        try await withScores { larder, groups in
            let project = try await larder.project()
            #expect(try await groups.write(request(row(1, 1)), in: project)?.online.name == "published")
            larder.redis.kill()
            let requests = try [request(row(2, 2)), request(row(3, 3)), request(row(4, 4), key: "once")]
            for push in try await push(requests, through: groups, of: larder) {
                #expect(try await push.value?.online.name == "pending")
            }
            #expect(try await larder.count(larder.scoresTable()) == 4)
            try await larder.redis.start()
            let deadline = ContinuousClock.now + .seconds(20)
            while (try? larder.stores.redis.connection()) == nil, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await larder.publishScores()
            #expect(try await groups.write(request(row(5, 5)), in: project)?.online.name == "published")
            for user in 1...5 {
                #expect(try await larder.score("scores:score", of: user).value == .int32(Int32(user)))
            }
        }
    }

    @Test func `a key space that is known is not believed after Redis was emptied, rebuilt or fenced`() async throws {
        try await withScores { larder, groups in
            let project = try await larder.project()
            func online(_ user: Int) async throws -> String? {
                try await groups.write(request(row(user, user)), in: project)?.online.name
            }
            #expect(try await online(1) == "published")
            try await larder.redis.empty()
            #expect(try await online(2) == "pending")
            try await larder.publishScores()
            #expect(try await online(3) == "published")
            // As a withdrawal does.
            let installation = try #require(
                InstallationID(try await larder.value("SELECT id FROM larder.installation", as: String.self)))
            let keySpace = try await larder.value("SELECT id FROM larder.key_space", as: Int64.self)
            let fence = try await larder.stores.writer.withConnection { connection in
                try await KeySpaceStore().raiseFence(of: keySpace, on: connection)
            }
            try await OnlineStoreControl(redis: larder.stores.redis, installation: installation)
                .raiseFence(ofKeySpace: keySpace, to: fence)
            #expect(try await online(4) == "published")
            for user in 1...4 {
                #expect(try await larder.score("scores:score", of: user).value == .int32(Int32(user)))
            }
        }
    }
}
