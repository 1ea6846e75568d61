// Whole runs of rows: elements are copied as memory, offsets are moved.

extension Column {
    /// Appends every row of a column of the same type.
    public mutating func append(contentsOf other: Column) {
        precondition(other.type == type, "a \(type) column takes no rows of a \(other.type) column")
        if let end = listOffsets.last { listOffsets.append(offsets: other.listOffsets[...], movedBy: end) }
        appendElements(of: other, 0..<other.elementCount)
        validity.append(contentsOf: other.validity)
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
            result.listOffsets.append(
                offsets: listOffsets[rows.lowerBound...rows.upperBound], movedBy: -elements.lowerBound)
        case .vector(let dimension):
            elements = rows.lowerBound * dimension..<rows.upperBound * dimension
        }
        result.appendElements(of: self, elements)
        result.validity = validity.slice(rows)
        return result
    }

    /// Appends a run of another column's stored elements, which are of this column's type.
    mutating func appendElements(of other: Column, _ elements: Range<Int>) {
        switch elementType {
        case .bool: bools.append(contentsOf: other.bools[elements])
        case .int32, .date: int32s.append(contentsOf: other.int32s[elements])
        case .int64, .timestamp: int64s.append(contentsOf: other.int64s[elements])
        case .float32: float32s.append(contentsOf: other.float32s[elements])
        case .float64: float64s.append(contentsOf: other.float64s[elements])
        case .string, .bytes:
            let start = other.byteOffsets[elements.lowerBound]
            byteOffsets.append(
                offsets: other.byteOffsets[elements.lowerBound...elements.upperBound], movedBy: bytes.count - start)
            bytes.append(contentsOf: other.bytes[start..<other.byteOffsets[elements.upperBound]])
        }
    }

    /// Makes room for stored elements; how long strings and bytes are is not known.
    mutating func reserveElements(_ count: Int) {
        switch elementType {
        case .bool: bools.reserveCapacity(count)
        case .int32, .date: int32s.reserveCapacity(count)
        case .int64, .timestamp: int64s.reserveCapacity(count)
        case .float32: float32s.reserveCapacity(count)
        case .float64: float64s.reserveCapacity(count)
        case .string, .bytes: byteOffsets.reserveCapacity(count + 1)
        }
    }
}

extension [Int] {
    /// Appends the ends of the runs that `offsets` bound, each moved by `distance`.
    fileprivate mutating func append(offsets: ArraySlice<Int>, movedBy distance: Int) {
        let offsets = offsets.span
        append(addingCapacity: offsets.count - 1) { output in
            for index in 1..<offsets.count { output.append(offsets[index] + distance) }
        }
    }
}
