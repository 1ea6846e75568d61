/// How long, and under which task, one call waits for the server.
struct StatementWait {
    var deadline: ContinuousClock.Instant?
    /// Nil for work that must not be cut short by cancellation, such as a rollback.
    var cancellation: CancellationFlag?
    var wakePipe: WakePipe

    /// Waits for the socket.
    ///
    /// - Throws: `PostgresError` with code `cancelled` or `timeout`.
    func wait(for interest: SocketInterest, on libpq: LibpqConnection) throws(PostgresError) -> SocketReadiness {
        while true {
            try check()
            let readiness = waitForSocket(libpq.socket, for: interest, wake: wakePipe, until: deadline)
            if readiness.isReadable || readiness.isWritable { return readiness }
        }
    }

    func check() throws(PostgresError) {
        if let cancellation, cancellation.isSet { throw PostgresError(.cancelled, "the task was cancelled") }
        if let deadline, ContinuousClock.now >= deadline { throw PostgresError(.timeout, "the deadline passed") }
    }

    /// Waits until the request is finished, as the pipe tells.
    func wait(for request: CancelRequest) throws(PostgresError) {
        while !request.isFinished {
            try check()
            _ = waitForSocket(-1, for: [], wake: wakePipe, until: deadline)
        }
    }

    /// Writes all that is queued. Reads meanwhile, because a server that waits for us to read would not read itself.
    func flush(_ libpq: LibpqConnection) throws(PostgresError) {
        while try libpq.flush() == .waitForWrite {
            if try wait(for: [.read, .write], on: libpq).isReadable { try libpq.consumeInput() }
        }
    }

    /// The next result; nil after the last.
    func nextResult(of libpq: LibpqConnection) throws(PostgresError) -> LibpqResult? {
        try flush(libpq)
        while libpq.isBusy {
            _ = try wait(for: .read, on: libpq)
            try libpq.consumeInput()
            try flush(libpq)
        }
        return libpq.nextResult()
    }

    /// Reads every result of what was sent, so that the connection is idle again, and returns the last.
    ///
    /// - Throws: the first error among the results, or the reason for which no more can be read.
    func lastResult(of libpq: LibpqConnection) throws(PostgresError) -> LibpqResult? {
        var last: LibpqResult?
        var failure: PostgresError?
        do {
            while let result = try nextResult(of: libpq) {
                switch result.status {
                case .error:
                    failure = failure ?? result.error
                case .copyIn, .copyOut:
                    failure = failure ?? PostgresError(.invalidQuery, "COPY has calls of its own here", hint: copyHint)
                    try abandonCopy(result.status, of: libpq)
                default:
                    last = result
                }
            }
        } catch {
            // The server's farewell says more than the end of the stream after it.
            guard error.code == .connectionLost, let failure else { throw error }
            throw failure.recoded(.connectionLost)
        }
        if let failure { throw libpq.isBad ? failure.recoded(.connectionLost) : failure }
        return last
    }

    private func abandonCopy(_ status: LibpqResult.Status, of libpq: LibpqConnection) throws(PostgresError) {
        if status == .copyIn {
            while try !libpq.endCopy(failure: "abandoned") { try flush(libpq) }
            return
        }
        var discarded: [UInt8] = []
        while true {
            discarded.removeAll(keepingCapacity: true)
            switch try libpq.readCopyRow(into: &discarded) {
            case .appended: continue
            case .end: return
            case .wouldBlock:
                _ = try wait(for: .read, on: libpq)
                try libpq.consumeInput()
            }
        }
    }
}

private let copyHint = "use beginCopyIn or beginCopyOut"

extension PostgresError {
    func recoded(_ code: Code) -> PostgresError {
        var copy = self
        copy.code = code
        return copy
    }
}
