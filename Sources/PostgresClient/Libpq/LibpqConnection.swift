internal import CLibpq
import Logging
import Synchronization

/// Owns one `PGconn` and mirrors libpq's non-blocking calls, one step each. Nothing in here waits.
///
/// Not Sendable: it belongs to the one actor that opened it.
@safe
final class LibpqConnection {
    private let pointer: OpaquePointer
    private let notices: Unmanaged<NoticeSink>

    /// What a non-blocking step waits for.
    enum Step {
        case done
        case waitForRead
        case waitForWrite
    }

    /// Begins connecting. Names are resolved here, by the system's resolver and within its own limits.
    init(parameters: [(keyword: String, value: String)], logger: Logger) throws(PostgresError) {
        let keywords = parameters.map { $0.keyword }
        let values = parameters.map { $0.value }
        let started = unsafe withCStrings(keywords) { (keywords) -> OpaquePointer? in
            unsafe withCStrings(values) { (values) -> OpaquePointer? in
                unsafe PQconnectStartParams(keywords, values, 0)
            }
        }
        guard let started = unsafe started else {
            throw PostgresError(.connectionFailed, "out of memory")
        }
        unsafe pointer = started
        unsafe notices = Unmanaged.passRetained(NoticeSink(logger: logger))
        LiveHandles.connectionCount.add(1, ordering: .relaxed)
        unsafe PQsetNoticeReceiver(pointer, receiveNotice, notices.toOpaque())
        // The verbose form is the only one from which a failed connect yields its SQLSTATE.
        unsafe PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        guard !isBad else { throw connectError }
    }

    deinit {
        // The receiver may be called until PQfinish returns, so the sink goes after it.
        unsafe PQfinish(pointer)
        unsafe notices.release()
        LiveHandles.connectionCount.subtract(1, ordering: .relaxed)
    }

    var socket: Int32 { unsafe PQsocket(pointer) }
    var isBad: Bool { unsafe PQstatus(pointer) == CONNECTION_BAD }
    var backendProcessID: Int32 { unsafe PQbackendPID(pointer) }

    var errorMessage: String {
        unsafe PQerrorMessage(pointer).map { unsafe firstLine(of: boundedText($0)) } ?? "no message"
    }

    /// Why connecting failed. For this one error libpq gives no fields, only text: `… FATAL:  28P01: password …`.
    var connectError: PostgresError {
        let message = errorMessage
        guard let range = message.firstRange(of: #/:  [0-9A-Z]{5}: /#) else {
            return PostgresError(.connectionFailed, message)
        }
        let state = String(message[range].dropFirst(3).dropLast(2))
        let text = message[..<range.lowerBound] + ": " + message[range.upperBound...]
        return PostgresError(.connectionFailed, String(text), sqlState: SQLState(rawValue: state))
    }

    func pollConnect() throws(PostgresError) -> Step {
        switch unsafe PQconnectPoll(pointer) {
        case PGRES_POLLING_OK: .done
        case PGRES_POLLING_READING: .waitForRead
        case PGRES_POLLING_WRITING: .waitForWrite
        default: throw connectError
        }
    }

    func setNonBlocking() throws(PostgresError) {
        guard unsafe PQsetnonblocking(pointer, 1) == 0 else { throw lostError }
    }

    /// The error for a connection that broke, with the last thing that the server said about it.
    var lostError: PostgresError {
        let sink = unsafe notices.takeUnretainedValue()
        if let farewell = sink.fatalNotice {
            var error = farewell
            error.code = .connectionLost
            return error
        }
        return PostgresError(.connectionLost, errorMessage)
    }

    enum TransactionStatus {
        case idle
        case active
        case inTransaction
        case inFailedTransaction
        case unknown
    }

    var transactionStatus: TransactionStatus {
        switch unsafe PQtransactionStatus(pointer) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .inFailedTransaction
        default: .unknown
        }
    }

    // MARK: Sending

    private func check(_ isSent: Int32) throws(PostgresError) {
        guard isSent == 1 else {
            throw isBad ? lostError : PostgresError(.protocolViolation, errorMessage)
        }
    }

    /// Queues one statement with its values; results are asked for in binary format.
    func send(_ sql: String, binds: PostgresBinds) throws(PostgresError) {
        let sent = unsafe binds.withCArrays { (count, types, values, lengths, formats) in
            unsafe PQsendQueryParams(pointer, sql, count, types, values, lengths, formats, 1)
        }
        try check(sent)
    }

    /// Queues a script of any number of statements without values.
    func sendScript(_ sql: String) throws(PostgresError) {
        try check(unsafe PQsendQuery(pointer, sql))
    }

    /// Queues the preparation of the unnamed statement, which the next statement replaces.
    func sendPrepare(_ sql: String, types: [PostgresType]) throws(PostgresError) {
        let sent = unsafe types.map { $0.rawValue }.withUnsafeBufferPointer { (types) in
            unsafe PQsendPrepare(pointer, "", sql, Int32(types.count), types.baseAddress)
        }
        try check(sent)
    }

    func sendDescribeUnnamed() throws(PostgresError) {
        try check(unsafe PQsendDescribePrepared(pointer, ""))
    }

    /// Writes what is queued: `waitForWrite` says that the socket takes no more now.
    func flush() throws(PostgresError) -> Step {
        switch unsafe PQflush(pointer) {
        case 0: .done
        case 1: .waitForWrite
        default: throw lostError
        }
    }

    // MARK: Receiving

    /// Reads what the socket holds.
    func consumeInput() throws(PostgresError) {
        guard unsafe PQconsumeInput(pointer) == 1 else { throw lostError }
    }

    /// Whether the next result is not complete yet.
    var isBusy: Bool { unsafe PQisBusy(pointer) == 1 }

    /// The next result of what was sent; nil after the last. Call only when not busy.
    func nextResult() -> LibpqResult? {
        guard let result = unsafe PQgetResult(pointer) else { return nil }
        return unsafe LibpqResult(takingOwnership: result)
    }

    func nextNotification() -> PostgresNotification? {
        guard let notification = unsafe PQnotifies(pointer) else { return nil }
        defer { unsafe PQfreemem(notification) }
        return unsafe PostgresNotification(
            channel: String(cString: notification.pointee.relname),
            payload: notification.pointee.extra.map { unsafe String(cString: $0) } ?? "",
            backendProcessID: notification.pointee.be_pid)
    }

    // MARK: COPY

    enum CopyRow {
        case appended
        case wouldBlock
        case end
    }

    /// Appends the next message of a COPY to the buffer.
    func readCopyRow(into bytes: inout [UInt8]) throws(PostgresError) -> CopyRow {
        var message: UnsafeMutablePointer<CChar>?
        let length = unsafe PQgetCopyData(pointer, &message, 1)
        switch length {
        case 0: return .wouldBlock
        case -1: return .end
        case 1...:
            guard let message = unsafe message else { return .wouldBlock }
            defer { unsafe PQfreemem(message) }
            unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: message, count: Int(length)))
            return .appended
        default:
            throw isBad ? lostError : PostgresError(.protocolViolation, errorMessage)
        }
    }

    /// Queues data of a COPY. False: libpq's buffer is full, flush first.
    func writeCopyData(_ bytes: RawSpan) throws(PostgresError) -> Bool {
        guard let count = Int32(exactly: bytes.byteCount) else {
            throw PostgresError(.invalidQuery, "a piece of COPY data is larger than 2 GiB")
        }
        let queued = unsafe bytes.withUnsafeBytes { (buffer) in
            unsafe PQputCopyData(pointer, buffer.bindMemory(to: CChar.self).baseAddress, count)
        }
        switch queued {
        case 1: return true
        case 0: return false
        default: throw isBad ? lostError : PostgresError(.protocolViolation, errorMessage)
        }
    }

    /// Queues the end of a COPY; with a message, the server fails it. False: libpq's buffer is full, flush first.
    func endCopy(failure message: String?) throws(PostgresError) -> Bool {
        switch unsafe PQputCopyEnd(pointer, message) {
        case 1: return true
        case 0: return false
        default: throw isBad ? lostError : PostgresError(.protocolViolation, errorMessage)
        }
    }

    /// A handle through which another thread may ask the server to stop the running statement.
    func makeCancelHandle() -> LibpqCancelHandle? {
        guard let cancel = unsafe PQgetCancel(pointer) else { return nil }
        return unsafe LibpqCancelHandle(takingOwnership: cancel)
    }
}

/// Owns one `PGcancel`.
///
/// Sendable: a PGcancel is a constant copy of address and key, and libpq documents PQcancel as safe on any thread.
@safe
final class LibpqCancelHandle: @unchecked Sendable {
    private let pointer: OpaquePointer

    init(takingOwnership pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    /// Asks the server to stop. Blocks until the server has taken the request, without a deadline.
    func cancelBlocking() {
        // The reason for a failure goes unused: the caller judges by whether the statement ends.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { (reason) in
            _ = unsafe PQcancel(pointer, reason.baseAddress, Int32(reason.count))
        }
    }
}
