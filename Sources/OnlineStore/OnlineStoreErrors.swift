internal import FeatureModel
internal import RedisClient

extension LarderError {
    /// A failure of Redis as the caller of the online store is told it.
    init(_ error: RedisError, while activity: String) {
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
            self.init(
                .onlineStoreUnavailable, "Redis holds data of a format this program does not know: \(error.message)",
                hint: "use a larder at least as new as the one that published the data")
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

    static func unexpectedReply(_ reply: RedisReply, to command: String) -> LarderError {
        LarderError(.onlineStoreUnavailable, "Redis answered \(command) with a \(reply.kind)")
    }

    static let redisRestarted = LarderError(
        .onlineStoreRebuilding, "Redis was restarted or replaced since the data was published",
        hint: "run materialize; it publishes everything anew")
}
