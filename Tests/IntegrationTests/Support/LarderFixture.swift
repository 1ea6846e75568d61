import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import Logging
import OfflineStore
import PostgresClient
import RedisClient
import Registry
import TestSupport
import Testing

/// A migrated database and a Redis of its own, with the use cases over them.
struct LarderFixture {
    static let sourceVariable = "LARDER_POSTGRES_SOURCE_URL"

    /// The checkout, found from this file.
    static let checkout = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path()

    private static let template = PostgresTestDatabase(template: "migrated") { configuration in
        let connection = try await PostgresConnection.connect(configuration, logger: .silent)
        try await Migrator(files: MigrationFile.load(directory: checkout + "migrations")).migrate(on: connection)
        try await DatabaseRoles(sourceLogin: sourceConfiguration(configuration).user ?? "larder_source")
            .ensure(on: connection)
        await connection.close()
    }

    let stores: Stores
    let redis: PrivateRedis

    /// A server takes a hundred sessions by default, and every fixture has a dozen.
    private static let limit = ConcurrencyLimit(5)

    /// Runs `body` with everything set up, and removes it afterwards.
    static func run(_ body: (LarderFixture) async throws -> Void) async throws {
        try await limit.run { try await runAlone(body) }
    }

    private static func runAlone(_ body: (LarderFixture) async throws -> Void) async throws {
        try await template.withDatabase { database in
            let source = try sourceConfiguration(database)
            var writer = database
            writer.sessionSettings = [("role", DatabaseRoles.writer)]
            // A template's grants on the database itself do not come along with the copy.
            let owner = try await PostgresConnection.connect(database, logger: .silent)
            try await DatabaseRoles(sourceLogin: source.user ?? "larder_source").ensure(on: owner)
            await owner.close()
            try await withPrivateRedis { redisConfiguration, redis in
                try await withRedisClient(redisConfiguration, logger: .silent) { client in
                    try await withPostgresPool(database, logger: .silent) { owner in
                        try await withPostgresPool(writer, logger: .silent) { writer in
                            try await withPostgresPool(source, logger: .silent) { sourcePool in
                                let stores = Stores(
                                    owner: owner, writer: writer, source: sourcePool,
                                    sourceLogin: source.user ?? "larder_source", redis: client, logger: .silent,
                                    actor: "test")
                                try await body(LarderFixture(stores: stores, redis: redis))
                            }
                        }
                    }
                }
            }
        }
    }

    /// The source login's way into the same database.
    private static func sourceConfiguration(_ database: PostgresConfiguration) throws -> PostgresConfiguration {
        guard let url = ProcessInfo.processInfo.environment[sourceVariable] else {
            throw LarderError(
                .configurationInvalid, "\(sourceVariable) is not set: run dev/test, or eval \"$(dev/stack env)\" first")
        }
        var source = try PostgresConfiguration(url: url, applicationName: "larder-tests-source")
        source.database = database.database
        return source
    }

    // MARK: Definitions

    @discardableResult
    func apply(_ yaml: String, allowRemovals: Bool = false) async throws -> Plan {
        let definition = try DefinitionLoader.load(files: [(path: "test.yaml", text: yaml)])
        return try await ApplyDefinitions(stores: stores).apply(definition, allowRemovals: allowRemovals)
    }

    func project(_ name: String = "test") async throws -> RegisteredProject {
        try await stores.project(named: name)
    }

    // MARK: Data

    @discardableResult
    func ingest(
        _ source: String, _ text: String, format: FrameFormat = .csv, null: String? = nil
    ) async throws -> WriteReport {
        try await withTemporaryFile(text) { path in
            try await IngestRows(stores: stores).run(
                .init(source: source, path: path, format: format, nullSpelling: null), in: try await project())
        }
    }

    @discardableResult
    func materialize(
        _ views: [String] = [], bounds: EventTimeBounds = .none, isFull: Bool = false,
        stages: Set<MaterializationStage> = [.offline]
    ) async throws -> [MaterializeViews.ViewResult] {
        let results = try await MaterializeViews(stores: stores).run(
            .init(views: views, bounds: bounds, isFull: isFull, stages: stages), in: try await project())
        if let failure = results.failure { throw failure }
        return results
    }

    /// The lines of a training set made of CSV, written as CSV.
    func trainingSet(
        spine: String, _ references: [String], options: TrainingSetOptions = TrainingSetOptions()
    ) async throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString).csv").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await withTemporaryFile(spine) { spinePath in
            _ = try await CreateTrainingSet(stores: stores).run(
                .init(
                    trainingSet: .init(features: .references(references), options: options),
                    spine: .file(path: spinePath, .csv), outputPath: path, outputFormat: .csv),
                in: try await project())
        }
        return try String(contentsOfFile: path, encoding: .utf8).split(whereSeparator: \.isNewline).map(String.init)
    }

    func withTemporaryFile<T>(_ text: String, _ body: (String) async throws -> T) async throws -> T {
        let path = FileManager.default.temporaryDirectory.appending(path: "in-\(UUID().uuidString)").path()
        try Data(text.utf8).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    /// One value of a statement run as the owner.
    func value<T: PostgresDecodable & Sendable>(_ query: PostgresQuery, as type: T.Type = T.self) async throws -> T {
        try await stores.owner.withConnection { try await $0.query(query).onlyValue(as: type) }
    }
}

/// The code of the `LarderError` that `body` throws.
func thrownError(_ body: () async throws -> Void) async throws -> LarderError {
    do {
        try await body()
    } catch {
        return LarderError(translating: error)
    }
    throw LarderError(.internalError, "nothing was thrown")
}
