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
            for index in other.elementRange(row) { appendElement(from: other, index: index) }
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

    /// Appends every row of a column of the same type.
    public mutating func append(contentsOf other: Column) {
        precondition(other.type == type, "a \(type) column takes no rows of a \(other.type) column")
        bools.append(contentsOf: other.bools)
        int32s.append(contentsOf: other.int32s)
        int64s.append(contentsOf: other.int64s)
        float32s.append(contentsOf: other.float32s)
        float64s.append(contentsOf: other.float64s)
        if let end = byteOffsets.last {
            byteOffsets.append(contentsOf: other.byteOffsets.dropFirst().lazy.map { $0 + end })
        }
        if let end = listOffsets.last {
            listOffsets.append(contentsOf: other.listOffsets.dropFirst().lazy.map { $0 + end })
        }
        bytes.append(contentsOf: other.bytes)
        validity.append(contentsOf: other.validity)
    }

    /// The rows at `rows`, in that order; a negative index gives a null.
    public func gathered(_ rows: some Collection<Int>) -> Column {
        var result = Column(type: type)
        result.reserveCapacity(rows.count)
        for row in rows {
            if row < 0 { result.appendNull() } else { result.append(from: self, row: row) }
        }
        return result
    }

    /// The rows in `rows`.
    public func slice(_ rows: Range<Int>) -> Column {
        if rows == 0..<count { return self }
        var result = Column(type: type)
        var elements = rows
        switch type {
        case .scalar: break
        case .array:
            elements = listOffsets[rows.lowerBound]..<listOffsets[rows.upperBound]
            result.listOffsets = listOffsets[rows.lowerBound...rows.upperBound].map { $0 - elements.lowerBound }
        case .vector(let dimension):
            elements = rows.lowerBound * dimension..<rows.upperBound * dimension
        }
        switch elementType {
        case .bool: result.bools = Array(bools[elements])
        case .int32, .date: result.int32s = Array(int32s[elements])
        case .int64, .timestamp: result.int64s = Array(int64s[elements])
        case .float32: result.float32s = Array(float32s[elements])
        case .float64: result.float64s = Array(float64s[elements])
        case .string, .bytes:
            let start = byteOffsets[elements.lowerBound]
            result.byteOffsets = byteOffsets[elements.lowerBound...elements.upperBound].map { $0 - start }
            result.bytes = Array(bytes[start..<byteOffsets[elements.upperBound]])
        }
        result.validity = validity.slice(rows)
        return result
    }
}
