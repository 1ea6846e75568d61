internal import CHiredis
internal import NIOCore

/// Turns the bytes a Redis server sends into replies, by hiredis' incremental RESP2 reader.
///
/// The reader is fed and asked; it never sees a socket. After the first error it stays in error, as the position in
/// the byte stream is lost.
///
/// Not Sendable: it belongs to the handler of one connection, and so to one event loop.
@safe final class ReplyParser {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let builder: ReplyBuilder
    private let maximumReplyBytes: Int
    /// Bytes fed since the last whole reply ended.
    private var pendingBytes = 0
    private var failure: RedisError?

    /// - Returns: nil when memory is exhausted.
    init?(
        maximumReplyBytes: Int = Limits.maximumReplyBytes,
        maximumReplyElements: Int = Limits.maximumReplyElements
    ) {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        unsafe functions.initialize(to: makeObjectFunctions())
        guard let reader = unsafe redisReaderCreateWithFunctions(functions) else {
            unsafe functions.deallocate()
            return nil
        }
        unsafe self.reader = reader
        unsafe self.functions = functions
        self.maximumReplyBytes = maximumReplyBytes
        builder = ReplyBuilder(maximumElements: maximumReplyElements)
        // Zero keeps the reader's buffer between large replies instead of giving it back each time.
        unsafe reader.pointee.maxbuf = 0
        // The reader does not outlive `self`, and `self` keeps the builder.
        unsafe reader.pointee.privdata = Unmanaged.passUnretained(builder).toOpaque()
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe functions.deallocate()
    }

    /// Reads `buffer` and hands over every reply that is now complete, in the order of the stream.
    ///
    /// - Throws: `protocolViolation` for anything that is not RESP2, nests deeper than 7 arrays or exceeds a limit;
    ///   replies before that place have been handed over.
    func feed(_ buffer: ByteBuffer, _ receive: (RedisReply) -> Void) throws(RedisError) {
        try feedParts(buffer) { parts in receive(parts.takeReply()) }
    }

    /// As `feed`, for receivers that look at the parts of a reply where they are. What is not taken is dropped.
    func feedParts(_ buffer: ByteBuffer, _ receive: (ReplyBuilder) -> Void) throws(RedisError) {
        if let failure { throw failure }
        var rest = buffer
        while let slice = rest.readSlice(length: min(Limits.parserSliceBytes, rest.readableBytes)),
            slice.readableBytes > 0
        {
            let status = unsafe slice.withUnsafeReadableBytes { bytes in
                unsafe redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
            }
            guard status == REDIS_OK else { throw fail() }
            pendingBytes += slice.readableBytes
            while try hasReply() {
                receive(builder)
                builder.clear()
            }
            if pendingBytes > maximumReplyBytes {
                throw fail("a reply is larger than \(maximumReplyBytes) bytes")
            }
        }
    }

    /// Whether the builder holds a whole reply.
    private func hasReply() throws(RedisError) -> Bool {
        var sentinel: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &sentinel) == REDIS_OK else { throw fail() }
        guard unsafe sentinel != nil else { return false }
        pendingBytes = unsafe Int(reader.pointee.len - reader.pointee.pos)
        return true
    }

    private func fail(_ reason: String? = nil) -> RedisError {
        let message =
            if let reason {
                reason
            } else if builder.isOverLimit {
                "a reply has too many elements"
            } else {
                readerMessage()
            }
        let error = RedisError(.protocolViolation, message)
        failure = error
        return error
    }

    private func readerMessage() -> String {
        let text = unsafe withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return text.isEmpty ? "the peer sent something that is not RESP2" : text
    }
}

/// hiredis takes a null pointer for "out of memory" and passes whatever else it gets back as the reply. It only has to
/// be told apart from null: the builder holds the data.
private func makeSentinel() -> UnsafeMutableRawPointer? {
    unsafe UnsafeMutableRawPointer(bitPattern: 1)
}

private func builder(of task: UnsafePointer<redisReadTask>?) -> ReplyBuilder? {
    guard let task = unsafe task, let builder = unsafe task.pointee.privdata else { return nil }
    return unsafe Unmanaged<ReplyBuilder>.fromOpaque(builder).takeUnretainedValue()
}

private func makeObjectFunctions() -> redisReplyObjectFunctions {
    unsafe redisReplyObjectFunctions(
        createString: { task, bytes, count in
            guard let builder = unsafe builder(of: task) else { return nil }
            let type = unsafe task?.pointee.type
            let kind: ReplyBuilder.TextKind =
                switch type {
                case REDIS_REPLY_STATUS: .status
                case REDIS_REPLY_ERROR: .error
                default: .bulk
                }
            let isAdded = unsafe builder.addText(kind, UnsafeRawBufferPointer(start: bytes, count: count))
            return unsafe isAdded ? makeSentinel() : nil
        },
        createArray: { task, count in
            guard let builder = unsafe builder(of: task) else { return nil }
            return unsafe builder.addArray(count: Int(count)) ? makeSentinel() : nil
        },
        createInteger: { task, value in
            guard let builder = unsafe builder(of: task) else { return nil }
            return unsafe builder.addInteger(Int64(value)) ? makeSentinel() : nil
        },
        createNil: { task in
            guard let builder = unsafe builder(of: task) else { return nil }
            return unsafe builder.addNull() ? makeSentinel() : nil
        },
        freeObject: { _ in
            // Called with the sentinel when a reply breaks off; there is nothing of ours behind it.
        })
}
