extension PostgresConnection {
    /// Runs one statement and returns its rows, all of them in memory. For bulk use COPY.
    ///
    /// - Parameter timeout: how long the call may take, counted from when the connection takes it up. Defaults to the
    ///   configuration's `statementTimeout` with a margin, or no limit without one.
    /// - Throws: `PostgresError`. After `timeout` and `cancelled`, a statement outside a transaction may have
    ///   taken effect or not.
    @discardableResult
    public func query(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> PostgresRows {
        let result = try await run(query, timeout: timeout, site: CallSite(file: file, line: line))
        return PostgresRows(result)
    }

    /// Runs one statement and returns how many rows it affected; 0 for statements that count none.
    ///
    /// - Parameter timeout: as for `query`.
    @discardableResult
    public func execute(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> Int {
        try await run(query, timeout: timeout, site: CallSite(file: file, line: line))?.affectedRowCount ?? 0
    }

    /// Runs a script of several statements, without parameters. Unless it says `BEGIN` itself, the script is one
    /// implicit transaction.
    ///
    /// - Throws: `PostgresError`; `position` counts within the whole script.
    public func executeScript(
        _ sql: String, timeout: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) {
        let site = CallSite(file: file, line: line)
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.invalidQuery, "SQL text holds a NUL character").issued(at: site)
        }
        try await perform(Call(site: site, sql: sql, timeout: timeout)) { (libpq, wait) throws(PostgresError) in
            try libpq.sendScript(sql)
            _ = try wait.lastResult(of: libpq)
        }
    }

    /// Has the server analyse a statement without running it.
    public func describe(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> PostgresStatementDescription {
        let site = CallSite(file: file, line: line)
        let sql = try validated(query, at: site)
        let call = Call(site: site, sql: sql, timeout: timeout)
        return try await perform(call) { (libpq, wait) throws(PostgresError) in
            try libpq.sendPrepare(sql, types: query.binds.types)
            _ = try wait.lastResult(of: libpq)
            try libpq.sendDescribeUnnamed()
            guard let result = try wait.lastResult(of: libpq) else {
                throw PostgresError(.protocolViolation, "no description arrived")
            }
            return PostgresStatementDescription(
                columns: (0..<result.columnCount).map { result.column($0) },
                parameterTypes: (0..<result.parameterCount).map { result.parameterType($0) })
        }
    }

    func run(
        _ query: PostgresQuery, timeout: Duration?, site: CallSite, isCancellable: Bool = true
    ) async throws(PostgresError) -> LibpqResult? {
        let sql = try validated(query, at: site)
        let call = Call(site: site, sql: sql, timeout: timeout, isCancellable: isCancellable)
        return try await perform(call) { (libpq, wait) throws(PostgresError) in
            try libpq.send(sql, binds: query.binds)
            return try wait.lastResult(of: libpq)
        }
    }

    func validated(_ query: PostgresQuery, at site: CallSite) throws(PostgresError) -> String {
        do {
            return try query.validated()
        } catch {
            throw error.issued(at: site)
        }
    }
}

/// What a statement takes and returns.
public struct PostgresStatementDescription: Sendable, Hashable {
    /// The columns of the result; empty for statements that return no rows.
    public var columns: [PostgresColumn]
    public var parameterTypes: [PostgresType]
}
