public import FeatureDefinitions
import FeatureModel
public import Logging
public import PostgresClient
public import RedisClient
import Registry

/// What the use cases work on: three ways into PostgreSQL, by the rights each needs, and Redis.
public struct Stores: Sendable {
    /// The login that owns Larder's tables: migrates, applies.
    public let owner: PostgresPool
    /// The same login under the writer's role: moves data, changes no table.
    public let writer: PostgresPool
    /// The login that can read sources and nothing else.
    public let source: PostgresPool
    /// The name of the source login, which `apply` grants the sources to.
    public let sourceLogin: String
    public let redis: RedisClient
    public let logger: Logger
    /// Recorded in the ledger and the audit.
    public let actor: String
    let pendingPublications = PendingPublications()

    public init(
        owner: PostgresPool, writer: PostgresPool, source: PostgresPool, sourceLogin: String, redis: RedisClient,
        logger: Logger, actor: String
    ) {
        self.owner = owner
        self.writer = writer
        self.source = source
        self.sourceLogin = sourceLogin
        self.redis = redis
        self.logger = logger
        self.actor = actor
    }

    /// The newest revision of a project.
    /// - Throws: `LarderError` `project_not_found` with the nearest name.
    public func project(named name: String) async throws -> RegisteredProject {
        try await writer.withConnection { connection in
            if let project = try await RegistryStore().project(named: name, on: connection) { return project }
            let names = try await RegistryStore().projects(on: connection).map(\.name)
            let nearest = NameRule.nearest(to: name, in: names).map { "did you mean \"\($0)\"?" }
            throw LarderError(
                .projectNotFound, "there is no project \"\(name)\"",
                hint: nearest
                    ?? (names.isEmpty
                        ? "apply definitions first: larder apply DIR" : "projects: \(names.joined(separator: ", "))"))
        }
    }

    /// The newest revision of a project, out of a snapshot that has it: one short statement instead of reading it whole.
    /// - Throws: `LarderError` `project_not_found` with the nearest name.
    public func project(named name: String, in snapshot: ServingSnapshot?) async throws -> RegisteredProject {
        if let known = snapshot?.projects[name]?.project {
            let revision = try await writer.withConnection { connection in
                try await RegistryStore().revision(ofProject: known.id, on: connection)
            }
            if revision == known.revision { return known }
        }
        return try await project(named: name)
    }

    /// The project named, or the only one there is.
    /// - Throws: `LarderError` `project_not_found` when that is not one.
    public func project(namedOrOnly name: String?) async throws -> RegisteredProject {
        if let name { return try await project(named: name) }
        let projects = try await writer.withConnection { try await RegistryStore().projects(on: $0) }
        if projects.count == 1 { return projects[0] }
        throw LarderError(
            .projectNotFound, projects.isEmpty ? "there is no project" : "there are \(projects.count) projects",
            hint: projects.isEmpty
                ? "apply definitions first: larder apply DIR"
                : "say --project with one of \(projects.map(\.name).joined(separator: ", "))")
    }
}
