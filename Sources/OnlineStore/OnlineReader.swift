internal import FeatureCodec
public import FeatureModel
public import Logging
public import NIOCore
public import RedisClient

/// The answer for one selection; every array runs over the entities.
public struct OnlineAnswer: Sendable {
    /// One column for each requested feature.
    public fileprivate(set) var columns: [Column]
    /// One array for each requested feature.
    public fileprivate(set) var statuses: [[FeatureStatus]]
    /// The event time of the row that answered, also when it is outside its maximum age; nil when no row answers.
    /// Static data has minus infinity.
    public fileprivate(set) var eventTimes: [Timestamp?]

    fileprivate init(_ projection: OnlineRowProjection, capacity: Int) {
        columns = projection.features.map { Column(type: $0.type) }
        statuses = projection.features.map { _ in [] }
        eventTimes = []
        eventTimes.reserveCapacity(capacity)
        for index in columns.indices {
            columns[index].reserveCapacity(capacity)
            statuses[index].reserveCapacity(capacity)
        }
    }

    fileprivate mutating func append(
        _ row: OnlineRow, _ bytes: RawSpan, _ projection: OnlineRowProjection
    ) throws(CodecError) {
        if let status = row.status {
            for index in columns.indices {
                columns[index].appendNull()
                statuses[index].append(status)
            }
        } else {
            try projection.append(
                bytes.extracting(row.bodyRange), plan: row.plan, to: &columns, statuses: &statuses)
        }
        eventTimes.append(row.eventTime)
    }
}

/// Reads features of entities: one `MGET` with the sentinel first and one key for every selection and entity.
public struct OnlineReader: Sendable {
    /// How far ahead of the server's clock an event time may lie and still count as due: 60 s.
    public static let maximumClockSkewMicroseconds: Int64 = 60_000_000

    private let redis: RedisClient
    private let logger: Logger

    public init(redis: RedisClient, logger: Logger = Logger(label: "larder.online")) {
        self.redis = redis
        self.logger = logger
    }

    /// - Parameters:
    ///   - keys: as `OnlineLookup.init` takes them.
    ///   - now: the time that ttl is judged at.
    /// - Returns: an answer for each selection.
    /// - Throws: `join_key_type`; `online_store_rebuilding` when the sentinel or the server is not the expected one;
    ///   `online_ahead_of_clock`; `online_store_unavailable` also when a stored value is not readable.
    public func read(
        _ plan: OnlineReadPlan, keys: [[Column]], entityCount: Int, now: Timestamp
    ) async throws(LarderError) -> [OnlineAnswer] {
        let lookup = try OnlineLookup(plan, keys: keys, entityCount: entityCount)
        let (bytes, ranges) = try await fetch(lookup)
        let rows = try judge(bytes.span.bytes, ranges, lookup, now: now)
        return try Self.answers(rows, bytes.span.bytes, plan, entityCount: entityCount)
    }

    /// What judged rows hold, as columns.
    /// - Parameter bytes: what their ranges are in.
    public static func answers(
        _ rows: [OnlineRow], _ bytes: RawSpan, _ plan: OnlineReadPlan, entityCount: Int
    ) throws(LarderError) -> [OnlineAnswer] {
        var answers: [OnlineAnswer] = []
        var rest = rows[...]
        for selection in plan.selections {
            var answer = OnlineAnswer(selection.projection, capacity: entityCount)
            for row in rest.prefix(entityCount) {
                do throws(CodecError) {
                    try answer.append(row, bytes, selection.projection)
                } catch {
                    throw .unreadable(error, in: selection.viewName, under: nil)
                }
            }
            rest = rest.dropFirst(entityCount)
            answers.append(answer)
        }
        return answers
    }

    /// Whether a read would be believed: the sentinel alone.
    /// - Throws: as `read`.
    public func check(_ plan: OnlineReadPlan) async throws(LarderError) {
        _ = try await fetch(OnlineLookup(plan, keys: [], entityCount: 0))
    }

    /// The stored values of all slots, one behind the other.
    private func fetch(_ lookup: OnlineLookup) async throws(LarderError) -> (bytes: [UInt8], ranges: [Range<Int>?]) {
        let commands = lookup.commands
        let connection: RedisConnection
        let outcomes: [Result<RedisReply, RedisError>]
        do {
            connection = try redis.connection()
            outcomes = try await connection.execute(commands)
        } catch {
            throw LarderError(error, while: "reading features")
        }
        var bytes: [UInt8] = []
        var ranges: [Range<Int>?] = []
        ranges.reserveCapacity(lookup.slotCount)
        for (command, outcome) in zip(commands, outcomes) {
            let reply: RedisReply
            do { reply = try outcome.get() } catch { throw LarderError(error, while: "reading features") }
            guard let elements = reply.elements, let sentinel = elements.first else {
                throw .unexpectedReply(reply, to: "MGET")
            }
            guard elements.count == command.argumentCount else {
                throw LarderError(
                    .onlineStoreUnavailable,
                    "Redis answered \(command.argumentCount) keys with \(elements.count) values")
            }
            guard let found = sentinel.bytes else { throw .sentinelMissing }
            try Self.check(found.span.bytes, lookup.plan, runID: connection.runID)
            for element in elements.dropFirst() {
                switch element {
                case .bulk(let value):
                    ranges.append(bytes.count..<bytes.count + value.readableBytes)
                    bytes.append(contentsOf: value.readableBytesView)
                case .null: ranges.append(nil)
                default: throw .unexpectedReply(element, to: "MGET")
                }
            }
        }
        return (bytes, ranges)
    }
}

// MARK: - On an event loop

extension OnlineReader {
    /// The connection of an event loop; nil while it is down.
    public func connection(for eventLoop: any EventLoop) -> RedisConnection? {
        redis.connection(for: eventLoop)
    }

    /// What an answer to the one command of a lookup says.
    ///
    /// - Returns: selection by selection, entity by entity; their ranges are within `values.withBytes`.
    /// - Throws: as `read`.
    public func judge(
        _ values: borrowing RedisValues, of lookup: OnlineLookup, from connection: RedisConnection, now: Timestamp
    ) throws(LarderError) -> [OnlineRow] {
        var sentinel: Range<Int>?
        var ranges: [Range<Int>?] = []
        ranges.reserveCapacity(lookup.slotCount)
        values.forEachRange { index, range in
            if index == 0 { sentinel = range } else { ranges.append(range) }
        }
        let found = sentinel
        let result = values.withBytes { bytes -> Result<[OnlineRow], LarderError> in
            do throws(LarderError) {
                guard let found else { throw .sentinelMissing }
                try Self.check(bytes.extracting(found), lookup.plan, runID: connection.runID)
                return .success(try judge(bytes, ranges, lookup, now: now))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func judge(
        _ bytes: RawSpan, _ ranges: [Range<Int>?], _ lookup: OnlineLookup, now: Timestamp
    ) throws(LarderError) -> [OnlineRow] {
        guard ranges.count == lookup.slotCount else {
            throw LarderError(
                .onlineStoreUnavailable, "Redis answered \(lookup.slotCount) keys with \(ranges.count) values")
        }
        var rows: [OnlineRow] = []
        rows.reserveCapacity(lookup.plan.selections.count * lookup.entityCount)
        for selection in lookup.plan.selections {
            for _ in 0..<lookup.entityCount {
                guard let slot = lookup.slotOfPosition[rows.count] else {
                    rows.append(.invalidKey)
                    continue
                }
                guard let range = ranges[slot] else {
                    rows.append(.notFound)
                    continue
                }
                do throws(OnlineRow.Fault) {
                    rows.append(try OnlineRow(bytes, range, selection, now: now))
                } catch {
                    switch error {
                    case .unreadable(let error):
                        let key = lookup.key(ofSlot: slot)
                        logger.error(
                            "a stored row is not readable",
                            metadata: [
                                "feature_view": "\(selection.viewName)", "error": "\(error)",
                                "key": "\(RedisKeyText.quoted(key))",
                            ])
                        throw .unreadable(error, in: selection.viewName, under: key)
                    case .aheadOfClock(let time): throw .aheadOfClock(selection.viewName, eventTime: time, now: now)
                    }
                }
            }
        }
        return rows
    }

    /// Whether what is stored is what was published.
    private static func check(
        _ sentinel: RawSpan, _ plan: OnlineReadPlan, runID: String
    ) throws(LarderError) {
        switch OnlineSentinel.judge(
            sentinel, onlineIncarnation: plan.onlineIncarnation, revision: plan.revision, redisRunID: runID)
        {
        case .current: return
        case .missing: throw .sentinelMissing
        case .otherServer: throw .redisRestarted
        case .otherPublication:
            throw .rebuilding("the online store has been published anew and this server has not caught up")
        }
    }
}

extension LarderError {
    /// Why no features could be read.
    public init(readingFeatures error: RedisError) {
        self.init(error, while: "reading features")
    }

    fileprivate static var sentinelMissing: LarderError {
        .rebuilding("the online store does not hold this project's data")
    }

    fileprivate static func rebuilding(_ message: String) -> LarderError {
        LarderError(
            .onlineStoreRebuilding, message,
            hint: """
                try again in a moment; if it stays, run: larder materialize (for a fixed clock with --end at that time)
                """)
    }

    fileprivate static func aheadOfClock(_ view: String, eventTime: Timestamp, now: Timestamp) -> LarderError {
        LarderError(
            .onlineAheadOfClock,
            "feature view \"\(view)\" holds a row of \(eventTime), which is ahead of this server's clock (\(now))",
            hint: "check the server's clock and --clock-fixed; a fixed clock must not be before what was materialized")
    }

}
