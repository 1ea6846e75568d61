extension Column {
    /// The value of a row.
    public subscript(row: Int) -> Value {
        guard validity[row] else { return .null }
        switch type {
        case .scalar: return element(row)
        case .array: return .array(elementRange(row).map { element($0) })
        case .vector(let dimension): return .vector(Array(float32s[row * dimension..<(row + 1) * dimension]))
        }
    }

    private func element(_ index: Int) -> Value {
        switch elementType {
        case .bool: .bool(bools[index])
        case .int32: .int32(int32s[index])
        case .int64: .int64(int64s[index])
        case .float32: .float32(float32s[index])
        case .float64: .float64(float64s[index])
        case .string: .string(String(decoding: byteRun(index), as: UTF8.self))
        case .bytes: .bytes(Array(byteRun(index)))
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: int64s[index]))
        case .date: .date(CalendarDate(daysSince1970: int32s[index]))
        }
    }

    /// Appends a value of exactly this column's type, or a null.
    /// - Returns: false, with nothing appended, when the value is of another type.
    @discardableResult
    public mutating func append(_ value: Value) -> Bool {
        switch (type, value) {
        case (_, .null):
            appendNull()
        case (.array(let element), .array(let values)):
            guard values.allSatisfy({ $0.isScalar(of: element) }) else { return false }
            for value in values { appendElement(value) }
            listOffsets.append(elementCount)
            validity.append(true)
        case (.vector(let dimension), .vector(let values)):
            guard values.count == dimension else { return false }
            float32s.append(contentsOf: values)
            validity.append(true)
        case (.scalar(let scalar), _):
            guard value.isScalar(of: scalar) else { return false }
            appendElement(value)
            validity.append(true)
        default:
            return false
        }
        return true
    }

    private mutating func appendElement(_ value: Value) {
        switch value {
        case .bool(let value): bools.append(value)
        case .int32(let value): int32s.append(value)
        case .int64(let value): int64s.append(value)
        case .float32(let value): float32s.append(value)
        case .float64(let value): float64s.append(value)
        case .string(let value): appendElement(bytes: value.utf8)
        case .bytes(let value): appendElement(bytes: value)
        case .timestamp(let value): int64s.append(value.microsecondsSince1970)
        case .date(let value): int32s.append(value.daysSince1970)
        case .null, .array, .vector: break
        }
    }

    /// A column of the given values.
    /// - Returns: nil when one of them is of another type.
    public init?(type: ValueType, values: some Sequence<Value>) {
        self.init(type: type)
        for value in values where !append(value) { return nil }
    }
}

extension Value {
    /// Whether the value is a non-null scalar of exactly that type.
    public func isScalar(of type: ScalarType) -> Bool {
        switch (self, type) {
        case (.bool, .bool), (.int32, .int32), (.int64, .int64), (.float32, .float32), (.float64, .float64),
            (.string, .string), (.bytes, .bytes), (.timestamp, .timestamp), (.date, .date):
            true
        default:
            false
        }
    }

    /// Whether the value may stand in a column of that type; a null may stand anywhere.
    public func fits(_ type: ValueType) -> Bool {
        switch (self, type) {
        case (.null, _): true
        case (.array(let values), .array(let element)): values.allSatisfy { $0.isScalar(of: element) }
        case (.vector(let values), .vector(let dimension)): values.count == dimension
        case (_, .scalar(let scalar)): isScalar(of: scalar)
        default: false
        }
    }
}
