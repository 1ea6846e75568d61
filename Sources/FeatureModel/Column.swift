/// Many values of one type, stored as Arrow stores them: fixed-width values side by side, variable-width
/// values as bytes plus offsets, and one validity bit a row. Null rows hold a zero or an empty run.
///
/// Which storage a type uses:
///
/// | type | storage |
/// |---|---|
/// | bool | `bools` |
/// | int32, date (days) | `int32s` |
/// | int64, timestamp (microseconds) | `int64s` |
/// | float32 | `float32s` |
/// | float64 | `float64s` |
/// | string, bytes | `bytes` with `byteOffsets` (count + 1) |
/// | array<T> | `listOffsets` (rows + 1) over the storage of T |
/// | vector<float32, n> | `float32s`, n a row |
public struct Column: Sendable {
    public let type: ValueType
    public internal(set) var validity = Validity()

    public internal(set) var bools: [Bool] = []
    public internal(set) var int32s: [Int32] = []
    public internal(set) var int64s: [Int64] = []
    public internal(set) var float32s: [Float] = []
    public internal(set) var float64s: [Double] = []
    public internal(set) var bytes: [UInt8] = []
    public internal(set) var byteOffsets: [Int] = []
    public internal(set) var listOffsets: [Int] = []

    /// Number of rows.
    @inlinable public var count: Int { validity.count }
    @inlinable public var nullCount: Int { validity.nullCount }

    /// The type of the stored elements: the type itself, or that of an array's or a vector's elements.
    public var elementType: ScalarType {
        switch type {
        case .scalar(let scalar): scalar
        case .array(let element): element
        case .vector: .float32
        }
    }

    public init(type: ValueType) {
        self.type = type
        switch elementType {
        case .string, .bytes: byteOffsets = [0]
        default: break
        }
        if case .array = type { listOffsets = [0] }
    }

    public mutating func reserveCapacity(_ rows: Int) {
        if case .array = type { listOffsets.reserveCapacity(rows + 1) }
        let elements = if case .vector(let dimension) = type { rows * dimension } else { rows }
        reserveElements(elements)
    }

    @inlinable
    public func isNull(_ row: Int) -> Bool { !validity[row] }

    /// The bytes of a string or bytes row, or of an element of an array of them.
    @inlinable
    public func byteRun(_ index: Int) -> ArraySlice<UInt8> {
        bytes[byteOffsets[index]..<byteOffsets[index + 1]]
    }

    /// The elements of row `row` of an array, as indices into the element storage.
    @inlinable
    public func elementRange(_ row: Int) -> Range<Int> {
        listOffsets[row]..<listOffsets[row + 1]
    }
}
