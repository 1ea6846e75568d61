import HTTPTypes
import Hummingbird
import Logging
import Synchronization

/// By what a request is found in the logs: its id, the client's own if it sent a sensible one, and its trace.
struct RequestIdentity {
    let requestID: String
    /// From W3C `traceparent`.
    private let traceID: String?
    private let spanID: String?

    private static let maximumBytes = 64

    init(_ headers: HTTPFields) {
        self.init(
            requestID: headers[.requestID].flatMap { Self.isSensible($0) ? $0 : nil } ?? Self.makeRequestID(),
            traceParent: headers[.traceParent])
    }

    init(requestID: String, traceParent: String?) {
        self.requestID = requestID
        let parts = traceParent?.split(separator: "-", omittingEmptySubsequences: false) ?? []
        let isValid =
            parts.count >= 4 && parts[0].count == 2 && parts[0] != "ff" && parts[1].count == 32 && parts[2].count == 16
            && parts[0...2].allSatisfy { $0.utf8.allSatisfy(Self.isLowercaseHexadecimal) }
            && parts[1].contains { $0 != "0" } && parts[2].contains { $0 != "0" }
        traceID = isValid ? String(parts[1]) : nil
        spanID = isValid ? String(parts[2]) : nil
    }

    func annotate(_ logger: Logger) -> Logger {
        var logger = logger
        logger[metadataKey: "hb.request.id"] = nil
        logger[metadataKey: "request_id"] = "\(requestID)"
        if let traceID { logger[metadataKey: "trace_id"] = "\(traceID)" }
        if let spanID { logger[metadataKey: "parent_span_id"] = "\(spanID)" }
        return logger
    }

    /// A new one: the process by a random number, the request by counting from another.
    static func makeRequestID() -> String {
        let number = number.wrappingAdd(1, ordering: .relaxed).newValue
        return String(unsafeUninitializedCapacity: 32) { digits in
            writeHexadecimal(process, to: digits.extracting(..<16))
            writeHexadecimal(number, to: digits.extracting(16...))
            return 32
        }
    }

    private static let process = UInt64.random(in: .min ... .max)
    private static let number = Atomic<UInt64>(.random(in: .min ... .max))

    static func isSensible(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumBytes
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    private static func isLowercaseHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func writeHexadecimal(_ number: UInt64, to digits: UnsafeMutableBufferPointer<UInt8>) {
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 15
            digits[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
        }
    }
}
