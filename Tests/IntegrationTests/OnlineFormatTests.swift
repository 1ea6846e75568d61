import FeatureCodec
import FeatureModel
import OnlineStore
import RedisClient
import TestSupport
import Testing

/// Values of format 1 stay as they are until something newer replaces them, and what is sent is of format 2.
@Suite("Values of both formats in the online store")
struct OnlineFormatTests {
    typealias Row = OnlineFixture.Row

    /// Around the places where signs flip and numbers get longer.
    private static let numbers: [Int64] = [
        .min + 1, -(1 << 40), -129, -1, 0, 127, 128, 1 << 32, (1 << 53) + 1, .max,
    ]
    private static let versions: [Int32] = [.min, -129, -1, 0, 1, 128, 300, .max]
    private static let bases = [
        OnlineFixture.order(OnlineFixture.noon),
        OnlineFixture.order(OnlineFixture.noon, recorded: OnlineFixture.noon, sequence: 1 << 40, version: 300),
    ]

    /// An order and those that differ from it in one part.
    private static func neighbours(of base: RowOrder) -> [RowOrder] {
        let noon = base.eventTime
        let times = [Timestamp.negativeInfinity, noon.advanced(byMicroseconds: -1), noon.advanced(byMicroseconds: 1)]
        let recorded = [Timestamp.negativeInfinity] + numbers.map { Timestamp(microsecondsSince1970: $0) }
        var orders = times.map {
            OnlineFixture.order($0, recorded: base.recordedTime, sequence: base.sequence, version: base.schemaVersion)
        }
        orders += recorded.map {
            OnlineFixture.order(noon, recorded: $0, sequence: base.sequence, version: base.schemaVersion)
        }
        orders += ([.min] + numbers).map {
            OnlineFixture.order(noon, recorded: base.recordedTime, sequence: $0, version: base.schemaVersion)
        }
        orders += versions.map {
            OnlineFixture.order(noon, recorded: base.recordedTime, sequence: base.sequence, version: $0)
        }
        return Set(orders + [base]).sorted()
    }

    /// The fixture's key space, for rows of all the versions.
    private static func target(_ fixture: OnlineFixture) -> OnlineTarget {
        OnlineTarget(
            keySpace: fixture.target.keySpace, fence: fixture.target.fence, joinKeys: OnlineFixture.joinKeys,
            schemas: versions.map {
                ViewSchema(version: $0, joinKeys: OnlineFixture.joinKeys, features: OnlineFixture.first.features)
            }, ttlMicroseconds: nil)
    }

    @Test("a row replaces a stored one of either format exactly when it is newer", arguments: [UInt8(1), 2])
    func replacesOnlyOlder(format: UInt8) async throws {
        try await withOnlineFixture(ttlMicroseconds: nil) { fixture, _ in
            try await fixture.open()
            let target = Self.target(fixture)
            var first: Int64 = 0
            for base in Self.bases {
                let orders = Self.neighbours(of: base)
                let pairs = orders.flatMap { stored in orders.map { (stored: stored, sent: $0) } }
                let ids = first..<first + Int64(pairs.count)
                first = ids.upperBound
                let stored = zip(ids, pairs).map { Row(id: $0, order: $1.stored, count: 1) }
                _ = try await fixture.publish(stored, to: target)
                if format == 1 { try await fixture.rewriteInFirstFormat(ids) }
                let sent = zip(ids, pairs).map { Row(id: $0, order: $1.sent, count: 2) }
                let newer = pairs.filter { $0.stored < $0.sent }
                let counts = try await fixture.publish(sent, to: target)
                #expect(counts == OnlineWriteCounts(written: newer.count, kept: pairs.count - newer.count))
                for (id, pair) in zip(ids, pairs) {
                    let value = try #require(try await fixture.value(id))
                    let header = try OnlineRowHeader(of: value.span.bytes)
                    let isReplaced = pair.stored < pair.sent
                    #expect(header.order == (isReplaced ? pair.sent : pair.stored), "\(pair)")
                    #expect(value.first == (isReplaced ? 2 : format), "\(pair)")
                }
            }
        }
    }

    @Test("a value of either format is taken back by its own order and by no other", arguments: [UInt8(1), 2])
    func withdrawals(format: UInt8) async throws {
        try await withOnlineFixture(ttlMicroseconds: nil) { fixture, _ in
            try await fixture.open()
            let target = Self.target(fixture)
            for base in Self.bases {
                let orders = Self.neighbours(of: base)
                let rows = orders.enumerated().map { Row(id: Int64($0), order: $1, count: 1) }
                _ = try await fixture.publish(rows, to: target)
                if format == 1 { try await fixture.rewriteInFirstFormat(rows.map(\.id)) }
                let batch = OnlineFixture.batch(rows)
                let others = orders.map { own in
                    OnlineWithdrawal(orders: orders.filter { $0 != own }, hasReplacement: false)
                }
                let kept = try await fixture.writer.withdraw(others, batch, from: target, publishedAt: .now)
                #expect(kept == OnlineWriteCounts(written: 0, kept: rows.count))
                let own = orders.map { OnlineWithdrawal(orders: [$0], hasReplacement: false) }
                let gone = try await fixture.writer.withdraw(own, batch, from: target, publishedAt: .now)
                #expect(gone == OnlineWriteCounts(written: rows.count, kept: 0))
                for row in rows { #expect(try await fixture.value(row.id) == nil, "\(row.order)") }
            }
        }
    }

    @Test("a value of format 1 answers as the same value of format 2 does, and still expires")
    func reading() async throws {
        try await withOnlineFixture { fixture, _ in
            try await fixture.open()
            let noon = OnlineFixture.noon
            let old = noon.advanced(byMicroseconds: -OnlineFixture.hour - 1)
            let recorded = OnlineFixture.order(noon, recorded: noon, sequence: 1 << 40)
            _ = try await fixture.publish([
                Row(id: 1, order: recorded, count: 7, label: "seven"),
                Row(id: 2, order: OnlineFixture.order(noon), count: nil, label: nil),
                Row(id: 3, order: OnlineFixture.order(noon, version: 2), count: 9),
                Row(id: 4, order: recorded, isTombstone: true),
                Row(id: 5, order: OnlineFixture.order(old), count: 1),
            ])
            let plan = try fixture.plan(schema: OnlineFixture.second)
            let ids: [Int64] = [1, 2, 3, 4, 5]
            let before = try await fixture.read(ids, plan)
            try await fixture.rewriteInFirstFormat(ids)
            let after = try await fixture.read(ids, plan)
            #expect(after.columns == before.columns)
            #expect(after.statuses == before.statuses)
            #expect(after.eventTimes == before.eventTimes)
            #expect(after.statuses[0] == [.present, .nullValue, .present, .notFound, .outsideMaxAge])
            #expect(after.statuses[2] == [.defaulted, .defaulted, .present, .notFound, .outsideMaxAge])
            #expect(after.columns[1][0] == .string("seven") && after.columns[2][2] == .float64(2.5))
            // Publishing it again renews what there is and does not turn it into format 2.
            let row = Row(id: 1, order: recorded, count: 7, label: "seven")
            let later = Timestamp.now.advanced(byMicroseconds: 60_000_000)
            #expect(try await fixture.publish([row], at: later) == OnlineWriteCounts(written: 0, kept: 1))
            #expect(try await fixture.value(1)?.first == 1)
            let life = OnlineFixture.hour + MaxAge.graceMicroseconds
            let reply = try await fixture.redis.execute(RedisCommand("PEXPIRETIME", .bytes(fixture.key(1))))
            #expect(reply.integerValue == (later.microsecondsSince1970 + life) / 1_000 + 1)
        }
    }
}
