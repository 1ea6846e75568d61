internal import FeatureCodec
internal import FeatureModel
internal import RedisClient

extension LarderError {
    /// A failure of Redis as the caller of the online store is told it.
    ///
    /// - Parameter key: of a script's keys the one at a place, from 1; nil where it is not known.
    init(_ error: RedisError, while activity: String, key: (_ place: Int) -> [UInt8]? = { _ in nil }) {
        let place = OnlineScripts.Refusal.place(in: error)
        switch error.code {
        case .server(OnlineScripts.Refusal.fenced):
            self.init(
                .materializationConflict, "a later publisher has fenced this one off",
                hint: "run materialize again; it continues from what has committed")
        case .server(OnlineScripts.Refusal.emptied):
            self.init(
                .onlineStoreRebuilding, "Redis was emptied while \(activity)",
                hint: "run materialize again; it publishes everything anew")
        case .server(OnlineScripts.Refusal.format):
            let stored = place.flatMap(key)
            self.init(
                .onlineStoreUnavailable,
                "Redis holds data of a format this program does not know, \(Self.found(stored, while: activity))",
                hint: """
                    use a larder at least as new as the one that published the data; where none is newer, it is \
                    damaged: \(Self.repair(stored))
                    """)
        case .server(OnlineScripts.Refusal.wrongType), .server("WRONGTYPE"):
            let stored = place.flatMap(key)
            self.init(
                .onlineStoreUnavailable,
                "Redis holds something else than a value where Larder has one, \(Self.found(stored, while: activity))",
                hint: "find out what else writes there, and \(Self.repair(stored))")
        case .server("OOM"):
            self.init(
                .onlineStoreUnavailable, "Redis is out of memory while \(activity)",
                hint: "raise maxmemory of the Redis server; larder plan shows the bytes a view needs")
        case .server("READONLY"):
            self.init(
                .onlineStoreUnavailable, "Redis is a read-only replica",
                hint: "point LARDER_REDIS_URL at the primary")
        case .server("LOADING"):
            self.init(.onlineStoreUnavailable, "Redis is still loading its data", hint: "try again in a moment")
        case .timeout:
            self.init(
                .onlineStoreUnavailable, "Redis did not answer in time while \(activity)",
                hint: "try again in a moment; LARDER_REDIS_TIMEOUT says how long a read may take")
        case .queueFull:
            self.init(
                .onlineStoreUnavailable, "too many commands wait for Redis while \(activity)",
                hint: "try again in a moment; Redis answers more slowly than it is asked")
        case .cancelled:
            self.init(.cancelled, "cancelled while \(activity)")
        default:
            self.init(
                .onlineStoreUnavailable, "Redis failed while \(activity): \(error)",
                hint: "check that the server behind LARDER_REDIS_URL is up and reachable")
        }
    }

    private static func found(_ key: [UInt8]?, while activity: String) -> String {
        key.map { "under the key \(RedisKeyText.quoted($0)), found while \(activity)" } ?? "found while \(activity)"
    }

    /// What puts a row where something stands that no publication replaces.
    private static func repair(_ key: [UInt8]?) -> String {
        guard let key else { return "the log of the server has its key, and what removes it" }
        return """
            remove it from the Redis and database of LARDER_REDIS_URL, with \(RedisKeyText.removal(of: key)), then run larder \
            materialize --full --only online
            """
    }

    /// What was stored is not what this program wrote: no answer is better than a wrong one.
    ///
    /// - Parameter key: that the row is stored under, where it is known.
    static func unreadable(_ error: CodecError, in viewName: String, under key: [UInt8]?) -> LarderError {
        LarderError(
            .onlineStoreUnavailable, "a stored row of feature view \"\(viewName)\" is not readable: \(error)",
            hint: "if a newer larder wrote the row, update this server; else it is damaged: \(repair(key))")
    }

    static func unexpectedReply(_ reply: RedisReply, to command: String) -> LarderError {
        LarderError(.onlineStoreUnavailable, "Redis answered \(command) with a \(reply.kind)")
    }

    static let redisRestarted = LarderError(
        .onlineStoreRebuilding, "Redis was restarted or replaced since the data was published",
        hint: "run materialize; it publishes everything anew")
}
