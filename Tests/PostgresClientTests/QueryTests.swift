import PostgresClient
import TestSupport
import Testing

@Suite struct QueryTests {
    @Test func interpolationBindsAndNumbersParameters() {
        let query: PostgresQuery = "SELECT \(1), \("two") FROM \(identifier: "a b", "c\"d") WHERE x = \(3.0)"
        #expect(query.sql == #"SELECT $1, $2 FROM "a b"."c""d" WHERE x = $3"#)
    }

    @Test func splicingRenumbersTheParametersOfBothSides() async throws {
        let condition: PostgresQuery = "b = \(2) AND c = \("three")"
        let query: PostgresQuery =
            "SELECT \(1)::int8, t.* FROM (SELECT \(2)::int8 AS b, \("three") AS c) t WHERE \(query: condition)"
        #expect(query.sql.hasSuffix("WHERE b = $4 AND c = $5"))
        try await withConnection { (connection) async throws in
            #expect(try await connection.query(query).count == 1)
        }
        let list = [1, 2, 3].map { "\($0)" as PostgresQuery }.joined(separator: ", ")
        #expect(("IN (" + list + ")").sql == "IN ($1, $2, $3)")
    }

    @Test func literalsReadBackAsTheValueTheyWereMadeFrom() async throws {
        try await withConnection { (connection) async throws in
            for text in ["", "it's", "back\\slash", "\\'; DROP TABLE x; --", "'\u{301}", "ünï", "$1", "%s"] {
                #expect(try await connection.query("SELECT\(literal: text)::text").onlyValue(as: String.self) == text)
            }
            for number in [Int64.min, -1, 0, 1, .max] {
                #expect(
                    try await connection.query("SELECT (0::numeric-\(literal: number)) = -(\(number)::numeric)")
                        .onlyValue(as: Bool.self))
            }
            for number in [0.1, -0.0, 1e300, Double.leastNonzeroMagnitude, .infinity, -.infinity] {
                let read = try await connection.query("SELECT \(literal: number)").onlyValue(as: Double.self)
                #expect(read.bitPattern == number.bitPattern)
            }
            let rows = try await connection.query("SELECT \(literal: true), \(literal: [0, 171, 255] as [UInt8])")
            #expect(try rows[0].decode(at: 0, as: Bool.self))
            #expect(try rows[0].decode(at: 1, as: [UInt8].self) == [0, 171, 255])
        }
    }

    @Test func identifiersThatPostgresWouldCutAreRefused() async throws {
        try await withConnection { (connection) async throws in
            let longest = String(repeating: "é", count: 31) + "x"
            try await connection.execute(
                "CREATE TABLE \(identifier: "public", longest) (\(identifier: "\"odd\" näme") int)")
            let description = try await connection.describe("SELECT * FROM \(identifier: "public", longest)")
            #expect(description.columns.map { $0.name } == ["\"odd\" näme"])
            let tooLong = await postgresError { try await connection.query("SELECT 1 AS \(identifier: longest + "y")") }
            #expect(tooLong?.code == .invalidQuery)
            #expect(
                await postgresError { try await connection.query("SELECT 1 AS \(identifier: "")") }?.code
                    == .invalidQuery)
        }
    }

    @Test func executeCountsAffectedRows() async throws {
        try await withConnection { (connection) async throws in
            #expect(try await connection.execute("CREATE TABLE public.t (a int8)") == 0)
            #expect(try await connection.execute("INSERT INTO public.t SELECT generate_series(1, 10)") == 10)
            #expect(try await connection.execute("UPDATE public.t SET a = 0 WHERE a > \(4)") == 6)
            #expect(try await connection.execute("DELETE FROM public.t WHERE a = \(99)") == 0)
        }
    }

    @Test func describeTellsColumnsAndParametersAndRunsNothing() async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE public.t (a int8, b varchar(10), c timestamptz[])")
            let description = try await connection.describe("SELECT a, b, c FROM public.t WHERE a = \(1) AND b = $2")
            #expect(description.columns.map { $0.name } == ["a", "b", "c"])
            #expect(description.columns.map { $0.type } == [.int8, .varchar, .timestamptzArray])
            #expect(description.columns[1].typeModifier == 14)
            #expect(description.parameterTypes == [.int8, .text] || description.parameterTypes == [.int8, .varchar])
            let insertion = try await connection.describe("INSERT INTO public.t (a) VALUES (1)")
            #expect(insertion.columns.isEmpty)
            #expect(try await connection.query("SELECT count(*) FROM public.t").onlyValue(as: Int.self) == 0)
            #expect(
                try await connection.query("SELECT count(*) FROM pg_prepared_statements").onlyValue(as: Int.self) == 0)
            #expect(
                await postgresError { _ = try await connection.describe("SELECT nope") }?.sqlState == .undefinedColumn)
        }
    }

    @Test func scriptsRunAllStatementsOrNone() async throws {
        try await withConnection { (connection) async throws in
            try await connection.executeScript("CREATE TABLE public.a (x int); CREATE TABLE public.b (x int);")
            let failure = await postgresError {
                try await connection.executeScript(
                    "CREATE TABLE public.c (x int); SELECT 1/0; CREATE TABLE public.d (x int)")
            }
            #expect(failure?.sqlState == .divisionByZero)
            let names = try await connection.query(
                "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            #expect(try names.map { try $0.decode(at: 0, as: String.self) } == ["a", "b"])
            #expect(await postgresError { try await connection.query("SELECT 1; SELECT 2") }?.sqlState == .syntaxError)
        }
    }

    @Test func sessionsArePinnedToUTCAndAnEmptyPath() async throws {
        try await withDatabase { (configuration) async throws in
            var configuration = configuration
            let user = try #require(configuration.user)
            try await connected(to: configuration) { (connection) async throws in
                for (name, value) in [
                    ("TimeZone", "UTC"), ("DateStyle", "ISO, MDY"), ("search_path", "pg_catalog"),
                    ("client_encoding", "UTF8"),
                    ("statement_timeout", "0"), ("application_name", "larder-tests"),
                ] {
                    #expect(
                        try await connection.query("SELECT current_setting(\(name))").onlyValue(as: String.self)
                            == value)
                }
            }
            configuration.sessionSettings = [
                ("search_path", "public, pg_catalog"), ("role", user), ("a.b", "x \\ y'"),
            ]
            configuration.statementTimeout = .milliseconds(1_500)
            try await connected(to: configuration) { (connection) async throws in
                for (name, value) in [
                    ("search_path", "public, pg_catalog"), ("role", user), ("a.b", "x \\ y'"),
                    ("statement_timeout", "1500ms"),
                ] {
                    #expect(
                        try await connection.query("SELECT current_setting(\(name))").onlyValue(as: String.self)
                            == value)
                }
                #expect(
                    try await connection.query("SELECT current_user::text").onlyValue(as: String.self) == user)
            }
        }
    }
}
