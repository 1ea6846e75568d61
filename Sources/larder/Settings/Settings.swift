import FeatureModel
import FeatureService
import Foundation
import HTTPAPI
import Logging
import Observability
import PostgresClient
import RedisClient

/// Everything that can be set, validated. Flags come before the environment, the environment before the file.
struct Settings: Sendable {
    var postgres: PostgresConfiguration
    var postgresSource: PostgresConfiguration
    /// The user of `postgresSource`, whom `apply` grants the sources to.
    var sourceLogin: String
    var redis: RedisConfiguration
    /// The same Redis for online reads, which are answered soon or not at all.
    var redisReads: RedisConfiguration
    /// Whether a server has a Redis that lost its data filled again.
    var refillsRedis: Bool
    var project: String?
    /// Nil looks for the folder where it usually is.
    var migrations: String?
    var server: ServerConfiguration
    var trainingSets: TrainingSetResources
    /// Feature views that one materialization works on side by side.
    var parallelViews: Int
    var log: LogConfiguration
    /// What is to be told about the settings, though it is no mistake.
    var warnings: [String]

    /// - Parameter warn: told what `warnings` would hold, should there be mistakes.
    /// - Throws: `configuration_invalid` with every mistake there is.
    static func load(
        flags: [String: String], defaultLogLevel: String,
        environment: [String: String] = ProcessInfo.processInfo.environment, warn: (String) -> Void = { _ in }
    ) throws(LarderError) -> Settings {
        var reader = SettingsReader(flags: flags, environment: environment)
        let postgres = reader.url(.postgresURL) { url throws(LarderError) in
            try PostgresConfiguration(checking: url, applicationName: "larder")
        }
        let source = reader.url(.postgresSourceURL) { url throws(LarderError) in
            let source = try PostgresConfiguration(checking: url, applicationName: "larder-source")
            guard let user = source.user else {
                throw LarderError(
                    .configurationInvalid, "names no user",
                    hint: "apply grants the sources to it: postgresql://USER@...")
            }
            return (configuration: source, user: user)
        }
        if let user = source?.user, user == postgres?.user {
            reader.report(
                .postgresSourceURL, "has the same login as \(Setting.postgresURL.variable)",
                hint: "name one that reads sources and nothing else: expressions and queries of definitions run as it")
        }
        let redis = reader.url(.redisURL) { url throws(LarderError) in
            do throws(RedisError) { return try RedisConfiguration(url: url) } catch {
                throw LarderError(
                    .configurationInvalid, error.message, hint: "write redis://[user:password@]host[:port][/database]")
            }
        }
        let redisReads = onlineReads(&reader, redis)
        let refillsRedis = reader.flag(.servingRefill) ?? true
        let server = server(&reader)
        let trainingSets = trainingSets(&reader, server.limits)
        let parallelViews = reader.value(.parallelViews, expected: "a whole number from 1 to 8") { text in
            Int(text).flatMap { (1...8).contains($0) ? $0 : nil }
        }
        let log = log(&reader, defaultLogLevel: defaultLogLevel)
        let project = reader.text(.project)
        let migrations = reader.text(.migrations)
        let warnings = reader.unknown.map(\.warning)
        if !reader.mistakes.isEmpty {
            for warning in warnings { warn(warning) }
        }
        try reader.checkAll()
        guard let postgres, let source, let redis, let redisReads, let parallelViews else {
            throw LarderError(.internalError, "a setting is missing and nothing said so")
        }
        return Settings(
            postgres: postgres, postgresSource: source.configuration, sourceLogin: source.user, redis: redis,
            redisReads: redisReads, refillsRedis: refillsRedis, project: project, migrations: migrations,
            server: server, trainingSets: trainingSets, parallelViews: parallelViews, log: log, warnings: warnings)
    }

    /// How online reads meet Redis: one that does not answer is given up soon, and tried again soon.
    private static func onlineReads(
        _ reader: inout SettingsReader, _ redis: RedisConfiguration?
    ) -> RedisConfiguration? {
        let timeout = reader.value(.redisTimeout, expected: "a duration from 1ms to 60s such as 100ms") { text in
            shortDuration(text).flatMap { $0 >= .milliseconds(1) && $0 <= .seconds(60) ? $0 : nil }
        }
        let queuedCommands = reader.value(.redisQueuedCommands, expected: "a whole number from 1 to 65536") { text in
            Int(text).flatMap { (1...65_536).contains($0) ? $0 : nil }
        }
        guard var reads = redis, let timeout, let queuedCommands else { return nil }
        reads.clientName = "larder-reads"
        reads.commandTimeout = timeout
        reads.maximumQueuedCommands = queuedCommands
        // Closing a connection fails all that wait on it: not for one slow answer.
        reads.stallTimeout = max(.seconds(1), timeout * 2)
        reads.connectTimeout = .seconds(1)
        reads.initialReconnectDelay = .milliseconds(20)
        reads.maximumReconnectDelay = .milliseconds(250)
        return reads
    }

    /// `100ms`, or as `DurationText` reads it.
    private static func shortDuration(_ text: String) -> Duration? {
        if text.hasSuffix("ms") { return UInt16(text.dropLast(2)).map { .milliseconds(Int($0)) } }
        return DurationText.parse(text).map { .microseconds($0) }
    }

    private static func server(_ reader: inout SettingsReader) -> ServerConfiguration {
        var server = ServerConfiguration()
        server.host = reader.text(.httpHost) ?? server.host
        server.port =
            reader.value(.httpPort, expected: "a port from 0 to 65535") { UInt16($0).map(Int.init) } ?? server.port
        server.idleTimeoutSeconds =
            reader.value(.httpIdleTimeout, expected: "a duration such as 60s") { text in
                DurationText.parse(text).flatMap { $0 > 0 && $0 <= 86_400_000_000 ? Int($0 / 1_000_000) : nil }
            } ?? server.idleTimeoutSeconds
        server.sharesPort = reader.flag(.httpReusePort) ?? server.sharesPort
        server.feastProject = reader.text(.feastProject)
        let limits: [(Setting, WritableKeyPath<ServingLimits, Int>)] = [
            (.maximumEntities, \.maximumEntities), (.maximumFeatures, \.maximumFeatures),
            (.maximumValues, \.maximumValues), (.maximumRows, \.maximumRows),
            (.maximumBodyBytes, \.maximumBodyBytes), (.maximumPendingPushes, \.maximumPendingPushes),
        ]
        for (setting, limit) in limits {
            let value = reader.value(setting, expected: "a whole number from 1 to 2147483647") { text in
                Int32(text).flatMap { $0 > 0 ? Int($0) : nil }
            }
            if let value { server.limits[keyPath: limit] = value }
        }
        return server
    }

    private static func trainingSets(
        _ reader: inout SettingsReader, _ limits: ServingLimits
    ) -> TrainingSetResources {
        var resources = TrainingSetResources()
        resources.maximumEntities = limits.maximumEntities
        resources.memoryBytes =
            reader.value(.trainingMemory, expected: "a size from 64MiB such as 512MiB or 2GiB") { text in
                byteCount(text).flatMap { $0 >= 64 << 20 ? $0 : nil }
            } ?? resources.memoryBytes
        resources.connections =
            reader.value(.trainingConnections, expected: "a whole number from 1 to 16") { text in
                Int(text).flatMap { (1...16).contains($0) ? $0 : nil }
            } ?? resources.connections
        return resources
    }

    /// `512MiB`, `2GiB`.
    private static func byteCount(_ text: String) -> Int? {
        for (unit, shift) in [("MiB", 20), ("GiB", 30)] where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(3)), (1...1 << 20).contains(number) else { return nil }
            return number << shift
        }
        return nil
    }

    private static func log(_ reader: inout SettingsReader, defaultLogLevel: String) -> LogConfiguration {
        let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
        let formats = LogConfiguration.Format.allCases.map(\.rawValue).joined(separator: " or ")
        var log = LogConfiguration()
        log.level =
            reader.value(.logLevel, expected: "one of \(levels)", default: defaultLogLevel) {
                Logger.Level(rawValue: $0.lowercased())
            } ?? log.level
        log.format =
            reader.value(.logFormat, expected: formats) { LogConfiguration.Format(rawValue: $0.lowercased()) }
            ?? log.format
        return log
    }
}

extension PostgresConfiguration {
    /// - Throws: `configuration_invalid`, which repeats nothing of the URL.
    fileprivate init(checking url: String, applicationName: String) throws(LarderError) {
        do {
            try self.init(url: url, applicationName: applicationName)
        } catch {
            throw LarderError(.configurationInvalid, error.message, hint: error.hint)
        }
    }
}
