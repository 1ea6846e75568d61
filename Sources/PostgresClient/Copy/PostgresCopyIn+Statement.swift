extension PostgresConnection {
    /// Copies a whole binary stream into a table and then runs a statement, both in one transaction of their own, which is
    /// committed when the call returns and rolled back when it throws.
    ///
    /// They go out as one message: two round trips, where single statements within a transaction take five.
    ///
    /// - Parameters:
    ///   - query: `COPY … FROM STDIN (FORMAT binary)`.
    ///   - stream: the rows between header and trailer.
    ///   - statement: without parameters.
    ///   - timeout: how long all of it may take.
    /// - Returns: how many rows `statement` affected.
    /// - Throws: `PostgresError`: of the COPY or of the statement; `commitOutcomeUnknown` when the connection broke or the
    ///   deadline passed once the stream had been sent; `connectionBusy` when a transaction is open.
    @discardableResult
    public func copyIn(
        _ query: PostgresQuery, _ stream: [UInt8], then statement: PostgresQuery, timeout: Duration? = nil,
        file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> Int {
        let site = CallSite(file: file, line: line)
        guard openTransaction == nil, transactionStatus != .inTransaction, transactionStatus != .inFailedTransaction
        else {
            throw PostgresError(.connectionBusy, "a transaction is open on this connection").issued(at: site)
        }
        // The simple protocol makes one transaction of what it is sent at once.
        let sql = try validatedCopy("\(query: query);\n\(query: statement)", at: site)
        var isSent = false
        do throws(PostgresError) {
            return try await perform(Call(site: site, sql: sql, timeout: timeout)) {
                (libpq, wait) throws(PostgresError) -> Int in
                _ = try startCopy(sql, expecting: .copyIn, of: libpq, wait)
                try sendCopyData(stream, through: libpq, wait)
                isSent = true
                while try !libpq.endCopy(failure: nil) { try wait.flush(libpq) }
                return try wait.lastResult(of: libpq)?.affectedRowCount ?? 0
            }
        } catch {
            let isInDoubt = isSent && (error.code == .connectionLost || error.code == .timeout)
            throw isInDoubt ? error.recoded(.commitOutcomeUnknown) : error
        }
    }
}
