import PostgresClient
import Synchronization
import Testing

@testable import TestSupport

@Suite struct TestDatabaseTests {
    @Test func templatesArePreparedOnceAndCopied() async throws {
        let preparations = Mutex(0)
        let databases = PostgresTestDatabase(template: "copied") { (configuration) async throws in
            preparations.withLock { $0 += 1 }
            try await connected(to: configuration) { (connection) async throws in
                try await connection.execute("CREATE TABLE public.t AS SELECT 7::int8 AS a")
            }
        }
        let names = try await withThrowingTaskGroup(of: String.self) { (group) in
            for _ in 0..<3 {
                group.addTask {
                    try await databases.withDatabase { (configuration) async throws in
                        try await connected(to: configuration) { (connection) async throws in
                            #expect(try await connection.query("SELECT a FROM public.t").onlyValue(as: Int.self) == 7)
                            try await connection.execute("DROP TABLE public.t")
                            return try #require(configuration.database)
                        }
                    }
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(names.count == 3)
        #expect(preparations.withLock { $0 } == 1)
        let left = try await connected(to: PostgresTestDatabase.serverConfiguration()) { (connection) async throws in
            try await connection.query("SELECT count(*) FROM pg_database WHERE datname = ANY(\(names.sorted()))")
                .onlyValue(as: Int.self)
        }
        #expect(left == 0)
    }

    @Test(arguments: [
        ("postgres://db.example.com/x", false), ("postgres://10.0.0.1/x", false),
        ("host=localhost,db.example.com", false),
        ("host=localhost hostaddr=10.0.0.1", false), ("postgres://127.0.0.1/x", true), ("postgres://localhost/x", true),
        ("postgres:///x?host=/run/pg", true), ("dbname=x", true),
    ])
    func onlyServersOnThisMachineAreUsed(url: String, isAccepted: Bool) throws {
        let configuration = try PostgresConfiguration(url: url)
        #expect(((try? PostgresTestDatabase.requireLocal(configuration)) != nil) == isAccepted)
    }
}
