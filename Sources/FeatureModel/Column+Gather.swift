// Rows picked by their number. This is what a training set's features are made with, so it works column by column and
// never asks for the type inside of a loop.

extension Column {
    /// The rows at `indices`, in that order; a negative index gives a null.
    public func gathered(at indices: [Int32]) -> Column { gathered(at: indices.span) }

    /// The rows at `indices`, in that order; a negative index gives a null. Takes a part of an array as it is.
    public func gathered(at indices: ArraySlice<Int32>) -> Column { gathered(at: indices.span) }

    /// The rows at `rows`, in that order; a negative index gives a null.
    public func gathered(_ rows: some Collection<Int>) -> Column { gathered(at: Array(rows).span) }

    /// A column of null rows.
    public init(type: ValueType, nulls count: Int) {
        self = Column(type: type).gathered(repeatElement(-1, count: count))
    }

    private func gathered(at rows: Span<some FixedWidthInteger & SignedInteger>) -> Column {
        var result = Column(type: type)
        result.validity = validity.gathered(at: rows)
        switch (type, elementType) {
        case (.array, _): gatherLists(at: rows, into: &result)
        case (.vector(let dimension), _): result.float32s = pickVectors(at: rows, dimension: dimension)
        case (_, .bool): result.bools = Self.pick(bools, at: rows, zero: false)
        case (_, .int32), (_, .date): result.int32s = Self.pick(int32s, at: rows, zero: 0)
        case (_, .int64), (_, .timestamp): result.int64s = Self.pick(int64s, at: rows, zero: 0)
        case (_, .float32): result.float32s = Self.pick(float32s, at: rows, zero: 0)
        case (_, .float64): result.float64s = Self.pick(float64s, at: rows, zero: 0)
        case (_, .string), (_, .bytes):
            result.byteOffsets = Self.pickOffsets(byteOffsets, at: rows)
            result.bytes = pickRuns(at: rows, offsets: result.byteOffsets)
        }
        return result
    }

    private static func pick<Element: BitwiseCopyable>(
        _ elements: [Element], at rows: Span<some FixedWidthInteger & SignedInteger>, zero: Element
    ) -> [Element] {
        let elements = elements.span
        return [Element](capacity: rows.count) { output in
            for position in rows.indices {
                let row = Int(rows[position])
                output.append(row < 0 ? zero : elements[row])
            }
        }
    }

    private func pickVectors(
        at rows: Span<some FixedWidthInteger & SignedInteger>, dimension: Int
    ) -> [Float] {
        var picked: [Float] = []
        picked.reserveCapacity(rows.count * dimension)
        for position in rows.indices {
            let row = Int(rows[position])
            if row < 0 {
                picked.append(contentsOf: repeatElement(0, count: dimension))
            } else {
                picked.append(contentsOf: float32s[row * dimension..<(row + 1) * dimension])
            }
        }
        return picked
    }

    /// The offsets of runs put side by side, whose lengths are those of the runs at `rows`.
    private static func pickOffsets(
        _ offsets: [Int], at rows: Span<some FixedWidthInteger & SignedInteger>
    ) -> [Int] {
        let offsets = offsets.span
        return [Int](capacity: rows.count + 1) { output in
            var end = 0
            output.append(0)
            for position in rows.indices {
                let row = Int(rows[position])
                if row >= 0 { end += offsets[row + 1] - offsets[row] }
                output.append(end)
            }
        }
    }

    /// The bytes at `rows`, which come to lie at `offsets`.
    private func pickRuns(
        at rows: Span<some FixedWidthInteger & SignedInteger>, offsets: [Int]
    ) -> [UInt8] {
        let total = offsets[offsets.count - 1]
        let offsets = offsets.span
        let starts = byteOffsets.span
        return [UInt8](unsafeUninitializedCapacity: total) { target, initialized in
            bytes.withUnsafeBytes { source in
                let target = UnsafeMutableRawBufferPointer(target)
                for position in rows.indices {
                    let row = Int(rows[position])
                    if row >= 0 {
                        let length = offsets[position + 1] - offsets[position]
                        target.copyRun(source, from: starts[row], to: offsets[position], length: length)
                    }
                }
            }
            initialized = total
        }
    }

    private func gatherLists(
        at rows: Span<some FixedWidthInteger & SignedInteger>, into result: inout Column
    ) {
        result.listOffsets = Self.pickOffsets(listOffsets, at: rows)
        result.reserveElements(result.listOffsets[rows.count])
        for position in rows.indices where rows[position] >= 0 {
            result.appendElements(of: self, elementRange(Int(rows[position])))
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Copies a run of bytes to where all runs after it are still to be copied.
    ///
    /// Most strings are short: 16 bytes are moved without asking how many are needed, where there is room for them.
    @inline(__always)
    fileprivate func copyRun(_ source: UnsafeRawBufferPointer, from start: Int, to end: Int, length: Int) {
        precondition(start >= 0 && length >= 0 && start <= source.count - length && end <= count - length)
        if length <= 16, start <= source.count - 16, end <= count - 16 {
            let bytes = source.loadUnaligned(fromByteOffset: start, as: SIMD2<UInt64>.self)
            storeBytes(of: bytes, toByteOffset: end, as: SIMD2<UInt64>.self)
        } else if length > 0 {
            let run = UnsafeRawBufferPointer(rebasing: source[start..<start + length])
            UnsafeMutableRawBufferPointer(rebasing: self[end..<end + length]).copyMemory(from: run)
        }
    }
}
