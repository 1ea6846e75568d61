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
