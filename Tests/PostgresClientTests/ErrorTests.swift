import PostgresClient
import TestSupport
import Testing

@Suite struct ErrorTests {
    @Test func serverErrorsCarryTheirFieldsAndTheCallSite() async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute(
                "CREATE TABLE public.t (a int8 CONSTRAINT a_positive CHECK (a > 0), b text UNIQUE NOT NULL)")
            let check = await postgresError { try await connection.execute("INSERT INTO public.t VALUES (-77, 'x')") }
            #expect(check?.sqlState == .checkViolation)
            #expect(check?.sqlState?.isIntegrityConstraintViolation == true)
            #expect(check?.constraintName == "a_positive")
            #expect(check?.tableName == "t" && check?.schemaName == "public")
            #expect(check?.file?.hasSuffix("ErrorTests.swift") == true)
            let null = await postgresError { try await connection.execute("INSERT INTO public.t VALUES (1, NULL)") }
            #expect(null?.sqlState == .notNullViolation && null?.columnName == "b")
            let syntax = await postgresError { try await connection.query("SELECT FROM WHERE") }
            #expect(syntax?.sqlState == .syntaxError && syntax?.position == 13)
            let missing = await postgresError { try await connection.query("SELECT uper('a')") }
            #expect(missing?.sqlState == .undefinedFunction && missing?.hint != nil)
            #expect(try await connection.query("SELECT 1").count == 1)
        }
    }

    @Test func serversThatTakeNoWritesAreTold() async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute("CREATE SEQUENCE public.s")
            try await connection.execute("SET default_transaction_read_only = on")
            let refused = await postgresError { try await connection.query("SELECT nextval('public.s')") }
            #expect(refused?.sqlState == .readOnlyTransaction && refused?.obstacle == .readOnly)
            let mistaken = await postgresError { try await connection.query("SELECT FROM WHERE") }
            #expect(mistaken?.sqlState == .syntaxError && mistaken?.obstacle == nil)
        }
    }

    @Test func descriptionsHoldNoValuesAndDebugDescriptionsAll() async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE public.t (a text UNIQUE)")
            try await connection.execute("INSERT INTO public.t VALUES ('secret-1')")
            let duplicate = await postgresError {
                try await connection.execute("INSERT INTO public.t VALUES (\("secret-1"))")
            }
            let malformed = await postgresError { try await connection.query("SELECT \("secret-2")::int8") }
            for (failure, secret) in [(duplicate, "secret-1"), (malformed, "secret-2")] {
                let failure = try #require(failure)
                #expect(!"\(failure)".contains("secret"))
                #expect(!failure.metricLabel.contains("secret"))
                #expect(failure.debugDescription.contains(secret))
            }
            #expect(duplicate?.metricLabel == "server_23")
        }
    }

    @Test func passwordsNeverShow() throws {
        let configuration = try PostgresConfiguration(url: "postgres://ann:hunter2@localhost:5433/shop?sslmode=prefer")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("ann@localhost:5433/shop"))
        }
        for broken in ["postgres://ann:hunter2%zz@localhost", "host=x password=hunter2 nonsense=1", "hunter2", ""] {
            do {
                _ = try PostgresConfiguration(url: broken)
                Issue.record("\(broken) was accepted")
            } catch {
                #expect(error.code == .invalidConfiguration)
                #expect(!error.debugDescription.contains("hunter2"))
            }
        }
    }

    @Test func bothFormsOfConnectionStringsAreRead() throws {
        let url = try PostgresConfiguration(url: "postgresql://u@/db?host=/run/pg&port=6543&application_name=mine")
        #expect(url.host == "/run/pg" && url.port == 6_543 && url.database == "db" && url.applicationName == "mine")
        var pairs = try PostgresConfiguration(url: "host=h user=u dbname='my db'")
        #expect(pairs.host == "h" && pairs.database == "my db" && pairs.applicationName == "larder")
        pairs.database = "other"
        #expect(pairs.database == "other")
    }

    @Test(arguments: [
        "postgresql://u:SEC/RET@127.0.0.1/db", "postgresql://u:SEC@RET@127.0.0.1/db", "host=SEC@RET", "port=SEC",
        "port=70000",
    ])
    func piecesOfPasswordsAreNotTakenForHostsOrPorts(_ url: String) throws {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(url: url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error.map { "\($0)" }?.contains("SEC") == false && error.map { "\($0)" }?.contains("RET") == false)
    }

    @Test func longMessagesAreCut() async throws {
        try await withConnection { (connection) async throws in
            let error = await postgresError {
                try await connection.execute("SELECT repeat('x', 1000000)::int8")
            }
            let message = try #require(error?.message)
            #expect(message.hasPrefix("invalid input syntax") && message.utf8.count < 5_000)
        }
    }

    @Test func failedConnectsSayWhy() async throws {
        let server = try PostgresTestDatabase.serverConfiguration()
        var missing = server
        missing.database = "no_such_database"
        let refused = await postgresError { _ = try await PostgresConnection.connect(missing) }
        #expect(refused?.code == .connectionFailed)
        #expect(refused?.sqlState == .databaseDoesNotExist)
        var elsewhere = server
        elsewhere.host = "127.0.0.1"
        elsewhere.port = 1
        let unreachable = await postgresError { _ = try await PostgresConnection.connect(elsewhere) }
        #expect(unreachable?.code == .connectionFailed && unreachable?.sqlState == nil)
        var wrong = server
        wrong.sessionSettings = [("role", "no_such_role")]
        #expect(await postgresError { _ = try await PostgresConnection.connect(wrong) }?.code == .connectionFailed)
        wrong.sessionSettings = [("role = x -c y", "z")]
        #expect(await postgresError { _ = try await PostgresConnection.connect(wrong) }?.code == .invalidConfiguration)
    }
}
