import FeatureDefinitions
import FeatureModel
import FeatureService
import OfflineStore
import OnlineStore
import PostgresClient
import RedisClient
import TestSupport
import Testing
import TextFormats

/// Rows written straight into a feature view: what is taken, what is refused, and where it is then.
@Suite struct ViewRowsTests {
    private func withScores(
        _ features: String = PushedScores.first, _ body: (LarderFixture) async throws -> Void
    ) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(features))
            try await larder.publishScores()
            try await body(larder)
        }
    }

    @Test func `two versions of a generation are written side by side, each with defaults and nulls of its own`()
        async throws
    {
        try await withScores { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            let old = try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 10}"#, version: 1)
            #expect(old.write.schemaVersion == 1 && old.write.rowsWritten == 1 && old.generation == 1)
            #expect(old.online == .published(OnlineWriteCounts(written: 1, kept: 0)))
            let new = try await larder.push(
                """
                {"user_id": 2, "at": "2024-05-01T10:00:00Z", "score": 20, "label": "b"},
                {"user_id": 3, "at": "2024-05-01T10:00:00Z", "score": 30, "level": 9}
                """)
            #expect(new.write.schemaVersion == 2)
            // The version before is filled in by the reader, the newer one was filled in when it was written.
            #expect(try await larder.score("scores@2:level", of: 1).value == .int32(7))
            #expect(try await larder.score("scores@2:level", of: 1).status == .defaulted)
            #expect(try await larder.score("scores:level", of: 2).value == .int32(7))
            #expect(try await larder.score("scores:level", of: 2).status == .present)
            #expect(try await larder.score("scores:level", of: 3).value == .int32(9))
            #expect(try await larder.score("scores@1:label", of: 1).status == .nullValue)
            #expect(try await larder.score("scores@1:label", of: 2).value == .string("b"))
            #expect(try await larder.score("scores@1:score", of: 3).value == .int32(30))
            let lines = try await larder.trainingSet(
                spine: "user_id,event_timestamp\n1,2024-05-01T11:00:00Z\n3,2024-05-01T11:00:00Z\n",
                ["scores:score", "scores:level"])
            #expect(
                lines.map { $0.split(separator: ",").suffix(2) } == [["score", "level"], ["10", "7"], ["30", "9"]])
        }
    }

    @Test func `every bad row gets every reason, and nothing is written`() async throws {
        try await withScores(PushedScores.second) { larder in
            let future = try await larder.time(secondsFromNow: 120)
            let error = try await thrownError {
                try await larder.push(
                    """
                    {"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 101, "label": "toolong"},
                    {"user_id": null, "score": null, "other": 1},
                    {"user_id": 2, "at": "\(future)", "score": "x", "level": null},
                    {"user_id": 3, "at": "2024-05-01T10:00:00Z", "score": 5},
                    7
                    """)
            }
            #expect(error.code == .rowsRejected)
            let reasons = error.rows.map { "\($0.row) \($0.feature ?? "-") \($0.code)" }
            #expect(
                reasons == [
                    "1 score above_maximum", "1 label too_long",
                    "2 other extra_field", "2 user_id null_key", "2 at null_timestamp", "2 score null_not_allowed",
                    "3 score wrong_type", "3 level null_not_allowed", "3 at event_in_future",
                    "5 - invalid_json",
                ])
            #expect(error.rows.allSatisfy { $0.line == nil && !$0.message.contains("(line") })
            #expect(try await larder.count(larder.scoresTable()) == 0)
            #expect(try await larder.score("scores:score", of: 3).status == .notFound)
        }
    }

    @Test func `up to a minute ahead of PostgreSQL's clock counts as due`() async throws {
        try await withScores { larder in
            let soon = try await larder.time(secondsFromNow: 30)
            let report = try await larder.push(#"{"user_id": 1, "at": "\#(soon)", "score": 1}"#)
            #expect(report.online == .published(OnlineWriteCounts(written: 1, kept: 0)))
            #expect(try await larder.score("scores:score", of: 1, at: soon).value == .int32(1))
        }
    }

    @Test func `an older row never replaces a newer one, whichever order they come in`() async throws {
        try await withScores { larder in
            try await larder.push(
                """
                {"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2},
                {"user_id": 1, "at": "2024-05-01T09:00:00Z", "score": 1}
                """)
            #expect(try await larder.score("scores:score", of: 1).value == .int32(2))
            let late = try await larder.push(#"{"user_id": 1, "at": "2024-05-01T08:00:00Z", "score": 3}"#)
            #expect(late.online == .published(OnlineWriteCounts(written: 0, kept: 1)))
            #expect(try await larder.score("scores:score", of: 1).value == .int32(2))
            // Of equal event times the later record counts, and of equal records the later row.
            try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "seen": "2024-05-01T10:30:00Z", "score": 4}"#)
            try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "seen": "2024-05-01T10:20:00Z", "score": 5}"#)
            #expect(try await larder.score("scores:score", of: 1).value == .int32(4))
            try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "seen": "2024-05-01T10:30:00Z", "score": 6}"#)
            #expect(try await larder.score("scores:score", of: 1).value == .int32(6))
            #expect(try await larder.count(larder.scoresTable()) == 6)
        }
    }

    @Test func `a tombstone takes the entity away from its event time on, and needs no features`() async throws {
        try await withScores(PushedScores.second) { larder in
            try await larder.push(
                """
                {"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2},
                {"user_id": 1, "at": "2024-05-01T11:00:00Z", "__deleted": true, "level": null}
                """)
            #expect(try await larder.score("scores:score", of: 1).status == .notFound)
            let lines = try await larder.trainingSet(
                spine: "user_id,event_timestamp\n1,2024-05-01T10:30:00Z\n1,2024-05-01T11:30:00Z\n", ["scores:score"])
            #expect(
                lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).last } == ["2", ""])
        }
    }

    @Test func `a partial push writes and publishes the good rows and quarantines the others, which can be replayed`()
        async throws
    {
        try await withScores { larder in
            let report = try await larder.push(
                """
                {"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2},
                {"user_id": 2, "at": "2024-05-01T10:00:00Z", "score": 102},
                {"user_id": 3, "at": "2024-05-01T10:00:00Z", "score": 4}
                """, mode: .partial)
            #expect(report.write.rowsWritten == 2 && report.write.rowsQuarantined == 1)
            #expect(report.write.reasons == ["above_maximum": 1])
            #expect(report.online == .published(OnlineWriteCounts(written: 2, kept: 0)))
            #expect(try await larder.score("scores:score", of: 2).status == .notFound)
            let target = WriteTarget.featureView("scores")
            let kept = try await larder.quarantine.rows(target, in: try await larder.project(), limit: 10)
            #expect(kept.map { String(decoding: $0.record, as: UTF8.self) }.first?.contains("102") == true)
            try await larder.apply(
                PushedScores.definitions(PushedScores.first.replacing("max: 100", with: "max: 200")))
            let replay = try await larder.quarantine.replay(target, in: try await larder.project())
            #expect(replay.rowsWritten == 1 && replay.rowsKept == 0)
            #expect(replay.online == .published(OnlineWriteCounts(written: 1, kept: 0)))
            #expect(try await larder.score("scores:score", of: 2).value == .int32(102))
        }
    }

    @Test func `a row whose join keys are longer than the index takes is quarantined, and the others are written`()
        async throws
    {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(entities: "[user, place]", PushedScores.first))
            func row(_ region: String) -> String {
                #"{"user_id": 1, "region": "\#(region)", "at": "2024-05-01T10:00:00Z", "score": 2}"#
            }
            let random = String((0..<2_000).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
            let rows = [row("x" + random), row(random)].joined(separator: ",")
            let error = try await thrownError { try await larder.push(rows) }
            #expect(error.code == .rowsRejected)
            #expect(
                error.rows.map(\.description) == [
                    "row 1, region: the keys of the row have 2001 bytes together, more than 2000 [key_too_long]"
                ])
            let report = try await larder.push(rows, mode: .partial)
            #expect(report.write.rowsWritten == 1 && report.write.rowsQuarantined == 1)
            #expect(report.write.reasons == ["key_too_long": 1])
        }
    }

    @Test func `a replay stands while nothing can be published, and says so`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            try await larder.push(#"{"user_id": 2, "at": "2024-05-01T10:00:00Z", "score": 102}"#, mode: .partial)
            let target = WriteTarget.featureView("scores")
            let none = try await larder.quarantine.replay(target, in: try await larder.project())
            #expect(none.rowsKept == 1 && none.online == OnlineOutcome.none)
            try await larder.apply(
                PushedScores.definitions(PushedScores.first.replacing("max: 100", with: "max: 200")))
            let replay = try await larder.quarantine.replay(target, in: try await larder.project())
            guard case .pending(let reason) = replay.online else {
                Issue.record("\(replay.online)")
                return
            }
            #expect(replay.rowsWritten == 1 && reason.code == .notMaterialized)
            try await larder.publishScores()
            #expect(try await larder.score("scores:score", of: 2).value == .int32(102))
        }
    }

    @Test func `a version of a dropped generation is refused for that, and not for its keys`() async throws {
        try await withScores { larder in
            try await larder.apply(PushedScores.definitions(generation: 2, PushedScores.second))
            try await larder.publishScores()
            try await ChangeLifecycle(stores: larder.stores).make(
                .switchGeneration(view: "scores", to: 2), in: try await larder.project())
            try await ChangeLifecycle(stores: larder.stores).make(
                .beginDrop(view: "scores", generation: 1), in: try await larder.project())
            let row = #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#
            let going = try await thrownError { try await larder.push(row, version: 1) }
            #expect(
                going.message
                    == #"version 1 of feature view "scores" belongs to generation 1, which is being dropped, "#
                    + "and takes no rows")
            _ = try await DropGeneration(stores: larder.stores).run(
                view: "scores", generation: 1, in: try await larder.project())
            let gone = try await thrownError { try await larder.push(row, version: 1) }
            #expect(gone.code == .schemaVersionMismatch && gone.hint == "active versions: 2")
            #expect(
                gone.message == #"version 1 of feature view "scores" belonged to generation 1, which was dropped, "#
                    + "and takes no rows")
            #expect(gone.errors.map(\.message) == [#"version 1 lacks field "level" int32, not null"#])
        }
    }

    @Test func `a second push with the same idempotency key writes nothing`() async throws {
        try await withScores { larder in
            let row = #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#
            #expect(try await larder.push(row, key: "a").write.rowsWritten == 1)
            let again = try await larder.push(row, key: "a")
            #expect(again.write.wasThereBefore && again.write.rowsWritten == 0)
            #expect(try await larder.push(row, key: "b").write.rowsWritten == 1)
            #expect(try await larder.count(larder.scoresTable()) == 2)
        }
    }

    @Test func `with Redis gone the rows stand, and the next materialize publishes them`() async throws {
        try await withScores { larder in
            larder.redis.kill()
            let report = try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#, key: "once")
            guard case .pending(let reason) = report.online else {
                Issue.record("\(report.online)")
                return
            }
            #expect(reason.code == .onlineStoreUnavailable)
            #expect(try await larder.count(larder.scoresTable()) == 1)
            try await larder.redis.start()
            let deadline = ContinuousClock.now + .seconds(20)
            while (try? larder.stores.redis.connection()) == nil, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            // Redis came back empty: one row alone must not be taken for all there is.
            let next = try await larder.push(#"{"user_id": 2, "at": "2024-05-01T10:00:00Z", "score": 3}"#)
            #expect(next.online.isPending)
            try await larder.publishScores()
            #expect(try await larder.score("scores:score", of: 1).value == .int32(2))
            #expect(try await larder.score("scores:score", of: 2).value == .int32(3))
        }
    }

    @Test func `repeating a push that could not be published publishes what it had written`() async throws {
        try await withScores { larder in
            let row = #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#
            try await larder.push(row, key: "once")
            // As if Redis had never got it: the keys of entities have braces.
            let script = "for _, key in ipairs(redis.call('KEYS', '*{*')) do redis.call('DEL', key) end"
            _ = try await larder.stores.redis.execute(RedisCommand("EVAL", .string(script), 0))
            #expect(try await larder.score("scores:score", of: 1).status == .notFound)
            let again = try await larder.push(row, key: "once")
            #expect(again.write.wasThereBefore)
            #expect(again.online == .published(OnlineWriteCounts(written: 1, kept: 0)))
            #expect(try await larder.score("scores:score", of: 1).value == .int32(2))
        }
    }

    @Test func `a view that was never published keeps its rows for the first publication`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.first))
            let report = try await larder.push(#"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#)
            guard case .pending(let reason) = report.online else {
                Issue.record("\(report.online)")
                return
            }
            #expect(reason.code == .notMaterialized)
            try await larder.publishScores()
            #expect(try await larder.score("scores:score", of: 1).value == .int32(2))
        }
    }

    @Test func `to offline leaves publishing to the next materialize`() async throws {
        try await withScores { larder in
            let report = try await larder.push(
                #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#, to: .offline)
            #expect(report.online == OnlineOutcome.none)
            #expect(try await larder.push("").online == OnlineOutcome.none)
            #expect(try await larder.score("scores:score", of: 1).status == .notFound)
            try await larder.publishScores()
            #expect(try await larder.score("scores:score", of: 1).value == .int32(2))
        }
    }

    @Test func `versions that are unknown, retired or of a computed view are refused whole`() async throws {
        try await withScores { larder in
            let row = #"{"user_id": 1, "at": "2024-05-01T10:00:00Z", "score": 2}"#
            let unknown = try await thrownError { try await larder.push(row, version: 9) }
            #expect(unknown.code == .schemaVersionMismatch)
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            let first = VersionedObject(kind: .featureView, name: "scores", version: 1)
            try await ChangeLifecycle(stores: larder.stores).make(.deprecate(first), in: try await larder.project())
            let deprecated = try await larder.push(row, version: 1)
            #expect(deprecated.write.warnings.count == 1)
            try await ChangeLifecycle(stores: larder.stores).make(.retire(first), in: try await larder.project())
            let retired = try await thrownError { try await larder.push(row, version: 1) }
            #expect(retired.code == .schemaVersionMismatch)
            #expect(retired.errors.contains { $0.message.contains("level") })
            try await larder.apply(
                PushedScores.definitions(PushedScores.second) + """

                    ---
                    kind: source
                    name: raw
                    type: table
                    columns: [{name: user_id, type: int64}, {name: at, type: timestamp}, {name: x, type: int32}]
                    timestamp: at
                    ---
                    kind: feature_view
                    name: computed
                    entities: [user]
                    source: raw
                    features: [{name: x, type: int32}]
                    """)
            let computed = try await thrownError { try await larder.push(row, view: "computed") }
            #expect(computed.code == .featureViewNotWritable)
            #expect(computed.hint?.contains("larder ingest raw") == true)
        }
    }

    @Test func `rows of CSV and Arrow are judged alike`() async throws {
        try await withScores(PushedScores.second) { larder in
            func write(_ bytes: [UInt8], _ format: FrameFormat) async throws -> ViewWriteReport {
                try await WriteViewRows(stores: larder.stores).run(
                    .init(view: "scores", rows: .payload(RowPayload(format: format, bytes: bytes))),
                    in: try await larder.project())
            }
            _ = try await write(Array("user_id,at,score\n1,2024-05-01T10:00:00Z,4\n".utf8), .csv)
            let at = try Value.timestamp(instant("2024-05-01T10:00:00Z"))
            _ = try await write(
                arrowFile([
                    recordBatch([
                        ("user_id", .int64, [.int64(2)]), ("at", .timestamp, [at]), ("score", .int32, [.int32(5)]),
                    ])
                ]), .arrow)
            #expect(try await larder.score("scores:level", of: 1).value == .int32(7))
            #expect(try await larder.score("scores:level", of: 2).value == .int32(7))
            let null = try await thrownError {
                _ = try await write(
                    arrowFile([
                        recordBatch([
                            ("user_id", .int64, [.int64(2)]), ("at", .timestamp, [at]), ("score", .int32, [.int32(5)]),
                            ("level", .int32, [.null]),
                        ])
                    ]), .arrow)
            }
            #expect(null.rows.map(\.code) == ["null_not_allowed"])
            let wide = try await thrownError {
                _ = try await write(
                    arrowFile([
                        recordBatch([
                            ("user_id", .int64, [.int64(2)]), ("at", .timestamp, [at]), ("score", .int64, [.int64(5)]),
                        ])
                    ]), .arrow)
            }
            #expect(wide.code == .columnType)
        }
    }

    @Test func `writers of two versions at once leave the newest row of each key online`() async throws {
        try await withScores(PushedScores.first) { larder in
            try await larder.apply(PushedScores.definitions(PushedScores.second))
            let project = try await larder.project()
            let seed = UInt64.random(in: 0 ... .max)
            let (writers, pushes, keys) = (8, 12, 16)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        var random = SplitMix(state: seed &+ UInt64(writer))
                        for _ in 0..<pushes {
                            let rows = (0..<5).map { _ in
                                let (key, minute) = (
                                    Int.random(in: 0..<keys, using: &random), Int.random(in: 0..<60, using: &random)
                                )
                                return
                                    #"{"user_id": \#(key), "at": "2024-05-01T10:\#(minute < 10 ? "0" : "")\#(minute):00Z", "score": \#(Int.random(in: 0...100, using: &random))}"#
                            }
                            let json = try JSONValue.parse(Array("[\(rows.joined(separator: ","))]".utf8))
                            let report = try await WriteViewRows(stores: larder.stores).run(
                                .init(
                                    view: "scores", rows: .payload(try RowPayload(json: json)),
                                    schemaVersion: writer.isMultiple(of: 2) ? 1 : 2),
                                in: project)
                            #expect(!report.online.isPending, "seed \(seed)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await larder.count(larder.scoresTable()) == Int64(writers * pushes * 5))
            for key in 0..<keys {
                let table = try await larder.scoresTable()
                let expected = try await larder.value(
                    """
                    SELECT coalesce((SELECT f1 FROM \(query: table) WHERE k1 = \(Int64(key))
                        ORDER BY event_timestamp DESC, recorded_timestamp DESC, sequence DESC, schema_version DESC
                        LIMIT 1), -1) AS score
                    """, as: Int32.self)
                let found = try await larder.score("scores@1:score", of: key)
                #expect(found.value == (expected < 0 ? .null : .int32(expected)), "key \(key), seed \(seed)")
            }
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
