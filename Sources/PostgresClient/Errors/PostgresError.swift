/// Everything that can go wrong between a caller and PostgreSQL.
///
/// Three texts, for three audiences: `description` is safe in a response or a log line (no values, no SQL),
/// `debugDescription` holds all that is known, and `metricLabel` is drawn from a bounded set.
public struct PostgresError: Error, Sendable {
    /// The kind of failure. More kinds may be added; always keep a `default` when switching.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        private init(_ description: String) {
            self.description = description
        }

        /// The server could not be reached, or refused the session.
        public static let connectionFailed = Code("connection_failed")
        /// An open connection broke, or was closed by the server. The fate of the statement in flight is not known.
        public static let connectionLost = Code("connection_lost")
        /// The caller closed the connection before the call.
        public static let connectionClosed = Code("connection_closed")
        /// The connection is inside a COPY or another task's transaction, and takes no other statement until it ends.
        public static let connectionBusy = Code("connection_busy")
        /// The deadline passed. The statement was stopped, or the connection closed.
        public static let timeout = Code("timeout")
        /// The calling task was cancelled. The statement was stopped, or the connection closed.
        public static let cancelled = Code("cancelled")
        /// PostgreSQL answered with an error; see `sqlState`.
        public static let server = Code("server")
        /// COMMIT was answered with a rollback, because an earlier statement of the transaction had failed.
        public static let transactionAborted = Code("transaction_aborted")
        /// The connection broke during COMMIT: the transaction may be in force or not.
        public static let commitOutcomeUnknown = Code("commit_outcome_unknown")
        /// The server sent what the protocol does not allow here.
        public static let protocolViolation = Code("protocol_violation")
        /// Every connection is taken and the queue of waiting callers is full.
        public static let poolExhausted = Code("pool_exhausted")
        /// No connection came free within the lease deadline.
        public static let poolDeadline = Code("pool_deadline")
        /// Connecting failed repeatedly; new requests fail at once until a retry is due.
        public static let poolUnavailable = Code("pool_unavailable")
        /// The pool has been shut down.
        public static let poolShutDown = Code("pool_shut_down")
        /// The connection string or a setting is wrong.
        public static let invalidConfiguration = Code("invalid_configuration")
        /// The call cannot be made this way: a parameter in a COPY, a NUL in a string, an identifier that is too long.
        public static let invalidQuery = Code("invalid_query")
        /// A value from the server does not fit the requested type.
        public static let decoding = Code("decoding")
    }

    public var code: Code
    /// What happened: short, lower case, without a final period.
    public var message: String
    public var sqlState: SQLState?
    /// Facts in full sentences. May quote values of rows.
    public var detail: String?
    /// One thing to try.
    public var hint: String?
    /// Where in the SQL text the server points, in characters from 1.
    public var position: Int?
    public var constraintName: String?
    public var schemaName: String?
    public var tableName: String?
    public var columnName: String?
    /// The call stack within the server (`CONTEXT`).
    public var context: String?
    /// The text of the statement, without the values bound to it.
    public var sql: String?
    /// Where the statement was issued.
    public var file: String?
    public var line: Int?

    public init(
        _ code: Code, _ message: String, sqlState: SQLState? = nil, detail: String? = nil, hint: String? = nil,
        sql: String? = nil
    ) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.detail = detail
        self.hint = hint
        self.sql = sql
    }

    /// A bounded text for metric labels. Never put values or names in here.
    public var metricLabel: String {
        sqlState.map { "\(code.description)_\($0.errorClass)" } ?? code.description
    }

    /// Whether running the same transaction again from its start may succeed.
    public var isRetryable: Bool {
        switch code {
        case .connectionFailed, .poolExhausted, .poolDeadline, .poolUnavailable: true
        case .server, .connectionLost: sqlState?.isRetryable ?? (code == .connectionLost)
        default: false
        }
    }

    /// Whether connecting again with the same configuration would fail again.
    public var isPermanentConnectFailure: Bool {
        if code == .invalidConfiguration { return true }
        guard let sqlState else { return false }
        return sqlState.isAuthenticationFailure || sqlState == .databaseDoesNotExist
    }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The failure without values of rows: data exceptions quote the value in their message, details and contexts do too.
    public var description: String {
        var text = code == .server ? "" : "\(code.description): "
        if let sqlState, sqlState.isDataException {
            text += "a value was refused"
        } else {
            text += message
        }
        if let sqlState { text += " (SQLSTATE \(sqlState))" }
        return text
    }

    public var debugDescription: String {
        var text = "PostgresError \(code.description): \(message)"
        func add(_ name: String, _ value: (some CustomStringConvertible)?) {
            if let value { text += "; \(name): \(value)" }
        }
        add("sqlstate", sqlState)
        add("detail", detail)
        add("hint", hint)
        add("position", position)
        add("schema", schemaName)
        add("table", tableName)
        add("column", columnName)
        add("constraint", constraintName)
        add("context", context)
        add("sql", sql)
        if let file, let line { text += "; at \(file):\(line)" }
        return text
    }
}

/// Where a public call was made, kept for error reports.
struct CallSite: Sendable {
    var file: String
    var line: Int
}

extension PostgresError {
    /// The same error with the statement and the place it was issued from, where these are not known yet.
    func issued(at site: CallSite, sql: String? = nil) -> PostgresError {
        var copy = self
        copy.file = copy.file ?? site.file
        copy.line = copy.line ?? site.line
        copy.sql = copy.sql ?? sql
        return copy
    }
}
