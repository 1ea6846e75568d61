public import NIOCore

/// One RESP2 reply.
///
/// The bulk strings of one reply are slices of one buffer: taking them apart copies nothing, and a slice that is
/// kept keeps the memory of its whole reply.
public enum RedisReply: Sendable, Equatable {
    /// A status line such as `OK`. Bytes that are not UTF-8 show as U+FFFD.
    case status(String)
    /// An error inside an array (the answer of `EXEC`, or of a script). A command whose whole answer is an error
    /// fails with ``RedisError`` instead.
    case error(RedisServerError)
    case integer(Int64)
    /// A binary-safe string.
    case bulk(ByteBuffer)
    case null
    case array([RedisReply])
}

extension RedisReply {
    /// The bytes of a bulk string; nil for every other kind.
    public var bytes: [UInt8]? {
        guard case .bulk(let buffer) = self else { return nil }
        return Array(buffer: buffer)
    }

    /// The text of a bulk string or a status; nil for every other kind and for bytes that are not UTF-8.
    public var string: String? {
        switch self {
        case .bulk(let buffer): String(validating: buffer.readableBytesView, as: UTF8.self)
        case .status(let text): text
        default: nil
        }
    }

    /// The value of an integer reply; nil for every other kind.
    public var integerValue: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    /// The elements of an array; nil for every other kind.
    public var elements: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// Name of the kind of reply, for messages.
    public var kind: String {
        switch self {
        case .status: "status"
        case .error: "error"
        case .integer: "integer"
        case .bulk: "bulk string"
        case .null: "null"
        case .array: "array"
        }
    }
}
