import FeatureModel

/// Where one requested feature stands in values of one writer version: found once, to read it from many values.
///
/// Reading is allowed only from bodies that `OnlineRowReader` has checked, and where the feature is not null; the
/// offsets are within their bytes then.
public struct OnlineField: Sendable, Equatable {
    /// How the bytes are read as the reader's type.
    public enum Kind: Sendable, Equatable {
        /// Values of this version do not have the feature; its default stands in.
        case filledIn
        case bool
        case int32
        /// int32 in the value, int64 to the reader.
        case widenedInt32
        case int64
        case float32
        /// float32 in the value, float64 to the reader.
        case widenedFloat32
        case float64
        case timestamp
        case date
        case string
        case bytes
        /// An array or a vector; read by `OnlineRowReader`.
        case list
    }

    public let kind: Kind
    // Offsets from the start of the body.
    @usableFromInline let nullOffset: Int
    @usableFromInline let nullMask: UInt8
    /// Fixed width: where the value is. Variable width: the number of its end.
    @usableFromInline let position: Int
    @usableFromInline let endsOffset: Int
    @usableFromInline let payloadOffset: Int

    init(_ source: OnlineRowProjection.Source, of layout: OnlineRowLayout) {
        let feature: Int
        switch source {
        case .filledIn:
            kind = .filledIn
            (nullOffset, nullMask, position, endsOffset, payloadOffset) = (0, 0, 0, 0, 0)
            return
        case .widenedToInt64(let stored):
            kind = .widenedInt32
            feature = stored
        case .widenedToFloat64(let stored):
            kind = .widenedFloat32
            feature = stored
        case .stored(let stored):
            kind = Self.kind(of: layout.schema.features[stored].type)
            feature = stored
        }
        nullOffset = feature >> 3
        nullMask = 1 << UInt8(feature & 7)
        position = layout.slots[feature].position
        endsOffset = layout.endsOffset
        payloadOffset = layout.payloadOffset
    }

    private static func kind(of type: ValueType) -> Kind {
        switch type {
        case .scalar(.bool): .bool
        case .scalar(.int32): .int32
        case .scalar(.int64): .int64
        case .scalar(.float32): .float32
        case .scalar(.float64): .float64
        case .scalar(.timestamp): .timestamp
        case .scalar(.date): .date
        case .scalar(.string): .string
        case .scalar(.bytes): .bytes
        case .array, .vector: .list
        }
    }

    @inlinable
    public func isNull(in body: RawSpan) -> Bool {
        unsafe body.unsafeLoad(fromByteOffset: nullOffset, as: UInt8.self) & nullMask != 0
    }

    @inlinable
    public func bool(in body: RawSpan) -> Bool {
        unsafe body.unsafeLoad(fromByteOffset: position, as: UInt8.self) != 0
    }

    /// int32 and date, whatever they are widened to.
    @inlinable
    public func int32(in body: RawSpan) -> Int32 {
        Int32(littleEndian: unsafe body.unsafeLoadUnaligned(fromByteOffset: position, as: Int32.self))
    }

    /// int64 and timestamp.
    @inlinable
    public func int64(in body: RawSpan) -> Int64 {
        Int64(littleEndian: unsafe body.unsafeLoadUnaligned(fromByteOffset: position, as: Int64.self))
    }

    @inlinable
    public func float32(in body: RawSpan) -> Float {
        Float(bitPattern: UInt32(bitPattern: int32(in: body)))
    }

    @inlinable
    public func float64(in body: RawSpan) -> Double {
        Double(bitPattern: UInt64(bitPattern: int64(in: body)))
    }

    /// Where in `body` the bytes of a string or bytes feature are.
    @inlinable
    public func range(in body: RawSpan) -> Range<Int> {
        let start = position == 0 ? 0 : end(position - 1, in: body)
        return payloadOffset + start..<payloadOffset + end(position, in: body)
    }

    @inlinable
    func end(_ number: Int, in body: RawSpan) -> Int {
        Int(
            UInt32(
                littleEndian: unsafe body.unsafeLoadUnaligned(fromByteOffset: endsOffset + 4 * number, as: UInt32.self)
            ))
    }
}
