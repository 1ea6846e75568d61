import Synchronization

/// Rows that the server sends through a binary COPY, taken chunk by chunk.
///
/// The server waits while no chunk is taken. Until the last chunk has been taken or `cancel()` was called, the connection takes
/// no other statement; `withCopyOut` sees to that.
public struct PostgresCopyOut: Sendable {
    let connection: PostgresConnection
    let identifier: Int
    let call: PostgresConnection.Call
    /// The number of columns.
    public let columnCount: Int

    /// The next chunk of whole rows, of some 256 KiB, or nil after the last.
    ///
    /// The deadline given at the start counts anew for each chunk, so that a slow consumer is not cut off.
    ///
    /// - Throws: `PostgresError`; the COPY is over then.
    public func next() async throws(PostgresError) -> PostgresCopyChunk? {
        try await connection.nextCopyChunk(self)
    }

    /// Stops the query in the server and makes the connection ready again. Without effect once the COPY is over.
    public func cancel() async {
        await connection.cancelCopyOut(self)
    }
}

extension PostgresConnection {
    private static let nextCopy = Atomic<Int>(0)

    func makeCopyIdentifier() -> Int {
        Self.nextCopy.add(1, ordering: .relaxed).oldValue
    }

    /// Starts `COPY … TO STDOUT (FORMAT binary)`.
    ///
    /// - Parameter timeout: how long the start, and then each chunk, may be waited for.
    /// - Throws: `PostgresError`, with code `invalidQuery` for a statement that is not such a COPY.
    public func beginCopyOut(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line
    ) async throws(PostgresError) -> PostgresCopyOut {
        let site = CallSite(file: file, line: line)
        let sql = try validatedCopy(query, at: site)
        var call = Call(site: site, sql: sql, timeout: timeout)
        let identifier = makeCopyIdentifier()
        let columnCount = try await perform(call) { (libpq, wait) throws(PostgresError) in
            let start = try startCopy(sql, expecting: .copyOut, of: libpq, wait)
            activity = .copyOut(identifier)
            return start.columnCount
        }
        call.activity = .copyOut(identifier)
        return PostgresCopyOut(connection: self, identifier: identifier, call: call, columnCount: columnCount)
    }

    /// Runs `body` with the rows of a binary COPY. What `body` leaves is cancelled.
    public nonisolated func withCopyOut<T>(
        _ query: PostgresQuery, timeout: Duration? = nil, file: String = #fileID, line: Int = #line,
        _ body: (PostgresCopyOut) async throws -> T
    ) async throws -> T {
        let copy = try await beginCopyOut(query, timeout: timeout, file: file, line: line)
        do {
            let result = try await body(copy)
            await copy.cancel()
            return result
        } catch {
            await copy.cancel()
            throw error
        }
    }

    fileprivate func nextCopyChunk(_ copy: PostgresCopyOut) async throws(PostgresError) -> PostgresCopyChunk? {
        guard activity == copy.call.activity else { return try endOfCopy(copy) }
        return try await perform(copy.call) { (libpq, wait) throws(PostgresError) in
            do throws(PostgresError) {
                return try readChunk(of: libpq, wait)
            } catch {
                // A malformed stream is cut off; what libpq reports has ended it already.
                if error.code == .protocolViolation { windDown() }
                activity = .none
                throw error
            }
        }
    }

    private func endOfCopy(_ copy: PostgresCopyOut) throws(PostgresError) -> PostgresCopyChunk? {
        guard !isBroken else {
            throw PostgresError(.connectionLost, "the connection was lost").issued(at: copy.call.site)
        }
        return nil
    }

    private func readChunk(of libpq: LibpqConnection, _ wait: StatementWait) throws(PostgresError) -> PostgresCopyChunk?
    {
        var assembler = copyAssembler
        copyAssembler = CopyOutAssembler()
        while !assembler.isFull {
            switch try libpq.readCopyRow(into: &assembler.bytes) {
            case .appended:
                try assembler.messageAppended()
            case .wouldBlock:
                _ = try wait.wait(for: .read, on: libpq)
                try libpq.consumeInput()
            case .end:
                // Completes the statement: an error of the query in the middle of the stream shows here.
                _ = try wait.lastResult(of: libpq)
                activity = .none
                try assembler.checkEnd()
                return assembler.takeChunk()
            }
        }
        let chunk = assembler.takeChunk()
        copyAssembler = assembler
        return chunk
    }

    fileprivate func cancelCopyOut(_ copy: PostgresCopyOut) {
        guard activity == copy.call.activity else { return }
        abandonActivity()
    }

    func validatedCopy(_ query: PostgresQuery, at site: CallSite) throws(PostgresError) -> String {
        guard query.binds.count == 0 else {
            throw PostgresError(.invalidQuery, "COPY takes no parameters", hint: #"write \(literal:)"#, sql: query.sql)
                .issued(at: site)
        }
        return try validated(query, at: site)
    }

    /// Sends a COPY statement and checks that the server begins one in the expected direction, in binary format.
    func startCopy(
        _ sql: String, expecting status: LibpqResult.Status, of libpq: LibpqConnection,
        _ wait: StatementWait
    ) throws(PostgresError) -> LibpqResult {
        // In the extended protocol libpq ends a COPY with a second Sync. When a cancel request stops the COPY before the
        // server has read the first one, the session answers twice, and every later answer belongs to the statement
        // before. The simple protocol has no Sync; COPY has no parameters that would need the other.
        try libpq.sendScript(sql)
        guard let start = try wait.nextResult(of: libpq) else {
            throw PostgresError(.protocolViolation, "no result arrived")
        }
        if start.status == status, start.isBinary {
            copyAssembler = CopyOutAssembler()
            return start
        }
        if start.status == .error {
            let failure = start.error
            _ = try wait.lastResult(of: libpq)
            throw failure
        }
        windDown()
        throw PostgresError(
            .invalidQuery, "the statement is not a COPY of the expected kind",
            hint: status == .copyOut
                ? "write COPY … TO STDOUT (FORMAT binary)" : "write COPY … FROM STDIN (FORMAT binary)")
    }
}

/// Puts the messages of a binary COPY together to chunks, and takes the frame around the rows away.
struct CopyOutAssembler {
    var bytes: [UInt8] = []
    private var rowCount = 0
    private var messageStart = 0
    private var hasHeader = false
    private var hasTrailer = false

    var isFull: Bool { bytes.count >= Limits.copyChunkBytes }

    /// Judges the message that was appended last. The server sends a row a message, the header before the first row
    /// and the trailer by itself.
    mutating func messageAppended() throws(PostgresError) {
        guard !hasTrailer else { throw malformed("data follow the trailer") }
        if !hasHeader {
            try removeHeader()
            if bytes.count == messageStart { return }
        }
        guard bytes.count - messageStart >= 2 else { throw malformed("a row is too short") }
        let fieldCount = Int16(bitPattern: UInt16(bytes[messageStart]) << 8 | UInt16(bytes[messageStart + 1]))
        if fieldCount == -1 {
            guard bytes.count - messageStart == 2 else { throw malformed("data follow the trailer") }
            bytes.removeLast(2)
            hasTrailer = true
        } else {
            guard fieldCount >= 0 else { throw malformed("a row has \(fieldCount) fields") }
            rowCount += 1
        }
        messageStart = bytes.count
    }

    private mutating func removeHeader() throws(PostgresError) {
        let signature = PostgresCopyFormat.signature
        let fixedCount = signature.count + 8
        guard bytes.count >= fixedCount, bytes.starts(with: signature) else { throw malformed("the header is missing") }
        let flags = bytes[signature.count..<signature.count + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        // The upper half marks changes that a reader must know.
        guard flags >> 16 == 0 else { throw malformed("the header has unknown flags") }
        let extensionLength = bytes[signature.count + 4..<fixedCount].reduce(0) { $0 << 8 | Int($1) }
        guard extensionLength <= bytes.count - fixedCount else { throw malformed("the header is cut off") }
        bytes.removeFirst(fixedCount + extensionLength)
        hasHeader = true
    }

    func checkEnd() throws(PostgresError) {
        guard hasTrailer else { throw malformed("the trailer is missing") }
    }

    /// The rows collected so far; nil when there are none.
    mutating func takeChunk() -> PostgresCopyChunk? {
        guard rowCount > 0 else { return nil }
        let chunk = PostgresCopyChunk(bytes: bytes, rowCount: rowCount)
        bytes = []
        bytes.reserveCapacity(Limits.copyChunkBytes + 4_096)
        rowCount = 0
        messageStart = 0
        return chunk
    }

    private func malformed(_ reason: String) -> PostgresError {
        PostgresError(.protocolViolation, "COPY data are malformed: \(reason)")
    }
}
