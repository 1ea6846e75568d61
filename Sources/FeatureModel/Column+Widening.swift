extension Column {
    /// Integers beyond this magnitude are not all exact in a float64.
    public static let largestExactIntegerInFloat64: Int64 = 1 << 53

    /// This column as `target`, by lossless widening only.
    ///
    /// - Parameter onLoss: told each row whose integer no float64 holds exactly; that row becomes a null.
    /// - Returns: nil when `target` does not accept this column's type on write.
    public func widened(to target: ValueType, onLoss: (_ row: Int) -> Void) -> Column? {
        if type == target { return self }
        guard target.acceptsOnWrite(type) else { return nil }
        var result = Column(type: target)
        result.reserveCapacity(count)
        for row in 0..<count {
            guard validity[row] else {
                result.appendNull()
                continue
            }
            switch (type, target) {
            case (.scalar(.int32), .scalar(.int64)): result.append(int64: Int64(int32s[row]))
            case (.scalar(.float32), .scalar(.float64)): result.append(float64: Double(float32s[row]))
            case (.scalar(.int32), .scalar(.float64)): result.append(float64: Double(int32s[row]))
            default:
                let value = int64s[row]
                if value.magnitude <= Self.largestExactIntegerInFloat64.magnitude {
                    result.append(float64: Double(value))
                } else {
                    onLoss(row)
                    result.appendNull()
                }
            }
        }
        return result
    }
}
