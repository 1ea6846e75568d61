// Adopting whole buffers, for readers that hold a column's storage already.

extension Column {
    /// Why a buffer cannot be a column's storage.
    public enum StorageError: Error, Equatable {
        case wrongLength
        case offsetsNotAscending
    }

    public init(type: ValueType, validity: Validity, bools: [Bool]) throws(StorageError) {
        guard bools.count == validity.count else { throw .wrongLength }
        self.init(type: type)
        self.validity = validity
        self.bools = bools
    }

    public init(type: ValueType, validity: Validity, int32s: [Int32]) throws(StorageError) {
        guard int32s.count == validity.count else { throw .wrongLength }
        self.init(type: type)
        self.validity = validity
        self.int32s = int32s
    }

    public init(type: ValueType, validity: Validity, int64s: [Int64]) throws(StorageError) {
        guard int64s.count == validity.count else { throw .wrongLength }
        self.init(type: type)
        self.validity = validity
        self.int64s = int64s
    }

    /// float32, or a vector with `dimension` values a row.
    public init(type: ValueType, validity: Validity, float32s: [Float]) throws(StorageError) {
        let perRow = if case .vector(let dimension) = type { dimension } else { 1 }
        guard float32s.count == validity.count * perRow else { throw .wrongLength }
        self.init(type: type)
        self.validity = validity
        self.float32s = float32s
    }

    public init(type: ValueType, validity: Validity, float64s: [Double]) throws(StorageError) {
        guard float64s.count == validity.count else { throw .wrongLength }
        self.init(type: type)
        self.validity = validity
        self.float64s = float64s
    }

    /// string (the caller has checked the UTF-8) or bytes.
    public init(type: ValueType, validity: Validity, byteOffsets: [Int], bytes: [UInt8]) throws(StorageError) {
        guard byteOffsets.count == validity.count + 1 else { throw .wrongLength }
        try Self.check(offsets: byteOffsets, over: bytes.count)
        self.init(type: type)
        self.validity = validity
        self.byteOffsets = byteOffsets
        self.bytes = bytes
    }

    /// array<T>, of the elements of a T column without nulls.
    public init(
        arrayOf elements: Column, validity: Validity, listOffsets: [Int]
    ) throws(StorageError) {
        guard listOffsets.count == validity.count + 1 else { throw .wrongLength }
        try Self.check(offsets: listOffsets, over: elements.count)
        self.init(type: .array(elements.elementType))
        bools = elements.bools
        int32s = elements.int32s
        int64s = elements.int64s
        float32s = elements.float32s
        float64s = elements.float64s
        bytes = elements.bytes
        byteOffsets = elements.byteOffsets
        self.validity = validity
        self.listOffsets = listOffsets
    }

    private static func check(offsets: [Int], over length: Int) throws(StorageError) {
        guard offsets.first == 0, offsets.last == length else { throw .offsetsNotAscending }
        var previous = 0
        var descents = 0
        for offset in offsets {
            descents += offset < previous ? 1 : 0
            previous = offset
        }
        guard descents == 0 else { throw .offsetsNotAscending }
    }
}
