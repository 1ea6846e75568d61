// Appending typed values. Callers pick the method that fits `type`; a mismatch is a bug of ours, not of a user,
// and stops the process in `assert` builds only where checking each value would cost the hot path.

extension Column {
    public mutating func appendNull() {
        validity.append(false)
        switch type {
        case .scalar: appendZeroElement()
        case .array: listOffsets.append(listOffsets[listOffsets.count - 1])
        case .vector(let dimension):
            for _ in 0..<dimension { float32s.append(0) }
        }
    }

    public mutating func append(bool value: Bool) {
        bools.append(value)
        validity.append(true)
    }

    /// int32 and date.
    public mutating func append(int32 value: Int32) {
        int32s.append(value)
        validity.append(true)
    }

    /// int64 and timestamp.
    public mutating func append(int64 value: Int64) {
        int64s.append(value)
        validity.append(true)
    }

    public mutating func append(float32 value: Float) {
        float32s.append(value)
        validity.append(true)
    }

    public mutating func append(float64 value: Double) {
        float64s.append(value)
        validity.append(true)
    }

    /// string (UTF-8, checked by the caller) and bytes.
    public mutating func append(bytes value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
        byteOffsets.append(bytes.count)
        validity.append(true)
    }

    public mutating func append(bytes value: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: value)
        byteOffsets.append(bytes.count)
        validity.append(true)
    }

    public mutating func append(string value: String) {
        append(bytes: value.utf8)
    }

    /// An array or vector row; each element is appended by `body` with the `appendElement` methods.
    public mutating func appendList<Failure: Error>(
        _ body: (inout Column) throws(Failure) -> Void
    ) throws(Failure) {
        try body(&self)
        if case .array = type { listOffsets.append(elementCount) }
        validity.append(true)
    }

    public mutating func appendElement(bool value: Bool) { bools.append(value) }
    public mutating func appendElement(int32 value: Int32) { int32s.append(value) }
    public mutating func appendElement(int64 value: Int64) { int64s.append(value) }
    public mutating func appendElement(float32 value: Float) { float32s.append(value) }
    public mutating func appendElement(float64 value: Double) { float64s.append(value) }
    public mutating func appendElement(bytes value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
        byteOffsets.append(bytes.count)
    }

    /// Number of stored elements, over all rows.
    public var elementCount: Int {
        switch elementType {
        case .bool: bools.count
        case .int32, .date: int32s.count
        case .int64, .timestamp: int64s.count
        case .float32: float32s.count
        case .float64: float64s.count
        case .string, .bytes: byteOffsets.count - 1
        }
    }

    private mutating func appendZeroElement() {
        switch elementType {
        case .bool: bools.append(false)
        case .int32, .date: int32s.append(0)
        case .int64, .timestamp: int64s.append(0)
        case .float32: float32s.append(0)
        case .float64: float64s.append(0)
        case .string, .bytes: byteOffsets.append(bytes.count)
        }
    }

    /// Appends row `row` of a column of the same type.
    public mutating func append(from other: Column, row: Int) {
        precondition(other.type == type, "a \(type) column takes no rows of a \(other.type) column")
        guard other.validity[row] else { return appendNull() }
        switch type {
        case .scalar: appendElement(from: other, index: row)
        case .array:
            appendElements(of: other, other.elementRange(row))
            listOffsets.append(elementCount)
        case .vector(let dimension):
            float32s.append(contentsOf: other.float32s[row * dimension..<(row + 1) * dimension])
        }
        validity.append(true)
    }

    private mutating func appendElement(from other: Column, index: Int) {
        switch elementType {
        case .bool: bools.append(other.bools[index])
        case .int32, .date: int32s.append(other.int32s[index])
        case .int64, .timestamp: int64s.append(other.int64s[index])
        case .float32: float32s.append(other.float32s[index])
        case .float64: float64s.append(other.float64s[index])
        case .string, .bytes:
            bytes.append(contentsOf: other.byteRun(index))
            byteOffsets.append(bytes.count)
        }
    }
}
