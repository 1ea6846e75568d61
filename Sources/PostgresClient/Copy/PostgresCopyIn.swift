internal import Logging

/// Takes rows for a binary COPY into a table.
///
/// Nothing is in the table before `finish()` returns. Until `finish()` or `fail(_:)` the connection takes no other
/// statement; `withCopyIn` sees to that.
public struct PostgresCopyIn: Sendable {
    let connection: PostgresConnection
    let identifier: Int
    let call: PostgresConnection.Call
    /// The number of columns.
    public let columnCount: Int

    /// Sends bytes of a binary COPY stream, cut anywhere, such as `PostgresCopyEncoder.take()` returns. Comes back when the
    /// socket has taken them, so that at most one piece is in memory.
    ///
    /// The deadline given at the start counts anew for each piece.
    ///
    /// - Throws: `PostgresError`; the COPY is over then. Errors of rows show at `finish()`.
    public func write(_ bytes: [UInt8]) async throws(PostgresError) {
        try await connection.writeCopyData(bytes, to: self)
    }

    /// Ends the stream and returns the number of rows that were stored.
    ///
    /// - Throws: `PostgresError`, such as the first row's error; nothing is stored then.
    public func finish() async throws(PostgresError) -> Int {
        try await connection.finishCopyIn(self)
    }

    /// Has the server discard what was sent. Without effect once the COPY is over.
    public func fail(_ message: String) async {
        await connection.failCopyIn(self, message)
    }
}

extension PostgresConnection {
    /// Starts `COPY … FROM STDIN (FORMAT binary)`.
    ///
    /// - Parameter timeout: how long the start, each piece and the end may take.
    /// - Throws: `PostgresError`, with code `invalidQuery` for a statement that is not such a COPY.
    public func beginCopyIn(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> PostgresCopyIn {
        let site = CallSite(file: file, line: line)
        let sql = try validatedCopy(query, at: site)
        var call = Call(site: site, sql: sql, timeout: timeout)
        let identifier = makeCopyIdentifier()
        let columnCount = try await perform(call) { (libpq, wait) throws(PostgresError) in
            let start = try startCopy(sql, expecting: .copyIn, of: libpq, wait)
            activity = .copyIn(identifier)
            return start.columnCount
        }
        call.activity = .copyIn(identifier)
        return PostgresCopyIn(connection: self, identifier: identifier, call: call, columnCount: columnCount)
    }

    /// Runs `body` with a binary COPY to write to, then ends it, and returns the number of rows stored. When `body` throws,
    /// nothing is stored.
    public nonisolated func withCopyIn(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line,
        _ body: (PostgresCopyIn) async throws -> Void
    ) async throws -> Int {
        let copy = try await beginCopyIn(query, timeout: timeout, file: file, line: line)
        do {
            try await body(copy)
            return try await copy.finish()
        } catch {
            await copy.fail("abandoned")
            throw error
        }
    }

    fileprivate func writeCopyData(_ bytes: [UInt8], to copy: PostgresCopyIn) async throws(PostgresError) {
        try await performInCopy(copy) { (libpq, wait) throws(PostgresError) in
            try sendCopyData(bytes, through: libpq, wait)
        }
    }

    /// Sends bytes of a COPY under way, until the socket has taken them.
    func sendCopyData(
        _ bytes: [UInt8], through libpq: LibpqConnection, _ wait: StatementWait
    ) throws(PostgresError) {
        var offset = 0
        while offset < bytes.count {
            let end = min(offset + Limits.copyWriteSliceBytes, bytes.count)
            if try libpq.writeCopyData(unsafe bytes.span.bytes.extracting(offset..<end)) { offset = end }
            try wait.flush(libpq)
        }
    }

    fileprivate func finishCopyIn(_ copy: PostgresCopyIn) async throws(PostgresError) -> Int {
        try await performInCopy(copy) { (libpq, wait) throws(PostgresError) in
            while try !libpq.endCopy(failure: nil) { try wait.flush(libpq) }
            let result = try wait.lastResult(of: libpq)
            activity = .none
            return result?.affectedRowCount ?? 0
        }
    }

    fileprivate func failCopyIn(_ copy: PostgresCopyIn, _ message: String) async {
        do {
            try await performInCopy(copy) { (libpq, wait) throws(PostgresError) in
                while try !libpq.endCopy(failure: message) { try wait.flush(libpq) }
                _ = try wait.lastResult(of: libpq)
                activity = .none
            }
        } catch {
            // The server's answer to a failed COPY is the error that was asked for; anything else has ended the session.
            logger.trace("COPY abandoned", metadata: ["error": "\(error)"])
        }
    }

    private func performInCopy<R: Sendable>(
        _ copy: PostgresCopyIn, _ body: (LibpqConnection, StatementWait) throws(PostgresError) -> R
    ) async throws(PostgresError) -> R {
        try await perform(copy.call) { (libpq, wait) throws(PostgresError) in
            do throws(PostgresError) {
                return try body(libpq, wait)
            } catch {
                // An answer of the server ends the COPY. After any other error it is wound down with the call.
                if error.code == .server { activity = .none }
                throw error
            }
        }
    }
}
