import FeatureCodec
import FeatureModel
import OnlineStore
import RedisClient
import TestSupport
import Testing

private let unknownValues: [[UInt8]] = [
    [], [1], [1, 0] + [UInt8](repeating: 0, count: 27), [3] + [UInt8](repeating: 0, count: 60),
    // Format 2 that ends before its event time does, before the numbers its flags announce, and with an unknown flag.
    [2], [2, 0], [2, 0] + [UInt8](repeating: 0, count: 9), [2, 0x7E] + [UInt8](repeating: 0, count: 27),
    [2, 0x80] + [UInt8](repeating: 0, count: 60),
]

@Suite("Publishing to the online store")
struct OnlineWriterTests {
    typealias Row = OnlineFixture.Row
    private let noon = OnlineFixture.noon

    @Test("a row replaces the stored one exactly when it is newer by the one order", arguments: [UInt64(1), 2, 3])
    func replacesOnlyOlder(seed: UInt64) async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            var random = SeededRandom(seed: seed)
            // Neighbours around the places where signs flip and doubles lose a bit.
            let numbers: [Int64] = [
                -1, 0, 1, 1 << 53, (1 << 53) + 1, -(1 << 53), -(1 << 53) - 1, 1 << 32, (1 << 32) - 1, .max - 1,
                .min + 1,
            ]
            let times = numbers.filter { $0 < 1 << 52 } + [.min]
            var newest: RowOrder?
            for step in 0..<200 {
                let order = RowOrder(
                    eventTime: Timestamp(microsecondsSince1970: times.randomElement(using: &random) ?? 0),
                    recordedTime: Timestamp(microsecondsSince1970: numbers.randomElement(using: &random) ?? 0),
                    sequence: numbers.randomElement(using: &random) ?? 0,
                    schemaVersion: Bool.random(using: &random) ? 1 : 2)
                let counts = try await fixture.publish([Row(id: 1, order: order, count: Int32(step))])
                let isNewer = newest.map { $0 < order } ?? true
                #expect(
                    counts.written == (isNewer ? 1 : 0), "seed \(seed), step \(step): \(order) after \(newest as Any)")
                if isNewer { newest = order }
                let stored = try await fixture.redis.execute(RedisCommand("GET", .bytes(fixture.key(1))))
                let value = try #require(stored.bytes)
                let header = try OnlineRowHeader(of: value.span.bytes)
                #expect(header.order == newest, "seed \(seed), step \(step)")
                // Each event time starts over sooner or later, else the greatest would end the test.
                if step % 20 == 19 {
                    _ = try await fixture.redis.execute(RedisCommand("DEL", .bytes(fixture.key(1))))
                    newest = nil
                }
            }
        }
    }

    @Test("a batch larger than one script and one pipeline arrives whole, and again changes nothing")
    func largeBatch() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let rows = (0..<5_000).map { Row(id: $0, order: OnlineFixture.order(noon), count: Int32($0)) }
            #expect(try await fixture.publish(rows) == OnlineWriteCounts(written: 5_000, kept: 0))
            #expect(try await fixture.publish(rows) == OnlineWriteCounts(written: 0, kept: 5_000))
            let answer = try await fixture.read((0..<5_000).map { $0 })
            #expect(answer.columns[0].int32s == (0..<5_000).map { Int32($0) })
        }
    }

    @Test("a row expires at the later of event time and publication, plus ttl and grace; publishing again renews it")
    func expiry() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let row = Row(id: 1, order: OnlineFixture.order(noon), count: 1)
            let life = OnlineFixture.hour + MaxAge.graceMicroseconds
            let published = Timestamp.now
            for later in [Int64(0), 5_000_000] {
                let time = published.advanced(byMicroseconds: later)
                _ = try await fixture.publish([row], at: time)
                let reply = try await fixture.redis.execute(RedisCommand("PEXPIRETIME", .bytes(fixture.key(1))))
                #expect(reply.integerValue == (time.microsecondsSince1970 + life) / 1_000 + 1)
            }
            let ahead = published.advanced(byMicroseconds: 86_400_000_000)
            _ = try await fixture.publish([Row(id: 2, order: OnlineFixture.order(ahead), count: 1)], at: published)
            let reply = try await fixture.redis.execute(RedisCommand("PEXPIRETIME", .bytes(fixture.key(2))))
            #expect(reply.integerValue == (ahead.microsecondsSince1970 + life) / 1_000 + 1)
        }
    }

    @Test("rows of one batch expire each at their own time, published or put in place of withdrawn ones")
    func severalExpiries() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let published = Timestamp.now
            let withdrawn = OnlineFixture.order(noon, sequence: 9)
            _ = try await fixture.publish((Int64(0)..<300).map { Row(id: 1_000 + $0, order: withdrawn, count: 9) })
            // Of the past, as most rows are, and every third ahead of the clock: several scripts of both.
            let rows = (Int64(0)..<300).map { index in
                let time = index % 3 == 0 ? published.advanced(byMicroseconds: (1 + index) * 1_000_000) : noon
                return Row(id: index, order: OnlineFixture.order(time), count: 1)
            }
            _ = try await fixture.publish(rows, at: published)
            let replacements = rows.map { Row(id: 1_000 + $0.id, order: $0.order, count: 1) }
            _ = try await fixture.writer.withdraw(
                rows.map { _ in OnlineWithdrawal(orders: [withdrawn], hasReplacement: true) },
                OnlineFixture.batch(replacements), from: fixture.target, publishedAt: published)
            let life = OnlineFixture.hour + MaxAge.graceMicroseconds
            for row in rows + replacements {
                let end = max(row.order.eventTime, published).microsecondsSince1970 + life
                let reply = try await fixture.redis.execute(RedisCommand("PEXPIRETIME", .bytes(fixture.key(row.id))))
                #expect(reply.integerValue == end / 1_000 + 1, "row \(row.id)")
            }
        }
    }

    @Test("a row of the same order with other content changes nothing but the expiry")
    func equalOrder() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let order = OnlineFixture.order(noon)
            let published = Timestamp.now
            _ = try await fixture.publish([Row(id: 1, order: order, count: 1)], at: published)
            let later = published.advanced(byMicroseconds: 7_000_000)
            let counts = try await fixture.publish([Row(id: 1, order: order, count: 2)], at: later)
            #expect(counts == OnlineWriteCounts(written: 0, kept: 1))
            #expect(try await fixture.read([1]).columns[0][0] == .int32(1))
            let life = OnlineFixture.hour + MaxAge.graceMicroseconds
            let reply = try await fixture.redis.execute(RedisCommand("PEXPIRETIME", .bytes(fixture.key(1))))
            #expect(reply.integerValue == (later.microsecondsSince1970 + life) / 1_000 + 1)
        }
    }

    @Test("a value of a format that is not known is not replaced", arguments: unknownValues)
    func unknownFormat(value: [UInt8]) async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.redis.execute(RedisCommand("SET", .bytes(fixture.key(1)), .bytes(value)))
            await expectError(.onlineStoreUnavailable) {
                _ = try await fixture.publish([Row(id: 1, order: OnlineFixture.order(noon), count: 1)])
            }
            #expect(try await fixture.value(1) == value)
        }
    }

    @Test("something else than a value where a row or a fence belongs is told with its key, and how to remove it")
    func wrongType() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let rows = (Int64(1)...3).map { Row(id: $0, order: OnlineFixture.order(noon), count: 1) }
            let fence = OnlineKey.fence(fixture.installation, keySpace: fixture.target.keySpace).bytes
            let places: [(key: [UInt8], name: String)] = [
                (fixture.key(2), #""\x01testtest\xa8{\x02\x80\x00\x00\x00\x00\x00\x00\x02}""#),
                (fence, #""\x01testtestf\xa8""#),
            ]
            for place in places {
                _ = try await fixture.redis.execute(RedisCommand("DEL", .bytes(place.key)))
                _ = try await fixture.redis.execute(RedisCommand("RPUSH", .bytes(place.key), "x"))
                let publishing = await #expect(throws: LarderError.self) { _ = try await fixture.publish(rows) }
                let withdrawing = await #expect(throws: LarderError.self) {
                    _ = try await fixture.writer.withdraw(
                        rows.map { OnlineWithdrawal(orders: [$0.order], hasReplacement: true) },
                        OnlineFixture.batch(rows), from: fixture.target, publishedAt: .now)
                }
                for failure in [publishing, withdrawing] {
                    #expect(failure?.code == .onlineStoreUnavailable)
                    #expect(failure?.message.contains("under the key \(place.name), found while publishing") == true)
                    #expect(failure?.hint?.contains("redis-cli --quoted-input UNLINK '\(place.name)'") == true)
                }
                // To a read it is nothing.
                #expect(try await fixture.read([2]).statuses[0] == [.notFound])
                _ = try await fixture.redis.execute(RedisCommand("UNLINK", .bytes(place.key)))
                try await fixture.open()
                _ = try await fixture.publish(rows)
                #expect(try await fixture.read([2]).statuses[0] == [.present])
                _ = try await fixture.redis.execute(RedisCommand("DEL", .bytes(fixture.key(2))))
            }
        }
    }

    @Test("without a ttl a row never expires, also when it had an expiry before")
    func noExpiry() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let row = Row(id: 1, order: OnlineFixture.order(.negativeInfinity), count: 1)
            _ = try await fixture.publish([row])
            let forever = try OnlineFixture(redis: fixture.redis, ttlMicroseconds: nil)
            #expect(try await forever.publish([row]) == OnlineWriteCounts(written: 0, kept: 1))
            let reply = try await fixture.redis.execute(RedisCommand("PEXPIRETIME", .bytes(fixture.key(1))))
            #expect(reply.integerValue == -1)
        }
    }

    @Test("a publisher under a lower fence is refused and writes nothing")
    func fenced() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            try await fixture.control.raiseFence(ofKeySpace: fixture.target.keySpace, to: 1 << 40)
            await expectError(.materializationConflict) {
                _ = try await fixture.publish([Row(id: 1, order: OnlineFixture.order(noon), count: 1)])
            }
            await expectError(.materializationConflict) { try await fixture.complete() }
            await expectError(.materializationConflict) {
                try await fixture.control.raiseFence(ofKeySpace: fixture.target.keySpace, to: (1 << 40) - 1)
            }
            let reply = try await fixture.redis.execute(RedisCommand("EXISTS", .bytes(fixture.key(1))))
            #expect(reply.integerValue == 0)
        }
    }

    @Test("a Redis that is emptied in the middle of a publication is noticed by the next batch and by the end")
    func emptied() async throws {
        try await withOnlineFixture { fixture, server in
            try await fixture.open()
            _ = try await fixture.publish([Row(id: 1, order: OnlineFixture.order(noon), count: 1)])
            try await server.empty()
            await expectError(.onlineStoreRebuilding) {
                _ = try await fixture.publish([Row(id: 2, order: OnlineFixture.order(noon), count: 1)])
            }
            await expectError(.onlineStoreRebuilding) { try await fixture.complete() }
        }
    }

    @Test("a Redis that is restarted in the middle of a publication takes no more of it")
    func restarted() async throws {
        try await withOnlineFixture { fixture, server in
            try await fixture.open()
            server.kill()
            try await server.start()
            while (try? fixture.control.runID()) == nil { await Task.yield() }
            await expectError(.onlineStoreRebuilding) {
                _ = try await fixture.publish([Row(id: 1, order: OnlineFixture.order(noon), count: 1)])
            }
            await expectError(.onlineStoreRebuilding) { try await fixture.complete() }
        }
    }

    @Test("a full Redis is told as such")
    func outOfMemory() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            _ = try await fixture.redis.execute(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
            let error = await #expect(throws: LarderError.self) {
                _ = try await fixture.publish([Row(id: 1, order: OnlineFixture.order(noon), count: 1)])
            }
            #expect(error?.code == .onlineStoreUnavailable)
            #expect(error?.message.contains("out of memory") == true)
        }
    }

    @Test("a withdrawn row is replaced by what counts now or deleted; any other row stays", arguments: [1, 2])
    func withdrawals(format: Int) async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let old = OnlineFixture.order(noon, sequence: 1)
            let withdrawn = OnlineFixture.order(noon, sequence: 2)
            let newer = OnlineFixture.order(noon, sequence: 3)
            _ = try await fixture.publish([
                Row(id: 1, order: withdrawn, count: 2), Row(id: 2, order: withdrawn, count: 2),
                Row(id: 3, order: newer, count: 3), Row(id: 4, order: newer, count: 3),
            ])
            if format == 1 { try await fixture.rewriteInFirstFormat([1, 2, 3, 4]) }
            let replaced = OnlineWithdrawal(orders: [old, withdrawn], hasReplacement: true)
            let gone = OnlineWithdrawal(orders: [old, withdrawn], hasReplacement: false)
            let batch = OnlineFixture.batch((1...5).map { Row(id: $0, order: old, count: 1) })
            let counts = try await fixture.writer.withdraw(
                [replaced, gone, replaced, gone, replaced], batch, from: fixture.target, publishedAt: .now)
            #expect(counts == OnlineWriteCounts(written: 3, kept: 2))
            let answer = try await fixture.read([1, 2, 3, 4, 5])
            #expect(answer.statuses[0] == [.present, .notFound, .present, .present, .present])
            #expect((0..<5).map { answer.columns[0][$0] } == [.int32(1), .null, .int32(3), .int32(3), .int32(1)])
        }
    }

    @Test("clearing key spaces leaves every other key alone")
    func clearing() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            // Ids whose digits start with those of the other.
            let other = try OnlineFixture(redis: fixture.redis, keySpace: 40 << 7)
            let third = try OnlineFixture(redis: fixture.redis, keySpace: 41)
            try await other.open()
            try await third.open()
            let rows = (0..<3_000).map { Row(id: $0, order: OnlineFixture.order(noon), count: 1) }
            for each in [fixture, other, third] { _ = try await each.publish(rows) }
            try await fixture.control.clear(keySpaces: [fixture.target.keySpace, third.target.keySpace])
            #expect(try await fixture.read([5]).statuses[0] == [.notFound])
            #expect(try await fixture.redis.execute(RedisCommand("EXISTS", .bytes(third.key(5)))).integerValue == 0)
            #expect(try await fixture.redis.execute(RedisCommand("EXISTS", .bytes(other.key(5)))).integerValue == 1)
            // The sentinel and a fence of each are there too.
            let kept = try await fixture.redis.execute(RedisCommand("DBSIZE"))
            #expect(kept.integerValue == Int64(3_004))
        }
    }
}
