internal import NIOCore

/// Gathers one top-level reply as the parser reports its parts, outermost first.
///
/// Parts are small flat records and all their bytes go to one scratch buffer, so that a reply of any size costs a
/// few allocations and not one for each element. The parser's buffer moves between parts; nothing here points into it.
///
/// Not Sendable: it belongs to one parser.
final class ReplyBuilder {
    enum Part {
        case status(byteCount: Int)
        case error(byteCount: Int)
        case bulk(byteCount: Int)
        case integer(Int64)
        case null
        case array(count: Int)
    }

    enum TextKind {
        case status
        case error
        case bulk
    }

    /// Of the reply so far, outermost first.
    private(set) var parts: [Part] = []
    /// The bytes of its texts, one behind the other.
    private(set) var scratch = ByteBuffer()
    private let maximumElements: Int

    init(maximumElements: Int) {
        self.maximumElements = maximumElements
    }

    /// Whether the reply holds more elements than the limit allows; the part that showed it was not added.
    private(set) var isOverLimit = false

    func addText(_ kind: TextKind, _ bytes: UnsafeRawBufferPointer) -> Bool {
        let count = bytes.count
        switch kind {
        case .status: guard add(.status(byteCount: count)) else { return false }
        case .error: guard add(.error(byteCount: count)) else { return false }
        case .bulk: guard add(.bulk(byteCount: count)) else { return false }
        }
        unsafe scratch.writeBytes(bytes)
        return true
    }

    func addInteger(_ value: Int64) -> Bool { add(.integer(value)) }

    func addNull() -> Bool { add(.null) }

    func addArray(count: Int) -> Bool {
        if count > maximumElements {
            isOverLimit = true
            return false
        }
        return add(.array(count: count))
    }

    private func add(_ part: Part) -> Bool {
        if parts.count >= maximumElements {
            isOverLimit = true
            return false
        }
        parts.append(part)
        return true
    }

    /// The reply of all parts.
    ///
    /// - Precondition: the parser reported a whole reply, and it has not been taken.
    func takeReply() -> RedisReply {
        var bytes = takeBytes()
        var cursor = 0
        return makeReply(&cursor, &bytes)
    }

    /// Makes ready for the next reply.
    func clear() {
        parts.removeAll(keepingCapacity: parts.count <= 4096)
        if scratch.capacity > Limits.retainedScratchBytes { scratch = ByteBuffer() } else { scratch.clear() }
    }

    /// The bytes of the finished reply in a buffer of their own. Small ones are copied out, which leaves the scratch
    /// buffer for the next reply and makes a slice that is kept hold no more than its reply; large ones are handed over.
    private func takeBytes() -> ByteBuffer {
        if scratch.readableBytes == 0 { return ByteBuffer() }
        if scratch.readableBytes > Limits.retainedScratchBytes {
            defer { scratch = ByteBuffer() }
            return scratch
        }
        defer { scratch.clear() }
        return ByteBuffer(bytes: scratch.readableBytesView)
    }

    private func makeReply(_ cursor: inout Int, _ bytes: inout ByteBuffer) -> RedisReply {
        let part = parts[cursor]
        cursor += 1
        switch part {
        case .status(let byteCount):
            return .status(text(byteCount, &bytes))
        case .error(let byteCount):
            return .error(RedisServerError(text(byteCount, &bytes, maximum: Limits.maximumErrorMessageBytes)))
        case .bulk(let byteCount):
            return .bulk(bytes.readSlice(length: byteCount) ?? ByteBuffer())
        case .integer(let value):
            return .integer(value)
        case .null:
            return .null
        case .array(let count):
            var elements: [RedisReply] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(makeReply(&cursor, &bytes)) }
            return .array(elements)
        }
    }

    private func text(_ byteCount: Int, _ bytes: inout ByteBuffer, maximum: Int = .max) -> String {
        let slice = bytes.readSlice(length: byteCount) ?? ByteBuffer()
        return String(decoding: slice.readableBytesView.prefix(maximum), as: UTF8.self)
    }
}
