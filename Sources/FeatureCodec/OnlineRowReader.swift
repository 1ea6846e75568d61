import FeatureModel

/// The checked body of an online value: the lengths and offsets of the bytes it was made from hold, whoever wrote them.
///
/// It keeps no bytes and copies none; every read takes the same bytes again. A read by type is allowed only of a
/// feature of that type that is not null.
public struct OnlineRowReader: Sendable {
    public let layout: OnlineRowLayout

    /// - Parameters:
    ///   - body: what follows the header of a value that is no tombstone.
    ///   - layout: of the schema version that the header names.
    /// - Throws: when `body` is not, to its last byte, one of the layout.
    public init(_ body: RawSpan, layout: OnlineRowLayout) throws(CodecError) {
        self.layout = layout
        try check(body)
    }

    public func isNull(_ feature: Int, in body: RawSpan) -> Bool {
        let byte = ByteOrder.byte(of: body, at: feature >> 3)
        return byte & (1 << UInt8(feature & 7)) != 0
    }

    public func bool(_ feature: Int, in body: RawSpan) -> Bool {
        ByteOrder.byte(of: body, at: layout.slots[feature].position) != 0
    }

    /// int32 and date.
    public func int32(_ feature: Int, in body: RawSpan) -> Int32 {
        ByteOrder.loadLittleEndian(Int32.self, from: body, at: layout.slots[feature].position)
    }

    /// int64 and timestamp.
    public func int64(_ feature: Int, in body: RawSpan) -> Int64 {
        ByteOrder.loadLittleEndian(Int64.self, from: body, at: layout.slots[feature].position)
    }

    public func float32(_ feature: Int, in body: RawSpan) -> Float {
        let bits = ByteOrder.loadLittleEndian(UInt32.self, from: body, at: layout.slots[feature].position)
        return Float(bitPattern: bits)
    }

    public func float64(_ feature: Int, in body: RawSpan) -> Double {
        let bits = ByteOrder.loadLittleEndian(UInt64.self, from: body, at: layout.slots[feature].position)
        return Double(bitPattern: bits)
    }

    /// The bytes of a string or bytes feature, or the encoded run of an array or a vector. Strings are not checked to
    /// be UTF-8.
    public func withBytes<Result, Failure: Error>(
        _ feature: Int, in body: RawSpan, _ read: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try read(body.extracting(range(of: feature, in: body)))
    }

    /// The bytes of the feature within `body`.
    func range(of feature: Int, in body: RawSpan) -> Range<Int> {
        let slot = layout.slots[feature]
        if slot.isVariable {
            let start = slot.position == 0 ? 0 : end(slot.position - 1, in: body)
            return layout.payloadOffset + start..<layout.payloadOffset + end(slot.position, in: body)
        }
        let width = OnlineRowLayout.fixedWidth(of: layout.schema.features[feature].type) ?? 0
        return slot.position..<slot.position + width
    }

    private func end(_ number: Int, in body: RawSpan) -> Int {
        Int(ByteOrder.loadLittleEndian(UInt32.self, from: body, at: layout.endsOffset + 4 * number))
    }
}

extension OnlineRowReader {
    private func check(_ body: RawSpan) throws(CodecError) {
        guard body.byteCount >= layout.payloadOffset else { throw .wrongLength }
        let unusedBits = layout.featureCount & 7
        if unusedBits != 0 {
            let last = ByteOrder.byte(of: body, at: layout.fixedOffset - 1)
            guard last >> UInt8(unusedBits) == 0 else { throw .malformed }
        }
        var previous = 0
        for number in layout.variableFeatures.indices {
            let end = end(number, in: body)
            guard end >= previous else { throw .malformed }
            previous = end
        }
        guard body.byteCount == layout.payloadOffset + previous else { throw .wrongLength }
        for feature in layout.variableFeatures where !isNull(feature, in: body) {
            guard case .array(let element) = layout.schema.features[feature].type else { continue }
            try Self.checkArray(of: element, run: body.extracting(range(of: feature, in: body)))
        }
    }

    private static func checkArray(of element: ScalarType, run: RawSpan) throws(CodecError) {
        if let width = OnlineRowLayout.fixedWidth(of: element) {
            guard run.byteCount % width == 0 else { throw .malformed }
            return
        }
        guard run.byteCount >= 4 else { throw .malformed }
        let count = Int(ByteOrder.loadLittleEndian(UInt32.self, from: run, at: 0))
        let elementsStart = 4 + 4 * count
        guard run.byteCount >= elementsStart else { throw .malformed }
        var previous = 0
        for index in 0..<count {
            let end = Int(ByteOrder.loadLittleEndian(UInt32.self, from: run, at: 4 + 4 * index))
            guard end >= previous else { throw .malformed }
            previous = end
        }
        guard run.byteCount == elementsStart + previous else { throw .malformed }
    }
}
