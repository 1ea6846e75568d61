public import FeatureModel

/// The first 30 bytes of every online value: format 01, flags, and the 28 bytes of the row's place in the one order.
///
/// It is all there is of a tombstone, and all that a compare-and-set, a ttl or the choice of a layout needs.
public struct OnlineRowHeader: Sendable, Equatable {
    public static let byteCount = 2 + RowOrder.byteCount
    /// Where the order bytes stand in a value.
    public static let orderRange = 2..<byteCount
    public static let format: UInt8 = 0x01

    static let tombstoneFlag: UInt8 = 0x01

    /// With the schema version the value was written under.
    public let order: RowOrder
    /// The entity is gone from the order's event time on.
    public let isTombstone: Bool

    public init(order: RowOrder, isTombstone: Bool) {
        self.order = order
        self.isTombstone = isTombstone
    }

    /// Reads the header of a value; what follows is not looked at.
    public init(of value: RawSpan) throws(CodecError) {
        guard value.byteCount >= 1 else { throw .wrongLength }
        let format = ByteOrder.byte(of: value, at: 0)
        guard format == Self.format else { throw .unknownFormat(format) }
        guard value.byteCount >= Self.byteCount else { throw .wrongLength }
        let flags = ByteOrder.byte(of: value, at: 1)
        guard flags & ~Self.tombstoneFlag == 0 else { throw .unknownFlags(flags) }
        isTombstone = flags & Self.tombstoneFlag != 0
        order = try RowOrder(bytes: value.extracting(Self.orderRange))
    }

    /// Appends the 30 bytes; of a tombstone they are the whole value.
    public func append(to out: inout [UInt8]) {
        out.append(Self.format)
        out.append(isTombstone ? Self.tombstoneFlag : 0)
        order.append(to: &out)
    }
}
