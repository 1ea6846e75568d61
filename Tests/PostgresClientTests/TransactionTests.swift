import PostgresClient
import TestSupport
import Testing

@Suite struct TransactionTests {
    private struct Abandoned: Error {}

    private func withTable(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE public.t (a int8 UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            try await body(connection)
        }
    }

    private func rowCount(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("SELECT count(*) FROM public.t").onlyValue()
    }

    @Test func returningCommits() async throws {
        try await withTable { (connection) async throws in
            let value = try await connection.transaction { (connection) async throws in
                try await connection.execute("INSERT INTO public.t VALUES (1)")
                return "result"
            }
            #expect(value == "result")
            #expect(try await rowCount(connection) == 1)
        }
    }

    @Test func throwingRollsBackAndPassesTheErrorOn() async throws {
        try await withTable { (connection) async throws in
            await #expect(throws: Abandoned.self) {
                try await connection.transaction { (connection) async throws in
                    try await connection.execute("INSERT INTO public.t VALUES (1)")
                    throw Abandoned()
                }
            }
            #expect(try await rowCount(connection) == 0)
            // Outside a transaction again: nothing is open.
            #expect(try await connection.transaction { try await rowCount($0) } == 0)
        }
    }

    @Test func cancellationRollsBackAndTheConnectionStaysUsable() async throws {
        try await withTable { (connection) async throws in
            let task = Task {
                try await connection.transaction { (connection) async throws in
                    try await connection.execute("INSERT INTO public.t VALUES (1)")
                    try await connection.query("SELECT pg_sleep(60)")
                }
            }
            try await Task.sleep(for: .milliseconds(200))
            task.cancel()
            let failure = await postgresError { try await task.value }
            #expect(failure?.code == .cancelled)
            #expect(!connection.isBroken)
            #expect(try await rowCount(connection) == 0)
        }
    }

    @Test func cancellationBetweenStatementsRollsBackToo() async throws {
        try await withTable { (connection) async throws in
            let task = Task {
                try await connection.transaction { (connection) async throws in
                    try await connection.execute("INSERT INTO public.t VALUES (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            #expect(await postgresError { try await task.value }?.code == .cancelled)
            #expect(try await rowCount(connection) == 0)
        }
    }

    @Test func commitOfAFailedTransactionIsAnError() async throws {
        try await withTable { (connection) async throws in
            let failure = await postgresError {
                try await connection.transaction { (connection) async throws in
                    try await connection.execute("INSERT INTO public.t VALUES (1)")
                    _ = await postgresError { try await connection.query("SELECT 1/0") }
                }
            }
            #expect(failure?.code == .transactionAborted)
            #expect(try await rowCount(connection) == 0)
        }
    }

    @Test func errorsOfTheCommitItselfArePassedOn() async throws {
        try await withTable { (connection) async throws in
            let failure = await postgresError {
                _ = try await connection.transaction { (connection) async throws in
                    try await connection.execute("INSERT INTO public.t VALUES (1), (1)")
                }
            }
            #expect(failure?.sqlState == .uniqueViolation)
            #expect(try await rowCount(connection) == 0)
        }
    }

    @Test func statementsOfOtherTasksAreRefusedWhileATransactionIsOpen() async throws {
        try await withTable { (connection) async throws in
            let outsider = AsyncStream<Void>.makeStream()
            let stranger = Task {
                for await _ in outsider.stream {}
                return await postgresError { try await connection.query("SELECT 1") }?.code
            }
            try await connection.transaction { (connection) async throws in
                outsider.continuation.finish()
                #expect(await stranger.value == .connectionBusy)
                // A child task belongs to the transaction.
                async let inside = connection.query("SELECT 1").onlyValue(as: Int.self)
                #expect(try await inside == 1)
                let nested = await postgresError { try await connection.transaction { _ in } }
                #expect(nested?.code == .connectionBusy)
            }
            #expect(try await connection.query("SELECT 1").count == 1)
        }
    }

    @Test func readOnlyAndIsolationReachTheServer() async throws {
        try await withTable { (connection) async throws in
            let failure = await postgresError {
                _ = try await connection.transaction(readOnly: true) { (connection) async throws in
                    try await connection.execute("INSERT INTO public.t VALUES (1)")
                }
            }
            #expect(failure?.sqlState == .readOnlyTransaction)
            for (isolation, name) in [
                (PostgresIsolation.readCommitted, "read committed"), (.repeatableRead, "repeatable read"),
                (.serializable, "serializable"),
            ] {
                let level = try await connection.transaction(isolation: isolation) { (connection) async throws in
                    try await connection.query("SELECT current_setting('transaction_isolation')").onlyValue(
                        as: String.self)
                }
                #expect(level == name)
            }
        }
    }

    @Test func transactionsOnTwoConnectionsMayNest() async throws {
        try await withDatabase { (configuration) async throws in
            try await connected(to: configuration) { (outer) async throws in
                try await connected(to: configuration) { (inner) async throws in
                    try await outer.transaction { (outer) async throws in
                        try await inner.transaction { (inner) async throws in
                            #expect(try await inner.query("SELECT 1").count == 1)
                            #expect(try await outer.query("SELECT 1").count == 1)
                        }
                        #expect(try await outer.query("SELECT 1").count == 1)
                    }
                }
            }
        }
    }
}
