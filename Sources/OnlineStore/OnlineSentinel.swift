public import FeatureCodec

/// What the online store shows of a project, so that an emptied, restored or foreign Redis is not taken for one that
/// never had an entity.
///
/// Stored as format `01`, the online incarnation and the minimum revision as 8 big-endian bytes each, and the `run_id`
/// as ASCII to the end.
public struct OnlineSentinel: Sendable, Hashable {
    /// Drawn anew whenever the project's data is published from nothing.
    public let onlineIncarnation: Int64
    /// The Redis process that the data was published to.
    public let redisRunID: String
    /// The lowest registry revision that may read.
    public let minimumRevision: Int64

    private static let format: UInt8 = 0x01
    private static let fixedByteCount = 17
    private static let maximumRunIDBytes = 255

    public init(onlineIncarnation: Int64, redisRunID: String, minimumRevision: Int64) {
        self.onlineIncarnation = onlineIncarnation
        self.redisRunID = redisRunID
        self.minimumRevision = minimumRevision
    }

    public var bytes: [UInt8] {
        [Self.format] + BigEndian.bytes(onlineIncarnation) + BigEndian.bytes(minimumRevision) + redisRunID.utf8
    }

    /// - Throws: when the bytes are no sentinel of a known format.
    public init(bytes: [UInt8]) throws(CodecError) {
        guard let format = bytes.first else { throw .wrongLength }
        guard format == Self.format else { throw .unknownFormat(format) }
        guard bytes.count > Self.fixedByteCount, bytes.count <= Self.fixedByteCount + Self.maximumRunIDBytes else {
            throw .wrongLength
        }
        guard let runID = String(validating: bytes[Self.fixedByteCount...], as: UTF8.self) else { throw .malformed }
        self.init(
            onlineIncarnation: BigEndian.number(bytes[1..<9]), redisRunID: runID,
            minimumRevision: BigEndian.number(bytes[9..<17]))
    }
}

extension OnlineSentinel {
    /// What a stored sentinel says to a reader.
    enum Verdict {
        /// What is stored is what was published.
        case current
        case missing
        /// Redis was restarted or replaced since.
        case otherServer
        /// It has been published anew, or for readers of later revisions.
        case otherPublication
    }

    /// Judges the bytes of a sentinel as `init(bytes:)` reads them, on every read and so without making anything of them.
    static func judge(_ bytes: RawSpan, onlineIncarnation: Int64, revision: Int64, redisRunID: String) -> Verdict {
        guard bytes.byteCount > fixedByteCount, bytes.byteCount <= fixedByteCount + maximumRunIDBytes,
            bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self) == format
        else { return .missing }
        var position = fixedByteCount
        guard bytes.byteCount - position == redisRunID.utf8.count else { return .otherServer }
        for byte in redisRunID.utf8 {
            guard bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self) == byte else { return .otherServer }
            position += 1
        }
        let incarnation = Int64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 1, as: Int64.self))
        let minimumRevision = Int64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 9, as: Int64.self))
        return incarnation == onlineIncarnation && minimumRevision <= revision ? .current : .otherPublication
    }
}

/// The fence of a key space: publishers under a lower one are refused. Format `01`, then 8 big-endian bytes.
enum OnlineFence {
    static func bytes(_ fence: Int64) -> [UInt8] {
        [0x01] + BigEndian.bytes(fence)
    }
}

enum BigEndian {
    static func bytes(_ number: Int64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }

    /// - Parameter bytes: 8 of them.
    static func number(_ bytes: ArraySlice<UInt8>) -> Int64 {
        Int64(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })
    }
}
