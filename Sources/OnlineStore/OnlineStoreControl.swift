public import FeatureCodec
public import FeatureModel
public import RedisClient

/// Sentinels, fences and the clearing of key spaces: what frames a publication.
public struct OnlineStoreControl: Sendable {
    private let redis: RedisClient
    private let installation: InstallationID

    public init(redis: RedisClient, installation: InstallationID) {
        self.redis = redis
        self.installation = installation
    }

    /// Which server and database this is; see `RedisConfiguration.endpoint`.
    public var endpoint: String { redis.endpoint }

    /// The Redis process the client is connected to.
    /// - Throws: `online_store_unavailable` when it is connected to none.
    public func runID() throws(LarderError) -> String {
        do { return try redis.connection().runID } catch { throw LarderError(error, while: "connecting") }
    }

    /// - Returns: nil when there is none, or its type or format is another: either way what is stored cannot be believed.
    public func sentinel(ofProject project: Int64) async throws(LarderError) -> OnlineSentinel? {
        let key = OnlineKey.sentinel(installation, project: project).bytes
        let reply = try await run("reading the sentinel") { connection throws(RedisError) in
            do throws(RedisError) {
                return try await connection.execute(RedisCommand("GET", .bytes(key)))
            } catch {
                // Something else than a string is as good as nothing, and to a read's `MGET` looks like it.
                guard error.code == .server("WRONGTYPE") else { throw error }
                return .null
            }
        }
        return reply.bytes.flatMap { try? OnlineSentinel(bytes: $0) }
    }

    /// Whether the server takes writes: it is no read-only replica and not out of memory.
    /// - Throws: `online_store_unavailable` when it cannot be asked.
    public func takesWrites(ofProject project: Int64) async throws(LarderError) -> Bool {
        let key = OnlineKey.sentinel(installation, project: project).bytes
        let reply = try await run("trying a write") { connection throws(RedisError) in
            do throws(RedisError) {
                // Writes nothing over the key's beginning, which Redis refuses as it refuses every write.
                return try await connection.execute(RedisCommand("SETRANGE", .bytes(key), "0", ""))
            } catch {
                guard error.code.serverPrefix != nil else { throw error }
                return .null
            }
        }
        return reply != .null
    }

    /// From now on every read of the project is refused, until a publication is complete.
    public func removeSentinel(ofProject project: Int64) async throws(LarderError) {
        let key = OnlineKey.sentinel(installation, project: project).bytes
        _ = try await run("removing the sentinel") { connection throws(RedisError) in
            try await connection.execute(RedisCommand("DEL", .bytes(key)))
        }
    }

    /// Refuses publishers under a lower fence from now on.
    /// - Throws: `materialization_conflict` when Redis has a higher one.
    public func raiseFence(ofKeySpace keySpace: Int64, to fence: Int64) async throws(LarderError) {
        let key = OnlineKey.fence(installation, keySpace: keySpace).bytes
        _ = try await run("raising a fence", keys: [key]) { connection throws(RedisError) in
            try await connection.evaluate(
                OnlineScripts.raiseFence, keys: [.bytes(key)], arguments: [.bytes(OnlineFence.bytes(fence))])
        }
    }

    /// Writes the sentinel, provided that no fence of the publication was lost or raised since: then nothing that was
    /// published has been emptied behind its back.
    ///
    /// - Parameter fences: by key space, of everything published.
    /// - Throws: `online_store_rebuilding` when the server was emptied or replaced, `materialization_conflict` when fenced.
    public func complete(
        project: Int64, sentinel: OnlineSentinel, fences: [Int64: Int64]
    ) async throws(LarderError) {
        let ordered = fences.sorted { $0.key < $1.key }
        let keys =
            [OnlineKey.sentinel(installation, project: project)]
            + ordered.map { OnlineKey.fence(installation, keySpace: $0.key) }
        let keyBytes = keys.map(\.bytes)
        let arguments = [sentinel.bytes] + ordered.map { OnlineFence.bytes($0.value) }
        _ = try await run("completing a publication", requiring: sentinel.redisRunID, keys: keyBytes) {
            connection throws(RedisError) in
            try await connection.evaluate(
                OnlineScripts.complete, keys: keyBytes.map { .bytes($0) }, arguments: arguments.map { .bytes($0) })
        }
    }

    /// Refuses readers that know the project's registry only as it was before the sentinel's minimum revision.
    public func raiseRevision(ofProject project: Int64, sentinel: OnlineSentinel) async throws(LarderError) {
        let key = OnlineKey.sentinel(installation, project: project).bytes
        _ = try await run("raising the minimum revision") { connection throws(RedisError) in
            try await connection.evaluate(
                OnlineScripts.raiseRevision, keys: [.bytes(key)], arguments: [.bytes(sentinel.bytes)])
        }
    }

    /// Deletes the values of some keys of a key space. Nothing is deleted twice by mistake: what is not there is passed over.
    /// - Parameter keys: at least one.
    public func unlink(_ keys: [EntityKey], ofKeySpace keySpace: Int64) async throws(LarderError) {
        let prefix = OnlineKey.entityPrefix(installation, keySpace: keySpace)
        let arguments = keys.map { key -> RedisArgument in
            var bytes: [UInt8] = []
            OnlineKey.append(key.bytes, after: prefix, to: &bytes)
            return .bytes(bytes)
        }
        _ = try await run("deleting values") { connection throws(RedisError) in
            try await connection.execute(RedisCommand("UNLINK", arguments))
        }
    }

    /// Removes the fence of a key space that is gone for good; whoever still publishes to it is refused.
    public func removeFence(ofKeySpace keySpace: Int64) async throws(LarderError) {
        let key = OnlineKey.fence(installation, keySpace: keySpace).bytes
        _ = try await run("removing a fence") { connection throws(RedisError) in
            try await connection.execute(RedisCommand("UNLINK", .bytes(key)))
        }
    }

    /// Deletes every value of some key spaces, in small steps, by walking once over all keys of the server; where there
    /// are none, that is one step.
    ///
    /// For a rebuild: a restored server may hold rows that have been withdrawn since, and keys of which PostgreSQL
    /// knows nothing any more, so that only a walk finds them all. What expires or is dropped goes without one.
    public func clear(keySpaces: [Int64]) async throws(LarderError) {
        let prefixes = keySpaces.map { OnlineKey.entityPrefix(installation, keySpace: $0) }
        // Nothing in the prefix means anything to Redis' pattern matching.
        let pattern = OnlineKey.prefix(of: installation) + [UInt8(ascii: "*")]
        var cursor = "0"
        repeat {
            let step = cursor
            let reply = try await run("clearing key spaces") { connection throws(RedisError) in
                try await connection.execute(
                    RedisCommand(
                        "SCAN", .string(step), "MATCH", .bytes(pattern), "COUNT", .integer(Limits.keysPerScan)))
            }
            guard let parts = reply.elements, parts.count == 2, let next = parts[0].string,
                let found = parts[1].elements?.compactMap(\.bytes)
            else { throw .unexpectedReply(reply, to: "SCAN") }
            let keys = found.filter { key in prefixes.contains { key.starts(with: $0) } }
            if !keys.isEmpty {
                _ = try await run("clearing key spaces") { connection throws(RedisError) in
                    try await connection.execute(RedisCommand("UNLINK", keys.map { .bytes($0) }))
                }
            }
            cursor = next
        } while cursor != "0"
    }

    /// The server's `maxmemory-policy`; nil when this login may not ask.
    public static func maxmemoryPolicy(of redis: RedisClient) async throws(LarderError) -> String? {
        try await information("maxmemory_policy", in: "memory", of: redis)
    }

    /// How many keys the server has evicted since its start; nil when this login may not ask.
    public func evictedKeys() async throws(LarderError) -> Int64? {
        try await Self.information("evicted_keys", in: "stats", of: redis).flatMap { Int64($0) }
    }

    /// A line of `INFO`; nil when this login may not ask.
    private static func information(
        _ name: String, in section: String, of redis: RedisClient
    ) async throws(LarderError) -> String? {
        let reply: RedisReply
        do {
            reply = try await redis.execute(RedisCommand("INFO", .string(section)))
        } catch {
            if error.code.serverPrefix == "NOPERM" { return nil }
            throw LarderError(error, while: "asking for its \(section)")
        }
        return reply.string?.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }
            .map { String($0.dropFirst(name.count + 1)) }
    }

    /// - Parameter keys: of a script, for what it says of one of them.
    private func run(
        _ activity: String, requiring runID: String? = nil, keys: [[UInt8]] = [],
        _ body: (RedisConnection) async throws(RedisError) -> RedisReply
    ) async throws(LarderError) -> RedisReply {
        let connection: RedisConnection
        do { connection = try redis.connection() } catch { throw LarderError(error, while: activity) }
        if let runID, connection.runID != runID { throw .redisRestarted }
        do { return try await body(connection) } catch {
            throw LarderError(error, while: activity) { place in
                keys.indices.contains(place - 1) ? keys[place - 1] : nil
            }
        }
    }
}
