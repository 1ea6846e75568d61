public import FeatureCodec
public import FeatureModel
public import Logging
public import RedisClient

/// Features of one view as one request asks for them, ready to be read.
public struct OnlineSelection: Sendable {
    /// Name of the view, for messages.
    public let viewName: String
    let keyPrefix: [UInt8]
    /// Over the view's join keys.
    public let keyEncoder: EntityKeyEncoder
    public let projection: OnlineRowProjection
    public let ttlMicroseconds: Int64?

    public init(
        viewName: String, installation: InstallationID, keySpace: Int64, joinKeys: [JoinKey],
        projection: OnlineRowProjection, ttlMicroseconds: Int64?
    ) {
        self.viewName = viewName
        self.projection = projection
        self.ttlMicroseconds = ttlMicroseconds
        keyPrefix = OnlineKey.entityPrefix(installation, keySpace: keySpace)
        keyEncoder = EntityKeyEncoder(joinKeys: joinKeys)
    }
}

/// Everything about a read that does not depend on the entities.
public struct OnlineReadPlan: Sendable {
    public let selections: [OnlineSelection]
    let sentinelKey: [UInt8]
    /// What the project's sentinel must name.
    let onlineIncarnation: Int64
    /// The registry revision this reader knows.
    let revision: Int64

    public init(
        selections: [OnlineSelection], installation: InstallationID, project: Int64, onlineIncarnation: Int64,
        revision: Int64
    ) {
        self.selections = selections
        self.onlineIncarnation = onlineIncarnation
        self.revision = revision
        sentinelKey = OnlineKey.sentinel(installation, project: project).bytes
    }
}

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

    fileprivate mutating func appendNulls(_ status: FeatureStatus, eventTime: Timestamp? = nil) {
        for index in columns.indices {
            columns[index].appendNull()
            statuses[index].append(status)
        }
        eventTimes.append(eventTime)
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
    ///   - keys: for each selection its join-key columns, in key-name order, each `entityCount` long; none for a view
    ///     without an entity, which answers every row alike.
    ///   - now: the time that ttl is judged at.
    /// - Returns: an answer for each selection.
    /// - Throws: `join_key_type`; `online_store_rebuilding` when the sentinel or the server is not the expected one;
    ///   `online_ahead_of_clock`; `online_store_unavailable` also when a stored value is not readable.
    public func read(
        _ plan: OnlineReadPlan, keys: [[Column]], entityCount: Int, now: Timestamp
    ) async throws(LarderError) -> [OnlineAnswer] {
        var slots = KeySlots()
        for (selection, columns) in zip(plan.selections, keys) {
            try slots.append(selection, columns: columns, entityCount: entityCount)
        }
        let values = try await fetch(slots, plan)
        var answers: [OnlineAnswer] = []
        var position = 0
        for selection in plan.selections {
            var answer = OnlineAnswer(selection.projection, capacity: entityCount)
            for _ in 0..<entityCount {
                defer { position += 1 }
                guard let slot = slots.slotOfPosition[position] else {
                    answer.appendNulls(.invalidKey)
                    continue
                }
                try judge(values[slot], selection, now: now, into: &answer)
            }
            answers.append(answer)
        }
        return answers
    }

    /// Whether a read would be believed: the sentinel alone.
    /// - Throws: as `read`.
    public func check(_ plan: OnlineReadPlan) async throws(LarderError) {
        _ = try await fetch(KeySlots(), plan)
    }

    private func judge(
        _ value: [UInt8]?, _ selection: OnlineSelection, now: Timestamp, into answer: inout OnlineAnswer
    ) throws(LarderError) {
        guard let value else { return answer.appendNulls(.notFound) }
        let header: OnlineRowHeader
        do {
            header = try OnlineRowHeader(of: value.span.bytes)
        } catch {
            throw unreadable(selection, error)
        }
        let eventTime = header.order.eventTime
        guard eventTime <= now.advanced(byMicroseconds: Self.maximumClockSkewMicroseconds) else {
            throw .aheadOfClock(selection.viewName, eventTime: eventTime, now: now)
        }
        guard !header.isTombstone else { return answer.appendNulls(.notFound) }
        switch MaxAge.judge(eventTime: eventTime, at: now, ttlMicroseconds: selection.ttlMicroseconds) {
        case .outsideMaxAge: answer.appendNulls(.outsideMaxAge, eventTime: eventTime)
        case .notFound: answer.appendNulls(.notFound)
        case .fresh:
            do {
                try selection.projection.append(
                    value.span.bytes, header: header, to: &answer.columns, statuses: &answer.statuses)
            } catch {
                throw unreadable(selection, error)
            }
            answer.eventTimes.append(eventTime)
        }
    }
}

extension OnlineReader {
    /// What is stored is not what this program wrote: no answer is better than a wrong one, and someone has to know.
    private func unreadable(_ selection: OnlineSelection, _ error: CodecError) -> LarderError {
        logger.error(
            "a stored row is not readable", metadata: ["feature_view": "\(selection.viewName)", "error": "\(error)"])
        return LarderError(
            .onlineStoreUnavailable, "a stored row of feature view \"\(selection.viewName)\" is not readable: \(error)",
            hint: "if the server is older than what wrote the row, update it; else publish the view anew")
    }

    /// The stored values of all slots.
    private func fetch(_ slots: KeySlots, _ plan: OnlineReadPlan) async throws(LarderError) -> [[UInt8]?] {
        var commands: [RedisCommand] = []
        for start in stride(from: 0, to: max(slots.count, 1), by: Limits.maximumKeysPerRead) {
            let range = start..<min(start + Limits.maximumKeysPerRead, slots.count)
            commands.append(slots.command(sentinel: plan.sentinelKey, range))
        }
        let connection: RedisConnection
        let outcomes: [Result<RedisReply, RedisError>]
        do {
            connection = try redis.connection()
            outcomes = try await connection.execute(commands)
        } catch {
            throw LarderError(error, while: "reading features")
        }
        var values: [[UInt8]?] = []
        values.reserveCapacity(slots.count)
        for outcome in outcomes {
            let reply: RedisReply
            do { reply = try outcome.get() } catch { throw LarderError(error, while: "reading features") }
            guard let elements = reply.elements, let sentinel = elements.first else {
                throw .unexpectedReply(reply, to: "MGET")
            }
            try Self.check(sentinel, plan, runID: connection.runID)
            for element in elements.dropFirst() { values.append(element.bytes) }
        }
        guard values.count == slots.count else {
            throw LarderError(
                .onlineStoreUnavailable, "Redis answered \(slots.count) keys with \(values.count) values")
        }
        return values
    }

    /// Whether what is stored is what was published.
    private static func check(_ reply: RedisReply, _ plan: OnlineReadPlan, runID: String) throws(LarderError) {
        guard let sentinel = reply.bytes.flatMap({ try? OnlineSentinel(bytes: $0) }) else {
            throw .rebuilding("the online store does not hold this project's data")
        }
        guard sentinel.redisRunID == runID else { throw .redisRestarted }
        guard sentinel.onlineIncarnation == plan.onlineIncarnation, sentinel.minimumRevision <= plan.revision else {
            throw .rebuilding("the online store has been published anew and this server has not caught up")
        }
    }
}

/// The distinct keys of a read: positions (selection by selection, entity by entity) share a slot where a view has no
/// entity, and have none where a join key is null.
private struct KeySlots {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []
    private(set) var slotOfPosition: [Int?] = []

    var count: Int { ends.count }

    mutating func append(
        _ selection: OnlineSelection, columns: [Column], entityCount: Int
    ) throws(LarderError) {
        if selection.keyEncoder.joinKeys.isEmpty {
            OnlineKey.append(EntityKey.global.bytes, after: selection.keyPrefix, to: &bytes)
            slotOfPosition.append(contentsOf: repeatElement(Optional(ends.count), count: entityCount))
            ends.append(bytes.count)
            return
        }
        for row in 0..<entityCount {
            guard let entity = try selection.keyEncoder.encode(row: row, of: columns) else {
                slotOfPosition.append(nil)
                continue
            }
            OnlineKey.append(entity.bytes, after: selection.keyPrefix, to: &bytes)
            slotOfPosition.append(ends.count)
            ends.append(bytes.count)
        }
    }

    func command(sentinel: [UInt8], _ slots: Range<Int>) -> RedisCommand {
        let start = slots.lowerBound == 0 ? 0 : ends[slots.lowerBound - 1]
        let end = slots.isEmpty ? start : ends[slots.upperBound - 1]
        return RedisCommand(
            "MGET", reservingCapacity: sentinel.count + (end - start) + 8 * (slots.count + 1)
        ) { arguments in
            arguments.append(bytes: sentinel)
            var keyStart = start
            for slot in slots {
                arguments.append(bytes: Array(bytes[keyStart..<ends[slot]]))
                keyStart = ends[slot]
            }
        }
    }
}

extension LarderError {
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
