public import FeatureCodec
public import FeatureModel
public import RedisClient

/// One key space as its publisher sees it.
public struct OnlineTarget: Sendable {
    public let keySpace: Int64
    /// The fence the publisher read; a higher one in Redis refuses it.
    public let fence: Int64
    public let keyEncoder: EntityKeyEncoder
    /// Every version rows of the key space may be of.
    public let layouts: [Int32: OnlineRowLayout]
    /// Nil: rows never expire.
    public let ttlMicroseconds: Int64?

    /// - Parameter schemas: every version rows of the key space may be of, with equal join keys.
    public init(keySpace: Int64, fence: Int64, joinKeys: [JoinKey], schemas: [ViewSchema], ttlMicroseconds: Int64?) {
        self.keySpace = keySpace
        self.fence = fence
        self.ttlMicroseconds = ttlMicroseconds
        keyEncoder = EntityKeyEncoder(joinKeys: joinKeys)
        layouts = Dictionary(schemas.map { ($0.version, OnlineRowLayout(schema: $0)) }) { first, _ in first }
    }

    /// When Redis may forget a row, in milliseconds since 1970; nil for never.
    ///
    /// Counted from the publication when that is later, so that a reader finds `OUTSIDE_MAX_AGE` and not chance.
    func expiry(eventTime: Timestamp, publishedAt: Timestamp) -> Int64? {
        guard let ttlMicroseconds else { return nil }
        let end = max(eventTime, publishedAt)
            .advanced(byMicroseconds: ttlMicroseconds).advanced(byMicroseconds: MaxAge.graceMicroseconds)
        guard end.isFinite else { return nil }
        return end.microsecondsSince1970 / 1_000 + 1
    }
}

/// What a publication did.
public struct OnlineWriteCounts: Sendable, Hashable {
    /// Values that replaced an older one or none.
    public var written = 0
    /// Values left alone because the stored one is as new or newer.
    public var kept = 0

    public init(written: Int = 0, kept: Int = 0) {
        self.written = written
        self.kept = kept
    }

    public static func += (left: inout OnlineWriteCounts, right: OnlineWriteCounts) {
        left.written += right.written
        left.kept += right.kept
    }
}

/// A key whose stored value may come from withdrawn rows; it goes with one row of an `OnlineBatch`.
public struct OnlineWithdrawal: Sendable {
    /// The orders of the key's rows that do not count any more.
    public let orders: [RowOrder]
    /// Whether the batch's row is what counts now; otherwise only its key is used.
    public let hasReplacement: Bool

    public init(orders: [RowOrder], hasReplacement: Bool) {
        self.orders = orders
        self.hasReplacement = hasReplacement
    }
}

/// Publishes rows. Every write compares, so that repeating one changes nothing and older rows never win.
///
/// Bound to one Redis process by its `run_id`: when another one answers, nothing is written to it.
public struct OnlineWriter: Sendable {
    private let redis: RedisClient
    private let installation: InstallationID
    private let runID: String

    public init(redis: RedisClient, installation: InstallationID, runID: String) {
        self.redis = redis
        self.installation = installation
        self.runID = runID
    }

    /// Publishes a batch in bounded pipelines.
    /// - Parameter publishedAt: the real time now, from which the rows' expiry counts.
    /// - Throws: `materialization_conflict` when fenced, `online_store_rebuilding` when the server was emptied or replaced
    ///   meanwhile, `online_store_unavailable`. Rows sent before the failure are written; sending all again is harmless.
    @discardableResult
    public func publish(
        _ batch: OnlineBatch, to target: OnlineTarget, publishedAt: Timestamp
    ) async throws(LarderError) -> OnlineWriteCounts {
        let encoder = try OnlineValueEncoder(batch, layouts: target.layouts)
        let runs = ScriptRuns(batch, to: target, publishedAt: publishedAt, installation: installation)
        var value: [UInt8] = []
        let changed = try await send(OnlineScripts.publish, runs) { row, arguments throws(LarderError) in
            value.removeAll(keepingCapacity: true)
            try encoder.encode(row, into: &value)
            arguments.append(bytes: value)
            return value.count
        }
        return OnlineWriteCounts(written: changed, kept: batch.count - changed)
    }

    /// Takes withdrawn rows back: a stored value that carries one of their orders is replaced or deleted.
    ///
    /// - Parameters:
    ///   - withdrawals: one for each row of `batch`; a key may come several times, each time with the same row.
    /// - Returns: in `written` how many values were replaced or deleted.
    @discardableResult
    public func withdraw(
        _ withdrawals: [OnlineWithdrawal], _ batch: OnlineBatch, from target: OnlineTarget, publishedAt: Timestamp
    ) async throws(LarderError) -> OnlineWriteCounts {
        precondition(withdrawals.count == batch.count, "\(withdrawals.count) withdrawals for \(batch.count) keys")
        let encoder = try OnlineValueEncoder(batch, layouts: target.layouts)
        let runs = ScriptRuns(batch, to: target, publishedAt: publishedAt, installation: installation)
        var orders: [UInt8] = []
        var value: [UInt8] = []
        let changed = try await send(OnlineScripts.withdraw, runs) { row, arguments throws(LarderError) in
            orders.removeAll(keepingCapacity: true)
            value.removeAll(keepingCapacity: true)
            for order in withdrawals[row].orders { order.append(to: &orders) }
            if withdrawals[row].hasReplacement { try encoder.encode(row, into: &value) }
            arguments.append(bytes: orders)
            arguments.append(bytes: value)
            return orders.count + value.count
        }
        return OnlineWriteCounts(written: changed, kept: batch.count - changed)
    }

    /// Runs a script over all rows; `append` is as `ScriptRuns.next` takes it.
    private func send(
        _ script: RedisScript, _ runs: ScriptRuns, _ append: (Int, inout RedisArguments) throws(LarderError) -> Int
    ) async throws(LarderError) -> Int {
        var runs = runs
        var changed = 0
        var pipeline: [RedisScript.Invocation] = []
        var firstRows: [Int] = []
        var firstRow = runs.row
        while let next = try runs.next(append) {
            pipeline.append(next)
            firstRows.append(firstRow)
            firstRow = runs.row
            if pipeline.count == Limits.scriptsPerPipeline {
                changed += try await run(script, pipeline, of: runs, firstRows)
                pipeline.removeAll(keepingCapacity: true)
                firstRows.removeAll(keepingCapacity: true)
            }
        }
        if !pipeline.isEmpty { changed += try await run(script, pipeline, of: runs, firstRows) }
        return changed
    }

    /// - Parameter firstRows: of each run, for what it says of a key.
    private func run(
        _ script: RedisScript, _ pipeline: [RedisScript.Invocation], of runs: ScriptRuns, _ firstRows: [Int]
    ) async throws(LarderError) -> Int {
        let connection: RedisConnection
        let outcomes: [Result<RedisReply, RedisError>]
        do throws(RedisError) {
            connection = try redis.connection()
        } catch {
            throw LarderError(error, while: "publishing")
        }
        guard connection.runID == runID else { throw .redisRestarted }
        do throws(RedisError) {
            outcomes = try await connection.evaluate(script, pipeline)
        } catch {
            throw LarderError(error, while: "publishing")
        }
        var changed = 0
        for (outcome, firstRow) in zip(outcomes, firstRows) {
            switch outcome {
            case .success(let reply):
                guard let count = reply.integerValue else { throw .unexpectedReply(reply, to: "a script") }
                changed += Int(count)
            case .failure(let error):
                throw LarderError(error, while: "publishing") { runs.key(atPlace: $0, ofRunFrom: firstRow) }
            }
        }
        return changed
    }
}
