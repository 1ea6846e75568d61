import Synchronization

/// How far a transaction is kept apart from others that run at the same time.
public enum PostgresIsolation: Sendable, Hashable {
    case readCommitted
    case repeatableRead
    case serializable

    fileprivate var sql: PostgresQuery {
        switch self {
        case .readCommitted: "READ COMMITTED"
        case .repeatableRead: "REPEATABLE READ"
        case .serializable: "SERIALIZABLE"
        }
    }
}

/// Marks one transaction, so that statements of tasks which do not belong to it are refused while it is open.
struct TransactionToken: Hashable, Sendable {
    /// The transactions that the running task is within; one for each connection it uses.
    @TaskLocal static var current: [TransactionToken] = []

    private static let next = Atomic<Int>(0)
    private let number = next.add(1, ordering: .relaxed).oldValue
}

extension PostgresConnection {
    /// Runs `body` in a transaction, which is committed when `body` returns and rolled back when it throws or when the task is
    /// cancelled. In no case is a transaction left open: if rolling back fails, the connection is closed.
    ///
    /// The connection takes statements only from `body` and its child tasks meanwhile.
    ///
    /// - Throws: what `body` throws, or `PostgresError`: `transactionAborted` when `body` passed over a failed statement,
    ///   `commitOutcomeUnknown` when the connection broke during COMMIT, `connectionBusy` when a transaction is open.
    public nonisolated func transaction<T>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false, file: String = #fileID,
        line: Int = #line, _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        let site = CallSite(file: file, line: line)
        let token = TransactionToken()
        return try await TransactionToken.$current.withValue(TransactionToken.current + [token]) {
            try await begin(token, isolation: isolation, readOnly: readOnly, site: site)
            do {
                let result = try await body(self)
                try await commit(site: site)
                return result
            } catch {
                await rollBack()
                throw error
            }
        }
    }

    private func begin(
        _ token: TransactionToken, isolation: PostgresIsolation, readOnly: Bool, site: CallSite
    ) async throws(PostgresError) {
        guard openTransaction == nil, transactionStatus != .inTransaction, transactionStatus != .inFailedTransaction
        else {
            throw PostgresError(.connectionBusy, "a transaction is open on this connection").issued(at: site)
        }
        let access: PostgresQuery = readOnly ? "READ ONLY" : "READ WRITE"
        let begin: PostgresQuery = "BEGIN ISOLATION LEVEL \(query: isolation.sql) \(query: access)"
        do {
            _ = try await run(begin, timeout: nil, site: site)
        } catch {
            // A BEGIN that was cut short may still have been carried out.
            await rollBack()
            throw error
        }
        openTransaction = token
    }

    private func commit(site: CallSite) async throws(PostgresError) {
        guard !Task.isCancelled else {
            throw PostgresError(.cancelled, "the task was cancelled before COMMIT").issued(at: site)
        }
        do throws(PostgresError) {
            let timeout = configuration.statementTimeout ?? Limits.commitDeadline
            let result = try await run("COMMIT", timeout: timeout, site: site, isCancellable: false)
            openTransaction = nil
            guard result?.commandTag == "COMMIT" else {
                throw PostgresError(
                    .transactionAborted, "the transaction was rolled back, because one of its statements had failed"
                ).issued(at: site)
            }
        } catch {
            throw error.code == .connectionLost || error.code == .timeout ? error.recoded(.commitOutcomeUnknown) : error
        }
    }

    /// Leaves any transaction and any COPY, or ends the session.
    func rollBack() async {
        if activity != .none { abandonActivity() }
        defer { openTransaction = nil }
        switch transactionStatus {
        case .idle, .unknown: return
        case .active, .inTransaction, .inFailedTransaction: break
        }
        do {
            let site = CallSite(file: #fileID, line: #line)
            _ = try await run("ROLLBACK", timeout: Limits.rollbackDeadline, site: site, isCancellable: false)
        } catch {
            giveUp(error)
        }
    }
}
