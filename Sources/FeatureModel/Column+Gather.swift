extension Column {
    /// The rows at `indices`, in that order; a negative index gives a null. For many rows at once.
    public func gathered(at indices: [Int32]) -> Column {
        guard case .array = type else {
            var result = Column(type: type)
            result.validity = validity.gathered(at: indices)
            switch (type, elementType) {
            case (.vector(let dimension), _):
                result.float32s.reserveCapacity(indices.count * dimension)
                for index in indices {
                    if index < 0 {
                        result.float32s.append(contentsOf: repeatElement(0, count: dimension))
                    } else {
                        result.float32s.append(
                            contentsOf: float32s[Int(index) * dimension..<(Int(index) + 1) * dimension])
                    }
                }
            case (_, .bool): result.bools = Self.pick(bools, at: indices, zero: false)
            case (_, .int32), (_, .date): result.int32s = Self.pick(int32s, at: indices, zero: 0)
            case (_, .int64), (_, .timestamp): result.int64s = Self.pick(int64s, at: indices, zero: 0)
            case (_, .float32): result.float32s = Self.pick(float32s, at: indices, zero: 0)
            case (_, .float64): result.float64s = Self.pick(float64s, at: indices, zero: 0)
            case (_, .string), (_, .bytes):
                result.byteOffsets.reserveCapacity(indices.count + 1)
                for index in indices {
                    if index >= 0 { result.bytes.append(contentsOf: byteRun(Int(index))) }
                    result.byteOffsets.append(result.bytes.count)
                }
            }
            return result
        }
        return gathered(indices.lazy.map(Int.init))
    }

    private static func pick<Element>(_ elements: [Element], at indices: [Int32], zero: Element) -> [Element] {
        var picked: [Element] = []
        picked.reserveCapacity(indices.count)
        for index in indices { picked.append(index < 0 ? zero : elements[Int(index)]) }
        return picked
    }
}

extension Validity {
    /// The rows at `indices`; a negative index is not valid.
    func gathered(at indices: [Int32]) -> Validity {
        var result = Validity()
        for index in indices { result.append(index >= 0 && self[Int(index)]) }
        return result
    }
}
