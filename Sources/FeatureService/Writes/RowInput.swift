public import TextFormats
import FeatureModel

/// Where the rows of a write come from.
public enum RowInput: Sendable {
    /// `-` is standard input.
    case file(String, FrameFormat)
    case bytes([UInt8], FrameFormat)
    /// The rows of a JSON request, one object each.
    case objects([JSONValue])
}

/// Reads the rows of a write batch by batch.
struct RowInputReader: ~Copyable {
    private var file: ByteInput?
    private var rest: [UInt8]
    private var isAtEnd = false
    private(set) var reader: FrameReader
    /// Objects of a request are on no line that its sender would know.
    private let hasLines: Bool

    /// - Throws: `file_unreadable`, and what the format's reader throws.
    init(_ input: RowInput, options: TextReadOptions) throws(LarderError) {
        // Everything that may throw comes before the first property is set.
        let reader = try FrameReader(format: input.format, options: options)
        let opened = try Self.open(input)
        self.reader = reader
        file = opened
        (rest, hasLines) = input.bytes
    }

    private static func open(_ input: RowInput) throws(LarderError) -> ByteInput? {
        guard case .file(let path, _) = input else { return nil }
        return try ByteInput(path: path)
    }

    /// The next rows; nil at the end.
    mutating func next() throws(LarderError) -> FrameBatch? {
        while true {
            if let batch = try reader.next() { return hasLines ? batch : batch.withoutLines }
            if isAtEnd { return nil }
            let bytes = try nextBytes()
            if bytes.isEmpty {
                isAtEnd = true
                try reader.finish()
            } else {
                try reader.feed(bytes)
            }
        }
    }

    private mutating func nextBytes() throws(LarderError) -> [UInt8] {
        if file != nil { return try file?.next() ?? [] }
        let bytes = rest
        rest = []
        return bytes
    }
}

extension RowInput {
    fileprivate var format: FrameFormat {
        switch self {
        case .file(_, let format), .bytes(_, let format): format
        case .objects: .ndjson
        }
    }

    /// What is in memory already, and whether its lines mean anything to the sender.
    fileprivate var bytes: (bytes: [UInt8], haveLines: Bool) {
        switch self {
        case .file: return ([], true)
        case .bytes(let bytes, _): return (bytes, true)
        case .objects(let objects):
            var lines: [UInt8] = []
            for object in objects {
                object.write(into: &lines)
                lines.append(UInt8(ascii: "\n"))
            }
            return (lines, false)
        }
    }
}

extension FrameBatch {
    /// The same rows, their violations told without the line and column of a text that nobody wrote.
    fileprivate var withoutLines: FrameBatch {
        FrameBatch(
            batch: batch, firstRow: firstRow, lines: [],
            violations: violations.map { violation in
                let message = violation.message
                let end = message.hasSuffix(")") ? message.ranges(of: " (line ").last?.lowerBound : nil
                return RowViolation(
                    row: violation.row, feature: violation.feature, code: violation.code,
                    message: String(message[..<(end ?? message.endIndex)]))
            }, isTyped: isTyped)
    }
}
