import Foundation
public import PostgresClient

/// Private databases for tests, on the server that the environment names.
///
/// Each call of `withDatabase` has a database of its own, so that tests run side by side and leave nothing behind.
public struct PostgresTestDatabase: Sendable {
    /// The variable with the URL of a server that tests may create and drop databases on.
    public static let urlVariable = "LARDER_POSTGRES_URL"

    private let template: Template?

    /// Databases that start empty.
    public static let empty = PostgresTestDatabase(template: nil)

    /// Databases that start as copies of a template, which `prepare` fills once per process.
    ///
    /// `prepare` must have closed its connections when it returns: a database in use cannot be copied.
    public init(template name: String, prepare: @escaping @Sendable (PostgresConfiguration) async throws -> Void) {
        self.template = Template(name: name, prepare: prepare)
    }

    private init(template: Template?) {
        self.template = template
    }

    /// Runs `body` with a database of its own, and drops it afterwards. When `body` throws, the database's name is printed.
    @discardableResult
    public func withDatabase<T>(_ body: (PostgresConfiguration) async throws -> T) async throws -> T {
        let server = try Self.serverConfiguration()
        return try await Self.withDatabase(from: try await template?.databaseName(on: server), on: server, body)
    }

    /// Runs `body` with a copy of a database, to which nobody may be connected, and drops the copy afterwards.
    @discardableResult
    public static func withCopy<T>(
        of original: PostgresConfiguration, _ body: (PostgresConfiguration) async throws -> T
    ) async throws -> T {
        try await withDatabase(from: original.database, on: try serverConfiguration(), body)
    }

    private static func withDatabase<T>(
        from source: String?, on server: PostgresConfiguration, _ body: (PostgresConfiguration) async throws -> T
    ) async throws -> T {
        let name = uniqueName("larder_test")
        try await create(name, from: source, on: server)
        var configuration = server
        configuration.database = name
        do {
            let result = try await body(configuration)
            try await drop(name, on: server)
            return result
        } catch {
            print("test failed in database \(name) (dropped): \(String(reflecting: error))")
            try await drop(name, on: server)
            throw error
        }
    }

    /// The server that tests use.
    ///
    /// - Throws: when the variable is missing, or leads anywhere but to this machine.
    public static func serverConfiguration() throws -> PostgresConfiguration {
        guard let url = ProcessInfo.processInfo.environment[urlVariable], !url.isEmpty else {
            throw PostgresTestError(
                "\(urlVariable) is not set: run dev/test, or eval \"$(dev/stack env)\" in this shell first")
        }
        let configuration = try PostgresConfiguration(url: url, applicationName: "larder-tests")
        try requireLocal(configuration)
        return configuration
    }

    /// Tests drop databases: they keep to this machine.
    static func requireLocal(_ configuration: PostgresConfiguration) throws {
        let hosts = [configuration.hostAddress ?? configuration.host ?? "/"]
        for host in hosts.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            let isSocket = host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@")
            let isLoopback = host == "localhost" || host == "::1" || host.hasPrefix("127.")
            guard isSocket || isLoopback else {
                throw PostgresTestError("\(urlVariable) leads to \(host): tests run against this machine only")
            }
        }
    }

    static func uniqueName(_ prefix: String) -> String {
        let random = String(UInt32.random(in: .min ... .max), radix: 36)
        return "\(prefix)_\(ProcessInfo.processInfo.processIdentifier)_\(random)"
    }

    static func create(_ name: String, from source: String?, on server: PostgresConfiguration) async throws {
        try await withServer(server) { (connection) in
            var statement: PostgresQuery = "CREATE DATABASE \(identifier: name)"
            if let source { statement += " TEMPLATE \(identifier: source)" }
            try await connection.execute(statement, timeout: .seconds(60))
        }
    }

    static func drop(_ name: String, on server: PostgresConfiguration) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        try await withServer(server) { (connection) in
            while true {
                do {
                    try await connection.execute(
                        "DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)", timeout: .seconds(60))
                    return
                } catch let error as PostgresError
                    where error.sqlState == .insufficientPrivilege && ContinuousClock.now < deadline
                {
                    // A session of another login, or a vacuum, which this login may not end, is about to end by itself.
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
        }
    }

    @discardableResult
    static func withServer<T>(
        _ server: PostgresConfiguration, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let connection = try await PostgresConnection.connect(server)
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}

/// Runs `body` with an empty database of its own, and drops it afterwards.
@discardableResult
public func withDatabase<T>(_ body: (PostgresConfiguration) async throws -> T) async throws -> T {
    try await PostgresTestDatabase.empty.withDatabase(body)
}

/// What a test cannot do without.
public struct PostgresTestError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A database that others are copied from, made by the first who asks while the others wait.
private actor Template {
    private let name: String
    private let prepare: @Sendable (PostgresConfiguration) async throws -> Void
    private var making: Task<String, any Error>?

    init(name: String, prepare: @escaping @Sendable (PostgresConfiguration) async throws -> Void) {
        self.name = name
        self.prepare = prepare
    }

    func databaseName(on server: PostgresConfiguration) async throws -> String {
        if let making { return try await making.value }
        let making = Task { [name, prepare] in
            try await Self.dropLeftovers(name, on: server)
            let database = PostgresTestDatabase.uniqueName("larder_template_\(name)")
            try await PostgresTestDatabase.create(database, from: nil, on: server)
            var configuration = server
            configuration.database = database
            try await prepare(configuration)
            return database
        }
        self.making = making
        return try await making.value
    }

    /// Templates of processes that have ended: nobody drops a template while its process may still copy it.
    private static func dropLeftovers(_ name: String, on server: PostgresConfiguration) async throws {
        let prefix = "larder_template_\(name)_"
        try await PostgresTestDatabase.withServer(server) { (connection) in
            let names = try await connection.query(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, \(prefix))")
            for row in names {
                let database = try row.decode(at: 0, as: String.self)
                let owner = database.dropFirst(prefix.count).split(separator: "_").first.flatMap { Int32($0) }
                guard let owner, kill(owner, 0) != 0, errno == ESRCH else { continue }
                try await connection.execute("DROP DATABASE IF EXISTS \(identifier: database) WITH (FORCE)")
            }
        }
    }
}
