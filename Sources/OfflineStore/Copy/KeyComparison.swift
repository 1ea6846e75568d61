import FeatureModel

extension Column {
    /// Compares key values of two rows as PostgreSQL orders them: negative, zero or positive.
    func compareKeys(_ row: Int, _ other: Column, _ otherRow: Int) -> Int {
        switch elementType {
        case .bool: (bools[row] ? 1 : 0) - (other.bools[otherRow] ? 1 : 0)
        case .int32, .date: Self.compare(int32s[row], other.int32s[otherRow])
        case .int64, .timestamp: Self.compare(int64s[row], other.int64s[otherRow])
        case .string, .bytes: Self.compare(byteRun(row), other.byteRun(otherRow))
        case .float32, .float64: 0  // never a join key
        }
    }

    private static func compare<T: Comparable>(_ left: T, _ right: T) -> Int {
        left < right ? -1 : (left == right ? 0 : 1)
    }

    private static func compare(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
        if left.elementsEqual(right) { return 0 }
        return left.lexicographicallyPrecedes(right) ? -1 : 1
    }
}
