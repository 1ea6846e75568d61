extension Column {
    /// Whether two rows of columns of one type hold the same value; floats by bit pattern.
    public func rowEquals(_ row: Int, _ other: Column, _ otherRow: Int) -> Bool {
        let valid = validity[row]
        guard valid == other.validity[otherRow] else { return false }
        guard valid else { return true }
        switch type {
        case .scalar: return elementEquals(row, other, otherRow)
        case .array:
            let left = elementRange(row)
            let right = other.elementRange(otherRow)
            return left.count == right.count && zip(left, right).allSatisfy { elementEquals($0, other, $1) }
        case .vector(let dimension):
            return (0..<dimension).allSatisfy { elementEquals(row * dimension + $0, other, otherRow * dimension + $0) }
        }
    }

    private func elementEquals(_ index: Int, _ other: Column, _ otherIndex: Int) -> Bool {
        switch elementType {
        case .bool: bools[index] == other.bools[otherIndex]
        case .int32, .date: int32s[index] == other.int32s[otherIndex]
        case .int64, .timestamp: int64s[index] == other.int64s[otherIndex]
        case .float32: float32s[index].bitPattern == other.float32s[otherIndex].bitPattern
        case .float64: float64s[index].bitPattern == other.float64s[otherIndex].bitPattern
        case .string, .bytes: byteRun(index).elementsEqual(other.byteRun(otherIndex))
        }
    }
}

/// Equality by rows, so that what a null row holds underneath does not matter; floats by bit pattern.
extension Column: Equatable {
    public static func == (left: Column, right: Column) -> Bool {
        left.type == right.type && left.count == right.count
            && (0..<left.count).allSatisfy { left.rowEquals($0, right, $0) }
    }
}
