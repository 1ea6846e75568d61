/// One setting: its key in a file, its variable in the environment, what it means.
struct Setting: Sendable {
    let key: String
    /// As it is written in the environment; nil for none.
    let fallback: String?
    let isSecret: Bool
    let summary: String

    /// `http.port` is `LARDER_HTTP_PORT`.
    var variable: String {
        "LARDER_" + key.uppercased().map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
    }

    private init(_ key: String, default fallback: String? = nil, isSecret: Bool = false, _ summary: String) {
        self.key = key
        self.fallback = fallback
        self.isSecret = isSecret
        self.summary = summary
    }

    /// Names a file with settings; itself no setting of one.
    static let fileVariable = "LARDER_CONFIG"

    static let postgresURL = Setting(
        "postgres.url", isSecret: true, "PostgreSQL, with the login that owns Larder's tables. Required")
    static let postgresSourceURL = Setting(
        "postgres.source-url", isSecret: true,
        "The same database, with the login that can read sources and nothing else. Required")
    static let redisURL = Setting("redis.url", isSecret: true, "Redis, the online store. Required")
    static let redisTimeout = Setting(
        "redis.timeout", default: "100ms", "How long Redis may take to answer an online read, such as 50ms or 1s")
    static let redisQueuedCommands = Setting(
        "redis.queued-commands", default: "4096",
        "Online reads of one connection that may wait for Redis; one more is answered 503 at once")
    static let project = Setting("project", "The project, when there are several (--project)")
    static let migrations = Setting(
        "migrations",
        "The folder of migrations (--migrations). Without it: `migrations` here, or above the executable")
    static let httpHost = Setting("http.host", default: "127.0.0.1", "The address to listen on (--host)")
    static let httpPort = Setting("http.port", default: "6580", "The port to listen on, 0 for any (--port)")
    static let httpReusePort = Setting(
        "http.reuse-port", default: "on",
        "Whether servers of the same user may listen on one port at once, to roll over: on or off")
    static let httpIdleTimeout = Setting(
        "http.idle-timeout", default: "60s", "Connections without a request for so long are closed")
    static let feastProject = Setting(
        "feast.project", "The project that Feast's paths mean. Without it: the only one there is")
    static let servingRefill = Setting(
        "serving.refill", default: "on",
        "Whether a server publishes again what Redis lost or did not take, or a restore left behind: on or off")
    static let logLevel = Setting(
        "log.level", default: "info",
        "trace, debug, info, notice, warning, error or critical. Only serve logs without it")
    static let logFormat = Setting("log.format", default: "text", "text or json")
    static let maximumEntities = Setting(
        "limits.entities", default: "10000",
        "Entities in one online request, and those that a training set without a spine names")
    static let maximumFeatures = Setting("limits.features", default: "1000", "Features in one online request")
    static let maximumValues = Setting(
        "limits.values", default: "2000000", "Entities times features in one online request")
    static let maximumRows = Setting("limits.rows", default: "100000", "Rows that one request writes")
    static let maximumBodyBytes = Setting("limits.body-bytes", default: "8388608", "Bytes of a request's body")
    static let maximumPendingPushes = Setting(
        "limits.pending-pushes", default: "1024", "Pushes that wait to be written or published")

    static let parallelViews = Setting(
        "materialize.parallel-views", default: "2", "Feature views that one materialization works on side by side")
    static let trainingMemory = Setting(
        "training.memory", default: "512MiB", "What one training set may take of this process, such as 256MiB or 2GiB")
    static let trainingConnections = Setting(
        "training.connections", default: "2", "Sessions with PostgreSQL that one training set uses side by side")

    /// Every setting there is, in the order of the documentation.
    static let all = [
        postgresURL, postgresSourceURL, redisURL, redisTimeout, redisQueuedCommands, project, migrations, httpHost,
        httpPort, httpReusePort, httpIdleTimeout, feastProject, servingRefill,
        logLevel, logFormat, maximumEntities, maximumFeatures, maximumValues, maximumRows, maximumBodyBytes,
        maximumPendingPushes, parallelViews,
        trainingMemory, trainingConnections,
    ]
}
