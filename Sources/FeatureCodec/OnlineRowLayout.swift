public import FeatureModel

/// Where everything stands in the body of an online value of one schema version of a view.
///
/// A value is a header (see `OnlineRowHeader`) and, unless it is a tombstone, a body:
///
/// 1. Null bitmap: one bit a feature in schema order, least significant bit first, 1 for null; unused bits are 0.
/// 2. Fixed section: one slot for each fixed-width feature in schema order, zero where null. bool 1 byte, int32 and
///    date 4, int64 and timestamp 8, float32 4, float64 8, `vector<float32, n>` 4n.
/// 3. Ends: a UInt32 for each variable-width feature (string, bytes, arrays) in schema order, the end of its run,
///    relative to the start of the payload.
/// 4. Payload: the runs, one behind the other, empty where null. An array of fixed-width elements is the elements; an
///    array of strings or bytes is a UInt32 count, a UInt32 end for each element relative to the first element's start,
///    and the elements.
///
/// Numbers of the body are little-endian, and all offsets count from its start, because headers differ in length.
/// Features are found by position, so that a reader needs the schema version the value was written under.
public final class OnlineRowLayout: Sendable {
    public let schema: ViewSchema
    // Of the schema, for each value that is read: the schema itself is shared by everybody.
    let featureCount: Int

    let slots: [Slot]
    let fixedOffset: Int
    let endsOffset: Int
    let payloadOffset: Int
    /// In schema order.
    let fixedFeatures: [FixedFeature]
    /// Positions in the schema of the variable-width features.
    let variableFeatures: [Int]

    /// Where a feature's value is.
    struct Slot: Sendable {
        /// Fixed-width: offset of the slot from the start of the body. Variable-width: number among the ends.
        let position: Int
        let isVariable: Bool
    }

    /// A fixed-width feature as its column stores it.
    struct FixedFeature: Sendable {
        /// In the schema.
        let position: Int
        let byteCount: Int
        let elementType: ScalarType
        /// Elements of a row: more than one of a vector.
        let elementCount: Int

        init(position: Int, type: ValueType, byteCount: Int) {
            self.position = position
            self.byteCount = byteCount
            switch type {
            case .scalar(let scalar), .array(let scalar):
                elementType = scalar
                elementCount = 1
            case .vector(let dimension):
                elementType = .float32
                elementCount = dimension
            }
        }
    }

    public init(schema: ViewSchema) {
        self.schema = schema
        featureCount = schema.features.count
        fixedOffset = (schema.features.count + 7) / 8
        var fixedEnd = fixedOffset
        var slots: [Slot] = []
        var fixedFeatures: [FixedFeature] = []
        var variableFeatures: [Int] = []
        for (index, feature) in schema.features.enumerated() {
            if let width = Self.fixedWidth(of: feature.type) {
                slots.append(Slot(position: fixedEnd, isVariable: false))
                fixedFeatures.append(FixedFeature(position: index, type: feature.type, byteCount: width))
                fixedEnd += width
            } else {
                slots.append(Slot(position: variableFeatures.count, isVariable: true))
                variableFeatures.append(index)
            }
        }
        self.slots = slots
        self.fixedFeatures = fixedFeatures
        self.variableFeatures = variableFeatures
        endsOffset = fixedEnd
        payloadOffset = fixedEnd + 4 * variableFeatures.count
    }

    static func fixedWidth(of type: ValueType) -> Int? {
        switch type {
        case .scalar(let scalar): fixedWidth(of: scalar)
        case .array: nil
        case .vector(let dimension): 4 * dimension
        }
    }

    static func fixedWidth(of scalar: ScalarType) -> Int? {
        switch scalar {
        case .bool: 1
        case .int32, .date, .float32: 4
        case .int64, .timestamp, .float64: 8
        case .string, .bytes: nil
        }
    }
}
