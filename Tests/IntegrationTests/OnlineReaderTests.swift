import FeatureCodec
import FeatureModel
import OnlineStore
import RedisClient
import TestSupport
import Testing

@Suite("Reading the online store")
struct OnlineReaderTests {
    typealias Row = OnlineFixture.Row
    private let noon = OnlineFixture.noon
    private let hour = OnlineFixture.hour

    private func ago(_ microseconds: Int64) -> RowOrder {
        OnlineFixture.order(noon.advanced(byMicroseconds: -microseconds))
    }

    @Test("a value, a null, an absent entity and a null key are told apart")
    func statuses() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish([
                Row(id: 1, order: ago(1), count: 11, label: ""), Row(id: -2, order: ago(1), count: nil, label: nil),
            ])
            let answer = try await fixture.read([1, nil, -2, 3])
            #expect(answer.statuses[0] == [.present, .invalidKey, .nullValue, .notFound])
            #expect(answer.statuses[1] == [.present, .invalidKey, .nullValue, .notFound])
            #expect((0..<4).map { answer.columns[0][$0] } == [.int32(11), .null, .null, .null])
            #expect((0..<4).map { answer.columns[1][$0] } == [.string(""), .null, .null, .null])
            let time = noon.advanced(byMicroseconds: -1)
            #expect(answer.eventTimes == [time, nil, time, nil])
        }
    }

    @Test("exactly ttl old still counts, then OUTSIDE_MAX_AGE up to ttl and grace, then NOT_FOUND")
    func maximumAge() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let ages = [hour, hour + 1, hour + MaxAge.graceMicroseconds, hour + MaxAge.graceMicroseconds + 1]
            _ = try await fixture.publish(ages.indices.map { Row(id: Int64($0), order: ago(ages[$0]), count: 1) })
            let answer = try await fixture.read([0, 1, 2, 3])
            #expect(answer.statuses[0] == [.present, .outsideMaxAge, .outsideMaxAge, .notFound])
            #expect((0..<4).map { answer.columns[0][$0] } == [.int32(1), .null, .null, .null])
            #expect(answer.eventTimes == [ago(ages[0]).eventTime, ago(ages[1]).eventTime, ago(ages[2]).eventTime, nil])
        }
    }

    @Test("a tombstone answers NOT_FOUND, whatever its age")
    func tombstone() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish([
                Row(id: 1, order: ago(0), isTombstone: true), Row(id: 2, order: ago(hour + 1), isTombstone: true),
            ])
            let answer = try await fixture.read([1, 2])
            #expect(answer.statuses[0] == [.notFound, .notFound])
            #expect(answer.eventTimes == [nil, nil])
        }
    }

    @Test("static data is never too old and has minus infinity as its event time")
    func staticData() async throws {
        try await withOnlineFixture(ttlMicroseconds: nil) { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish([Row(id: 1, order: OnlineFixture.order(.negativeInfinity), count: 1)])
            let answer = try await fixture.read([1])
            #expect(answer.statuses[0] == [.present])
            #expect(answer.eventTimes == [.negativeInfinity])
        }
    }

    @Test("a feature that the row's schema version does not have is DEFAULTED")
    func otherVersion() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish([
                Row(id: 1, order: OnlineFixture.order(noon, version: 1), count: 1),
                Row(id: 2, order: OnlineFixture.order(noon, version: 2), count: 1),
            ])
            let answer = try await fixture.read([1, 2], try fixture.plan(schema: OnlineFixture.second))
            #expect(answer.statuses[2] == [.defaulted, .present])
            #expect(answer.columns[2].float64s == [0.5, 2.5])
        }
    }

    @Test("a row up to 60 s ahead of the clock is due, one further ahead refuses the read")
    func aheadOfClock() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish([
                Row(id: 1, order: ago(-60_000_000), count: 1), Row(id: 2, order: ago(-60_000_001), count: 1),
            ])
            #expect(try await fixture.read([1]).statuses[0] == [.present])
            await expectError(.onlineAheadOfClock) { _ = try await fixture.read([1, 2]) }
        }
    }

    @Test("a view without an entity answers every row alike, and no row when none is asked for")
    func global() async throws {
        try await withOnlineFixture { fixture, _ in
            let target = OnlineTarget(
                keySpace: 41, fence: 1, joinKeys: [], schemas: [OnlineFixture.first], ttlMicroseconds: nil)
            try await fixture.open()
            try await fixture.control.raiseFence(ofKeySpace: 41, to: 1)
            var batch = OnlineFixture.batch([Row(id: 0, order: OnlineFixture.order(noon), count: 9)])
            batch.keys = []
            _ = try await fixture.writer.publish(batch, to: target, publishedAt: .now)
            let selection = OnlineSelection(
                viewName: "everyone", installation: fixture.installation, keySpace: 41, joinKeys: [],
                projection: try OnlineRowProjection(
                    reader: OnlineFixture.first, featureIDs: [1], layouts: target.layouts),
                ttlMicroseconds: nil)
            let plan = OnlineReadPlan(
                selections: [selection], installation: fixture.installation, project: OnlineFixture.project,
                onlineIncarnation: 3, revision: 1)
            for count in [0, 1, 3] {
                let answers = try await OnlineReader(redis: fixture.redis).read(
                    plan, keys: [[]], entityCount: count, now: noon)
                #expect(answers[0].columns[0].int32s == Array(repeating: 9, count: count))
                #expect(answers[0].statuses[0] == Array(repeating: .present, count: count))
            }
        }
    }

    @Test("a key that is asked for many times is sent to Redis once, and answers each time")
    func repeatedKeys() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish(
                (0..<40).map {
                    Row(id: $0, order: OnlineFixture.order(noon), count: Int32($0))
                })
            let ids = (0..<2_000).map { Int64($0 * 7_919 % 60 - 10) }
            let answer = try await fixture.read(ids)
            #expect(answer.columns[0].int32s == ids.map { (0..<40).contains($0) ? Int32($0) : 0 })
            #expect(answer.statuses[0] == ids.map { (0..<40).contains($0) ? .present : .notFound })

            var key = Column(type: .int64)
            for id in ids { key.append(int64: id) }
            let lookup = try OnlineLookup(try fixture.plan(), keys: [[key]], entityCount: ids.count)
            // The sentinel and the keys.
            #expect(lookup.onlyCommand?.argumentCount == 1 + Set(ids).count)
        }
    }

    @Test("more keys than one MGET takes come back whole and in order")
    func manyKeys() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let rows = stride(from: Int64(0), to: 25_000, by: 2).map {
                Row(id: $0, order: OnlineFixture.order(noon), count: Int32($0))
            }
            _ = try await fixture.publish(rows)
            let ids = (0..<25_000).map { Int64($0) }
            let answer = try await fixture.read(ids)
            #expect(answer.columns[0].int32s == ids.map { $0 % 2 == 0 ? Int32($0) : 0 })
            #expect(answer.statuses[0] == ids.map { $0 % 2 == 0 ? .present : .notFound })
        }
    }
}

private let unreadableValues: [[UInt8]] = [
    [], [9], [UInt8](repeating: 1, count: 29),
    // Of a version below all others, and of version 0.
    [1, 0] + [UInt8](repeating: 0, count: 40), [2, 0] + [UInt8](repeating: 0, count: 40),
    // Too short, an unknown flag, a recorded time of minus infinity, a 0 of two bytes, a tombstone and a byte.
    [2, 0] + [UInt8](repeating: 0, count: 9), [2, 0x80] + [UInt8](repeating: 0, count: 40),
    [2, 0x02] + [UInt8](repeating: 0, count: 40), [2, 0x04] + [UInt8](repeating: 0, count: 40),
    [2, 0x01] + [UInt8](repeating: 0, count: 11),
]

@Suite("Whether the online store is to be believed")
struct OnlineSentinelTests {
    private let row = OnlineFixture.Row(id: 1, order: OnlineFixture.order(OnlineFixture.noon), count: 1)

    @Test("an emptied Redis is rebuilding, not without entities")
    func emptied() async throws {
        try await withOnlineFixture { fixture, server in
            try await fixture.open()
            _ = try await fixture.publish([row])
            try await server.empty()
            await expectError(.onlineStoreRebuilding) { _ = try await fixture.read([1]) }
            try await fixture.open()
            #expect(try await fixture.read([1]).statuses[0] == [.notFound])
            try await fixture.control.removeSentinel(ofProject: OnlineFixture.project)
            await expectError(.onlineStoreRebuilding) { _ = try await fixture.read([1]) }
        }
    }

    @Test("another online incarnation, or a revision below the lowest allowed, does not read")
    func otherIncarnation() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open(incarnation: 3, minimumRevision: 5)
            _ = try await fixture.publish([row])
            #expect(try await fixture.read([1], fixture.plan(revision: 5)).statuses[0] == [.present])
            await expectError(.onlineStoreRebuilding) { _ = try await fixture.read([1], fixture.plan(revision: 4)) }
            await expectError(.onlineStoreRebuilding) {
                _ = try await fixture.read([1], fixture.plan(incarnation: 4, revision: 5))
            }
        }
    }

    @Test("a Redis that came back from a dump under another run_id is rebuilding")
    func restored() async throws {
        try await withOnlineFixture { fixture, server in
            try await fixture.open()
            _ = try await fixture.publish([row])
            _ = try await fixture.redis.execute(RedisCommand("SAVE"))
            server.kill()
            try await server.start()
            while (try? fixture.control.runID()) == nil { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try fixture.control.runID() != fixture.runID)
            #expect(try await fixture.redis.execute(RedisCommand("DBSIZE")).integerValue == 3)
            await expectError(.onlineStoreRebuilding) { _ = try await fixture.read([1]) }
        }
    }

    @Test("a Redis that is gone is unavailable")
    func gone() async throws {
        try await withOnlineFixture { fixture, server in
            try await fixture.open()
            server.kill()
            await expectError(.onlineStoreUnavailable) { _ = try await fixture.read([1]) }
        }
    }

    @Test("a value that is not readable refuses the read instead of answering wrongly", arguments: unreadableValues)
    func unreadable(bytes: [UInt8]) async throws {
        try await withOnlineFixture(ttlMicroseconds: nil) { fixture, _ in
            try await fixture.open()
            _ = try await fixture.redis.execute(RedisCommand("SET", .bytes(fixture.key(1)), .bytes(bytes)))
            await expectError(.onlineStoreUnavailable) { _ = try await fixture.read([1]) }
        }
    }

    @Test("what the hint says of a row that is not readable repairs it, and publishing over it does not")
    func repair() async throws {
        try await withOnlineFixture(ttlMicroseconds: nil) { fixture, _ in
            try await fixture.open()
            _ = try await fixture.publish([row])
            let value = try #require(try await fixture.value(1))
            let damaged = RedisCommand("SET", .bytes(fixture.key(1)), .bytes(Array(value.dropLast())))
            _ = try await fixture.redis.execute(damaged)
            _ = try await fixture.publish([row])
            let error = await #expect(throws: LarderError.self) { _ = try await fixture.read([1]) }
            let key = #""\x01testtest\xa8{\x02\x80\x00\x00\x00\x00\x00\x00\x01}""#
            #expect(error?.hint?.contains("redis-cli --quoted-input UNLINK '\(key)'") == true, "\(error as Any)")
            #expect(error?.hint?.contains("larder materialize --full --only online") == true)
            _ = try await fixture.redis.execute(RedisCommand("UNLINK", .bytes(fixture.key(1))))
            _ = try await fixture.publish([row])
            #expect(try await fixture.read([1]).statuses[0] == [.present])
        }
    }

    @Test("something else than a string in the sentinel's place is as good as none, and gives way to a publication")
    func sentinelOfAnotherType() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            try await fixture.control.removeSentinel(ofProject: OnlineFixture.project)
            let key = OnlineKey.sentinel(fixture.installation, project: OnlineFixture.project).bytes
            _ = try await fixture.redis.execute(RedisCommand("RPUSH", .bytes(key), "x"))
            #expect(try await fixture.control.sentinel(ofProject: OnlineFixture.project) == nil)
            await expectError(.onlineStoreRebuilding) { _ = try await fixture.read([1]) }
            try await fixture.control.removeSentinel(ofProject: OnlineFixture.project)
            try await fixture.complete()
            #expect(try await fixture.read([1]).statuses[0] == [.notFound])
        }
    }

    @Test("a sentinel keeps its bytes for ever")
    func golden() throws {
        let sentinel = OnlineSentinel(onlineIncarnation: 0x0102_0304, redisRunID: "abc", minimumRevision: 258)
        let bytes: [UInt8] = [1, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 1, 2, 0x61, 0x62, 0x63]
        #expect(sentinel.bytes == bytes)
        #expect(try OnlineSentinel(bytes: bytes) == sentinel)
        for count in 0...17 {
            #expect(throws: CodecError.self) { try OnlineSentinel(bytes: Array(bytes.prefix(count))) }
        }
        #expect(throws: CodecError.unknownFormat(2)) { try OnlineSentinel(bytes: [2] + bytes.dropFirst()) }
    }
}
