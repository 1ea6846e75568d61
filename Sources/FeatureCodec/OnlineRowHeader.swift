public import FeatureModel

/// What every online value starts with: its format, flags, and the row's place in the one order.
///
/// It is all there is of a tombstone, and all that a compare-and-set, a ttl or the choice of a layout needs. Values are
/// written in format 02:
///
/// | part | bytes |
/// |---|---|
/// | format | 1: 02 |
/// | flags | 1, see below |
/// | event time | 8, sign-flipped, big-endian |
/// | recorded time | 8 likewise; none where it is minus infinity |
/// | sequence | 1 to 8: two's complement, big-endian, as few as hold it |
/// | schema version | 1 to 4 likewise |
///
/// Flags: bit 0 tombstone; bit 1 there is a recorded time; bits 2 to 4 the bytes of the sequence, less one; bits 5
/// and 6 those of the schema version, less one; bit 7 is zero.
///
/// Format 01, which is still read, is 30 bytes: 01, flags (bit 0 tombstone), and the order as `RowOrder.bytes` has it.
/// The event time stands at the same place in both.
public struct OnlineRowHeader: Sendable, Equatable {
    /// Of the values that are written.
    private static let format: UInt8 = 0x02
    private static let firstFormat: UInt8 = 0x01
    private static let eventTimeOffset = 2

    /// With the schema version the value was written under.
    public let order: RowOrder
    /// The entity is gone from the order's event time on.
    public let isTombstone: Bool
    /// Bytes of the header in its value, 12 to 30: the body starts behind them.
    public let byteCount: Int

    /// The header of a value that is going to be written.
    public init(order: RowOrder, isTombstone: Bool) {
        let flags = Flags(of: order, isTombstone: isTombstone)
        self.init(order: order, isTombstone: isTombstone, byteCount: flags.headerByteCount)
    }

    /// Reads the header of a value. A body behind it is not looked at; a tombstone has none.
    public init(of value: RawSpan) throws(CodecError) {
        guard value.byteCount >= 1 else { throw .wrongLength }
        switch ByteOrder.byte(of: value, at: 0) {
        case Self.format: try self.init(ofSecondFormat: value)
        case Self.firstFormat: try self.init(ofFirstFormat: value)
        case let format: throw .unknownFormat(format)
        }
        guard !isTombstone || value.byteCount == byteCount else { throw .wrongLength }
    }

    private init(order: RowOrder, isTombstone: Bool, byteCount: Int) {
        self.order = order
        self.isTombstone = isTombstone
        self.byteCount = byteCount
    }

    private init(ofSecondFormat value: RawSpan) throws(CodecError) {
        guard value.byteCount >= Flags.minimumHeaderByteCount else { throw .wrongLength }
        let flags = Flags(bits: ByteOrder.byte(of: value, at: 1))
        guard flags.areKnown else { throw .unknownFlags(flags.bits) }
        let end = flags.headerByteCount
        guard value.byteCount >= end else { throw .wrongLength }
        var recordedTime = Int64.min
        if flags.hasRecordedTime {
            recordedTime = ByteOrder.loadSignFlipped64(from: value, at: Self.eventTimeOffset + 8)
            guard recordedTime != .min else { throw .malformed }
        }
        let sequence = ByteOrder.loadShortest(
            Int64.self, from: value, endingAt: end - flags.schemaVersionByteCount,
            byteCount: flags.sequenceByteCount)
        let schemaVersion = ByteOrder.loadShortest(
            Int32.self, from: value, endingAt: end, byteCount: flags.schemaVersionByteCount)
        // Each order has one encoding, so that a value that is sent again equals the stored one.
        guard sequence.shortestByteCount == flags.sequenceByteCount,
            schemaVersion.shortestByteCount == flags.schemaVersionByteCount
        else { throw .malformed }
        let eventTime = ByteOrder.loadSignFlipped64(from: value, at: Self.eventTimeOffset)
        self.init(
            order: RowOrder(
                eventTime: Timestamp(microsecondsSince1970: eventTime),
                recordedTime: Timestamp(microsecondsSince1970: recordedTime), sequence: sequence,
                schemaVersion: schemaVersion),
            isTombstone: flags.isTombstone, byteCount: end)
    }

    private init(ofFirstFormat value: RawSpan) throws(CodecError) {
        let end = Self.eventTimeOffset + RowOrder.byteCount
        guard value.byteCount >= end else { throw .wrongLength }
        let flags = ByteOrder.byte(of: value, at: 1)
        guard flags & ~Flags.tombstone == 0 else { throw .unknownFlags(flags) }
        self.init(
            order: try RowOrder(bytes: value.extracting(Self.eventTimeOffset..<end)),
            isTombstone: flags & Flags.tombstone != 0, byteCount: end)
    }

    /// Appends the header in format 02; of a tombstone it is the whole value.
    public func append(to out: inout [UInt8]) {
        out.append(Self.format)
        out.append(Flags(of: order, isTombstone: isTombstone).bits)
        out.append(signFlipped: order.eventTime.microsecondsSince1970)
        if order.recordedTime != .negativeInfinity {
            out.append(signFlipped: order.recordedTime.microsecondsSince1970)
        }
        out.append(shortest: order.sequence)
        out.append(shortest: order.schemaVersion)
    }
}

/// The second byte of format 02.
private struct Flags {
    static let tombstone: UInt8 = 0x01
    private static let recordedTime: UInt8 = 0x02
    private static let sequenceShift: UInt8 = 2
    private static let schemaVersionShift: UInt8 = 5
    /// Format, flags and event time.
    private static let fixedByteCount = 10
    static let minimumHeaderByteCount = fixedByteCount + 2

    let bits: UInt8

    init(bits: UInt8) {
        self.bits = bits
    }

    init(of order: RowOrder, isTombstone: Bool) {
        var bits: UInt8 = isTombstone ? Self.tombstone : 0
        if order.recordedTime != .negativeInfinity { bits |= Self.recordedTime }
        bits |= UInt8(order.sequence.shortestByteCount - 1) << Self.sequenceShift
        bits |= UInt8(order.schemaVersion.shortestByteCount - 1) << Self.schemaVersionShift
        self.bits = bits
    }

    var areKnown: Bool { bits & 0x80 == 0 }
    var isTombstone: Bool { bits & Self.tombstone != 0 }
    var hasRecordedTime: Bool { bits & Self.recordedTime != 0 }
    var sequenceByteCount: Int { Int(bits >> Self.sequenceShift & 7) + 1 }
    var schemaVersionByteCount: Int { Int(bits >> Self.schemaVersionShift & 3) + 1 }

    var headerByteCount: Int {
        Self.fixedByteCount + (hasRecordedTime ? 8 : 0) + sequenceByteCount + schemaVersionByteCount
    }
}
