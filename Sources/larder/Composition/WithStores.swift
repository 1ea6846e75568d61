import FeatureModel
import FeatureService
import Foundation
import NIOPosix
import PostgresClient
import RedisClient
import Registry

extension CommandContext {
    /// Whether a command works with Redis.
    enum OnlineStoreUse {
        case none
        case required
        /// Connected when it can be; the command goes on without it.
        case optional
    }

    /// Runs `body` with everything that use cases work on; all of it is closed afterwards.
    ///
    /// - Parameter writers: connections that will be needed at once, and are opened while other things are looked at.
    /// - Throws: `migration_pending` or `migration_refused` when the database is not what this program works with,
    ///   `configuration_invalid` when the source login can do more than it should, what connecting throws, and what `body` throws.
    func withStores<Value>(
        onlineStore: OnlineStoreUse = .none, writers: Int = 0, _ body: (Stores) async throws -> Value
    ) async throws -> Value {
        try await withPostgresPool(settings.postgres, limits: Self.limits(connections: 2)) { owner in
            try await withPostgresPool(
                writerConfiguration, limits: Self.limits(connections: max(8, 2 * settings.parallelViews + 2))
            ) { writer in
                async let _ = writer.openAhead(writers)
                do {
                    try await checkSchema(writer)
                } catch is PostgresError {
                    // A database that was never migrated has no role of the writer.
                    try await checkSchema(owner)
                }
                let source = settings.postgresSource
                let limits = Self.limits(connections: max(2, settings.parallelViews))
                return try await withPostgresPool(source, limits: limits) { source in
                    try await withRedis(onlineStore) { redis in
                        try await body(
                            Stores(
                                owner: owner, writer: writer, source: source, sourceLogin: settings.sourceLogin,
                                redis: redis, logger: logger, actor: NSUserName()))
                    }
                }
            }
        }
    }

    /// Sessions that move data run under the writer's role.
    var writerConfiguration: PostgresConfiguration {
        var configuration = settings.postgres
        configuration.sessionSettings.append(("role", DatabaseRoles.writer))
        return configuration
    }

    private static func limits(connections: Int) -> PostgresPoolLimits {
        var limits = PostgresPoolLimits()
        limits.maximumConnections = connections
        return limits
    }

    private func withRedis<Value>(
        _ use: OnlineStoreUse, _ body: (RedisClient) async throws -> Value
    ) async throws -> Value {
        switch use {
        case .required: try await withRedisClient(settings.redis, logger: logger, body)
        case .optional: try await withRedisClient(settings.redis, isRequired: false, logger: logger, body)
        // A client that does not run opens no connection.
        case .none:
            try await body(
                RedisClient(
                    configuration: settings.redis, eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                    maximumConnections: 1, logger: logger))
        }
    }

    /// - Parameter pool: of any session that may read what was migrated.
    private func checkSchema(_ pool: PostgresPool) async throws {
        let files = try MigrationsFolder.loadIfFound(settings.migrations)
        try await pool.withConnection { connection in
            let found = try await connection.query("SELECT to_regclass('larder.migration') IS NOT NULL AS found")
                .onlyValue(as: Bool.self)
            guard found else {
                throw LarderError(
                    .migrationPending, "the database has never been migrated", hint: "run larder migrate")
            }
            try await DatabaseRoles(sourceLogin: settings.sourceLogin).checkSourceLogin(on: connection)
            guard let files else { return }
            let pending = try await Migrator(files: files).pending(on: connection)
            guard pending.isEmpty else {
                throw LarderError(
                    .migrationPending,
                    "the database lacks \(pending.count == 1 ? "a migration" : "\(pending.count) migrations"): "
                        + pending.map(\.name).joined(separator: ", "), hint: "run larder migrate")
            }
        }
    }
}
