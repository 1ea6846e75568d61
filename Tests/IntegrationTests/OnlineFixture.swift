import FeatureCodec
import FeatureModel
import Foundation
import Logging
import OnlineStore
import RedisClient
import TestSupport
import Testing

/// A view of one integer key with a ttl of one hour, on a Redis of its own.
struct OnlineFixture {
    static let installation = InstallationID("testtest")
    static let project: Int64 = 7
    static let hour: Int64 = 3_600_000_000
    /// 2013-01-01T12:00:00Z
    static let noon = Timestamp(microsecondsSince1970: 1_357_041_600_000_000)
    static let joinKeys = [JoinKey(name: "id", type: .int64)]

    static let first = ViewSchema(
        version: 1, joinKeys: joinKeys,
        features: [
            FeatureSchema(id: 1, name: "count", type: .int32, isNullable: true, defaultValue: nil),
            FeatureSchema(id: 2, name: "label", type: .string, isNullable: true, defaultValue: nil),
        ])
    static let second = ViewSchema(
        version: 2, joinKeys: joinKeys,
        features: first.features + [
            FeatureSchema(id: 3, name: "rate", type: .float64, isNullable: true, defaultValue: .float64(0.5))
        ])

    let redis: RedisClient
    let installation: InstallationID
    let control: OnlineStoreControl
    let writer: OnlineWriter
    let target: OnlineTarget
    let runID: String

    init(redis: RedisClient, keySpace: Int64 = 40, ttlMicroseconds: Int64? = hour, fence: Int64 = 1) throws {
        self.redis = redis
        installation = try #require(Self.installation)
        control = OnlineStoreControl(redis: redis, installation: installation)
        runID = try control.runID()
        writer = OnlineWriter(redis: redis, installation: installation, runID: runID)
        target = OnlineTarget(
            keySpace: keySpace, fence: fence, joinKeys: Self.joinKeys, schemas: [Self.first, Self.second],
            ttlMicroseconds: ttlMicroseconds)
    }

    /// One row of schema version 1.
    struct Row {
        var id: Int64
        var order: RowOrder
        var count: Int32?
        var label: String? = "row"
        var isTombstone = false
    }

    static func order(
        _ eventTime: Timestamp, recorded: Timestamp = .negativeInfinity, sequence: Int64 = 1, version: Int32 = 1
    ) -> RowOrder {
        RowOrder(eventTime: eventTime, recordedTime: recorded, sequence: sequence, schemaVersion: version)
    }

    static func batch(_ rows: [Row]) -> OnlineBatch {
        var key = Column(type: .int64)
        var count = Column(type: .int32)
        var label = Column(type: .string)
        var rate = Column(type: .float64)
        for row in rows {
            key.append(int64: row.id)
            count.append(row.count.map { Value.int32($0) } ?? .null)
            label.append(row.label.map { Value.string($0) } ?? .null)
            rate.append(.float64(2.5))
        }
        return OnlineBatch(
            keys: [key], eventTimes: rows.map(\.order.eventTime.microsecondsSince1970),
            recordedTimes: rows.map(\.order.recordedTime.microsecondsSince1970),
            sequences: rows.map(\.order.sequence), schemaVersions: rows.map(\.order.schemaVersion),
            tombstones: rows.map(\.isTombstone), schema: second, features: [count, label, rate])
    }

    func publish(
        _ rows: [Row], to target: OnlineTarget? = nil, at time: Timestamp = .now
    ) async throws
        -> OnlineWriteCounts
    {
        try await writer.publish(Self.batch(rows), to: target ?? self.target, publishedAt: time)
    }

    func open(incarnation: Int64 = 3, minimumRevision: Int64 = 1) async throws {
        try await control.raiseFence(ofKeySpace: target.keySpace, to: target.fence)
        try await complete(incarnation: incarnation, minimumRevision: minimumRevision)
    }

    func complete(incarnation: Int64 = 3, minimumRevision: Int64 = 1) async throws {
        try await control.complete(
            project: Self.project,
            sentinel: OnlineSentinel(
                onlineIncarnation: incarnation, redisRunID: runID, minimumRevision: minimumRevision),
            fences: [target.keySpace: target.fence])
    }

    /// - Parameter schema: the version the answer is given in, with all of its features.
    func plan(
        schema: ViewSchema = first, incarnation: Int64 = 3, revision: Int64 = 1, keySpace: Int64? = nil
    ) throws -> OnlineReadPlan {
        let projection = try OnlineRowProjection(
            reader: schema, featureIDs: schema.features.map(\.id), layouts: target.layouts)
        let selection = OnlineSelection(
            viewName: "things", installation: installation, keySpace: keySpace ?? target.keySpace,
            joinKeys: Self.joinKeys, projection: projection, ttlMicroseconds: target.ttlMicroseconds)
        return OnlineReadPlan(
            selections: [selection], installation: installation, project: Self.project,
            onlineIncarnation: incarnation, revision: revision)
    }

    func read(_ ids: [Int64?], _ plan: OnlineReadPlan? = nil, now: Timestamp = noon) async throws -> OnlineAnswer {
        var key = Column(type: .int64)
        for id in ids { key.append(id.map { Value.int64($0) } ?? .null) }
        let answers = try await OnlineReader(redis: redis).read(
            try plan ?? self.plan(), keys: [[key]], entityCount: ids.count, now: now)
        return try #require(answers.first)
    }

    /// The stored value of an entity; nil when there is none.
    func value(_ id: Int64) async throws -> [UInt8]? {
        try await redis.execute(RedisCommand("GET", .bytes(key(id)))).bytes
    }

    /// Makes the stored values of entities what they were before format 2: of format 1, with the same body.
    func rewriteInFirstFormat(_ ids: some Sequence<Int64>) async throws {
        for id in ids {
            let value = try #require(try await self.value(id))
            let header = try OnlineRowHeader(of: value.span.bytes)
            var former: [UInt8] = [0x01, header.isTombstone ? 0x01 : 0x00]
            former += header.order.bytes
            former += value[header.byteCount...]
            _ = try await redis.execute(RedisCommand("SET", .bytes(key(id)), .bytes(former), "KEEPTTL"))
        }
    }

    func key(_ id: Int64) -> [UInt8] {
        var key: [UInt8] = []
        let entity: [UInt8] = [2] + (0..<8).map { UInt8(truncatingIfNeeded: (id ^ .min) >> (56 - 8 * $0)) }
        OnlineKey.append(entity, after: OnlineKey.entityPrefix(installation, keySpace: target.keySpace), to: &key)
        return key
    }
}

func withOnlineFixture(
    ttlMicroseconds: Int64? = OnlineFixture.hour, arguments: [String] = [],
    _ body: (OnlineFixture, PrivateRedis) async throws -> Void
) async throws {
    try await withPrivateRedis(arguments: arguments) { configuration, server in
        try await withRedisClient(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            try await body(try OnlineFixture(redis: $0, ttlMicroseconds: ttlMicroseconds), server)
        }
    }
}

/// Expects a `LarderError` with the given code.
func expectError(
    _ code: ErrorCode, sourceLocation: Testing.SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    let error = await #expect(throws: LarderError.self, sourceLocation: sourceLocation) { try await body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
}

extension Timestamp {
    /// The real time, for expiries that a real server judges.
    static var now: Timestamp {
        Timestamp(microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
