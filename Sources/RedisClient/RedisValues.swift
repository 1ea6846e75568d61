internal import NIOCore

/// Gets the answer to one command on the event loop of its connection: exactly one of the two is called, once.
public protocol RedisValuesReceiver: AnyObject {
    func receive(_ values: borrowing RedisValues)
    /// - Parameter error: the server's, or why there is no answer; `unexpectedReply` for an answer that is no array of values,
    ///   `protocolViolation` where one of a certain length was due.
    func fail(_ error: RedisError)
}

/// An answer that is an array of bulk strings and nulls, as it was parsed. It is valid while the receiver is called.
public struct RedisValues: ~Copyable {
    private let parts: ReplyBuilder

    init(_ parts: ReplyBuilder) {
        self.parts = parts
    }

    /// Whether a reply is such an array.
    /// - Parameter count: of how many elements; nil takes any number.
    static func areHeld(in builder: ReplyBuilder, count: Int? = nil) -> Bool {
        guard case .array(let found)? = builder.parts.first, builder.parts.count == found + 1, found == count ?? found
        else { return false }
        return builder.parts.dropFirst().allSatisfy { part in
            switch part {
            case .bulk, .null: true
            default: false
            }
        }
    }

    public var count: Int { parts.parts.count - 1 }

    /// Where each value is in `withBytes`, in the order of the answer; nil for a null.
    public func forEachRange(_ body: (_ index: Int, _ range: Range<Int>?) -> Void) {
        var start = 0
        for index in 0..<count {
            if case .bulk(let byteCount) = parts.parts[index + 1] {
                body(index, start..<start + byteCount)
                start += byteCount
            } else {
                body(index, nil)
            }
        }
    }

    /// The bytes of all values, one behind the other.
    public func withBytes<Result>(_ body: (RawSpan) -> Result) -> Result {
        unsafe parts.scratch.withUnsafeReadableBytes { bytes in unsafe body(RawSpan(_unsafeBytes: bytes)) }
    }
}
