public import FeatureModel

/// The one order as bytes: event time 8, recorded time 8, sequence 8, schema version 4, each with its sign bit flipped
/// and big-endian, so that the newer row's bytes are the greater ones in `memcmp` order.
extension RowOrder {
    public static let byteCount = 28

    public func append(to out: inout [UInt8]) {
        out.append(signFlipped: eventTime.microsecondsSince1970)
        out.append(signFlipped: recordedTime.microsecondsSince1970)
        out.append(signFlipped: sequence)
        out.append(signFlipped: schemaVersion)
    }

    public var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(Self.byteCount)
        append(to: &out)
        return out
    }

    /// - Throws: `wrongLength` unless there are exactly 28 bytes.
    public init(bytes: RawSpan) throws(CodecError) {
        guard bytes.byteCount == Self.byteCount else { throw .wrongLength }
        self.init(
            eventTime: Timestamp(microsecondsSince1970: ByteOrder.loadSignFlipped64(from: bytes, at: 0)),
            recordedTime: Timestamp(microsecondsSince1970: ByteOrder.loadSignFlipped64(from: bytes, at: 8)),
            sequence: ByteOrder.loadSignFlipped64(from: bytes, at: 16),
            schemaVersion: ByteOrder.loadSignFlipped32(from: bytes, at: 24))
    }
}
