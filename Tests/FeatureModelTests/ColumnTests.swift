import FeatureModel
import Testing

@Suite struct ColumnTests {
    static let types =
        ScalarType.allCases.map { ValueType.scalar($0) } + ScalarType.allCases.map { ValueType.array($0) }
        + [.vector(dimension: 3)]

    @Test("a column gives back the values appended to it, in order", arguments: types)
    func append(type: ValueType) throws {
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(state: seed)
            let values = (0..<Int.random(in: 0...40, using: &random)).map { _ in Value.random(of: type, &random) }
            let column = try #require(Column(type: type, values: values))
            #expect((0..<column.count).map { column[$0] } == values, "seed \(seed)")
            #expect(column.nullCount == values.count { $0.isNull }, "seed \(seed)")
        }
    }

    @Test("gathering, slicing and copying row by row give the rows asked for", arguments: types)
    func gather(type: ValueType) throws {
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(state: seed)
            let values = (0..<17).map { _ in Value.random(of: type, &random) }
            let column = try #require(Column(type: type, values: values))
            let rows = (0..<30).map { _ in Int.random(in: -1..<17, using: &random) }
            let expected = rows.map { $0 < 0 ? .null : values[$0] }
            for result in [column.gathered(rows), column.gathered(at: rows.map(Int32.init))] {
                #expect((0..<result.count).map { result[$0] } == expected, "seed \(seed)")
                #expect(result.nullCount == expected.count { $0.isNull }, "seed \(seed)")
            }
            let part = column.gathered(at: rows.map(Int32.init)[7..<19])
            #expect((0..<part.count).map { part[$0] } == Array(expected[7..<19]), "seed \(seed)")
            let slice = column.slice(3..<9)
            #expect((0..<slice.count).map { slice[$0] } == Array(values[3..<9]), "seed \(seed)")
            var copy = Column(type: type)
            for row in 0..<column.count { copy.append(from: column, row: row) }
            #expect(copy == column, "seed \(seed)")
        }
    }

    @Test("columns put together again are the column they were cut from, down to its storage", arguments: types)
    func concatenate(type: ValueType) throws {
        for seed in UInt64(1)...20 {
            var random = SeededGenerator(state: seed)
            let values = (0..<40).map { _ in Value.random(of: type, &random) }
            let column = try #require(Column(type: type, values: values))
            var edges = (0..<3).map { _ in Int.random(in: 0...40, using: &random) }.sorted()
            edges = [0] + edges + [40]
            var whole = Column(type: type)
            for (start, end) in zip(edges, edges.dropFirst()) { whole.append(contentsOf: column.slice(start..<end)) }
            #expect(whole == column && whole.validity == column.validity, "seed \(seed)")
            #expect(whole.bytes == column.bytes && whole.byteOffsets == column.byteOffsets, "seed \(seed)")
            #expect(whole.listOffsets == column.listOffsets, "seed \(seed)")
        }
    }

    @Test("a column of nulls", arguments: types)
    func nulls(type: ValueType) {
        for count in [0, 1, 8, 9] {
            let column = Column(type: type, nulls: count)
            #expect(column == Column(type: type, values: repeatElement(.null, count: count)))
            #expect(column.nullCount == count)
        }
    }

    @Test("short and long runs of bytes are gathered whole, also at both ends of the storage")
    func runs() throws {
        let values = [17, 0, 16, 1, 15, 40, 8, 3].enumerated().map { index, length in
            Value.bytes((0..<length).map { UInt8(16 * index + $0 % 16) })
        }
        let column = try #require(Column(type: .bytes, values: values))
        for seed in UInt64(1)...50 {
            var random = SeededGenerator(state: seed)
            let rows = (0..<Int.random(in: 0...12, using: &random)).map { _ in Int32.random(in: -1..<8, using: &random)
            }
            let gathered = column.gathered(at: rows)
            #expect(
                (0..<gathered.count).map { gathered[$0] } == rows.map { $0 < 0 ? .null : values[Int($0)] },
                "seed \(seed)")
        }
    }

    @Test("a value of another type is refused and appends nothing")
    func wrongType() {
        for type in Self.types {
            for other in Self.types where other != type {
                var random = SeededGenerator(state: 3)
                let value = (0..<50).lazy.map { _ in Value.random(of: other, &random) }.first { !$0.fits(type) }
                guard let value else {
                    // Only an array can fit another array type: when it is empty, as it may be throughout.
                    Issue.record("no value of \(other) is refused by \(type)")
                    continue
                }
                var column = Column(type: type)
                #expect(!column.append(value) && column.count == 0, "\(value) in \(type)")
                #expect(Column(type: type, values: [.null, value]) == nil, "\(value) in \(type)")
            }
        }
        var vector = Column(type: .vector(dimension: 3))
        #expect(!vector.append(.vector([1, 2])) && vector.count == 0)
    }

    @Test("equality is by rows: what lies under a null does not matter, NaN is itself, -0.0 is not 0.0")
    func equality() throws {
        let validity = Validity(count: 2, bits: [0b01])
        let left = try Column(type: .int64, validity: validity, int64s: [1, 2])
        let right = try Column(type: .int64, validity: validity, int64s: [1, 3])
        #expect(left == right)
        #expect(try Column(type: .int64, validity: Validity(allValid: 2), int64s: [1, 2]) != left)
        #expect(Column(type: .timestamp) != Column(type: .int64))
        #expect(Column(type: .float64, values: [.float64(.nan)]) == Column(type: .float64, values: [.float64(.nan)]))
        #expect(Column(type: .float64, values: [.float64(-0.0)]) != Column(type: .float64, values: [.float64(0)]))
        #expect(Column(type: .string, values: [.string("é")]) != Column(type: .string, values: [.string("e\u{301}")]))
    }

    @Test("adopted buffers must have the rows' length and ascending offsets within the bytes")
    func adoption() throws {
        let two = Validity(allValid: 2)
        #expect(throws: Column.StorageError.wrongLength) { try Column(type: .int64, validity: two, int64s: [1]) }
        #expect(throws: Column.StorageError.wrongLength) {
            try Column(type: .vector(dimension: 3), validity: two, float32s: [1, 2, 3])
        }
        for offsets in [[0, 2, 1], [1, 2, 2], [0, 1, 1], [0, 3, 2]] {
            #expect(throws: Column.StorageError.offsetsNotAscending, "\(offsets)") {
                try Column(type: .bytes, validity: two, byteOffsets: offsets, bytes: [7, 8])
            }
        }
        #expect(throws: Column.StorageError.wrongLength) {
            try Column(type: .bytes, validity: two, byteOffsets: [0, 2], bytes: [7, 8])
        }
        let elements = try #require(Column(type: .string, values: [.string("a"), .string("b")]))
        let lists = try Column(arrayOf: elements, validity: two, listOffsets: [0, 0, 2])
        #expect(lists == Column(type: .array(.string), values: [.array([]), .array([.string("a"), .string("b")])]))
        #expect(throws: Column.StorageError.offsetsNotAscending) {
            try Column(arrayOf: elements, validity: two, listOffsets: [0, 1, 1])
        }
    }
}

@Suite struct ValidityTests {
    @Test("bits stand as Arrow has them, whichever way they came")
    func bits() {
        for seed in UInt64(1)...200 {
            var random = SeededGenerator(state: seed)
            let flags = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Int.random(in: 0..<3, using: &random) > 0
            }
            var appended = Validity()
            for flag in flags { appended.append(flag) }
            var packed = [UInt8](repeating: 0, count: (flags.count + 7) / 8)
            for (row, flag) in flags.enumerated() where flag { packed[row / 8] |= 1 << UInt8(row % 8) }
            #expect(flags.indices.map { appended[$0] } == flags, "seed \(seed)")
            #expect(appended.nullCount == flags.count { !$0 }, "seed \(seed)")
            #expect(appended.bits == (flags.contains(false) ? packed : []), "seed \(seed)")
            // Bits beyond the rows are ignored, and more bytes than needed too.
            if flags.count % 8 != 0 { packed[packed.count - 1] |= UInt8(truncatingIfNeeded: 0xFF << (flags.count % 8)) }
            #expect(Validity(count: flags.count, bits: packed + [0xFF]) == appended, "seed \(seed)")
        }
    }

    @Test("slices and what is appended at once have the bits of single appends")
    func runs() {
        for seed in UInt64(1)...300 {
            var random = SeededGenerator(state: seed)
            // Long stretches without a null too, so that bits come and go.
            let flags = (0..<Int.random(in: 0...6, using: &random)).flatMap { _ in
                let isMixed = Bool.random(using: &random)
                return (0..<Int.random(in: 0...30, using: &random)).map { _ in !isMixed || Bool.random(using: &random) }
            }
            func single(_ flags: some Sequence<Bool>) -> Validity {
                var validity = Validity()
                for flag in flags { validity.append(flag) }
                return validity
            }
            let whole = single(flags)
            let edges = (0..<2).map { _ in Int.random(in: 0...flags.count, using: &random) }.sorted()
            let slice = whole.slice(edges[0]..<edges[1])
            #expect(slice == single(flags[edges[0]..<edges[1]]), "seed \(seed)")
            var joined = slice
            joined.append(contentsOf: whole)
            #expect(joined == single(flags[edges[0]..<edges[1]] + flags), "seed \(seed)")
            for flag in [true, false] {
                joined = slice
                joined.append(flag, repeating: edges[0])
                #expect(
                    joined == single(flags[edges[0]..<edges[1]] + repeatElement(flag, count: edges[0])), "seed \(seed)")
            }
        }
    }

    @Test("repeated appends are single ones")
    func repeating() {
        var repeated = Validity()
        var single = Validity()
        for (flag, times) in [(true, 5), (false, 3), (true, 9), (false, 0), (true, 1)] {
            repeated.append(flag, repeating: times)
            for _ in 0..<times { single.append(flag) }
        }
        #expect(repeated == single && repeated.count == 18 && repeated.nullCount == 3)
        var valid = Validity()
        valid.append(true, repeating: 1_000)
        #expect(valid == Validity(allValid: 1_000) && valid.bits.isEmpty)
    }
}

@Suite struct WideningTests {
    @Test("lossless widening keeps values and nulls")
    func lossless() throws {
        let cases: [(ValueType, Value, ValueType, Value)] = [
            (.int32, .int32(.min), .int64, .int64(Int64(Int32.min))),
            (.int32, .int32(.max), .float64, .float64(2_147_483_647)),
            (.float32, .float32(0.1), .float64, .float64(Double(Float(0.1)))),
            (.int64, .int64(1 << 53), .float64, .float64(9_007_199_254_740_992)),
            (.int64, .int64(-(1 << 53)), .float64, .float64(-9_007_199_254_740_992)),
        ]
        for (from, value, target, expected) in cases {
            let column = try #require(Column(type: from, values: [value, .null]))
            let widened = column.widened(to: target) { Issue.record("row \($0) of \(from) lost") }
            #expect(widened == Column(type: target, values: [expected, .null]), "\(from) to \(target)")
        }
    }

    @Test("an integer beyond 2^53 is told by its row and becomes a null in a float64 column")
    func loss() throws {
        let beyond: Int64 = (1 << 53) + 1
        let column = try #require(Column(type: .int64, values: [.int64(1), .int64(beyond), .int64(.min)]))
        var lost: [Int] = []
        let widened = column.widened(to: .float64) { lost.append($0) }
        #expect(widened == Column(type: .float64, values: [.float64(1), .null, .null]) && lost == [1, 2])
    }

    @Test("a type accepts itself and what widens without loss, and a column widens exactly where it is accepted")
    func acceptance() {
        let accepted: Set<[ValueType]> = [
            [.int64, .int32], [.float64, .float32], [.float64, .int32], [.float64, .int64],
        ]
        for target in ColumnTests.types {
            for other in ColumnTests.types {
                let isAccepted = target == other || accepted.contains([target, other])
                #expect(target.acceptsOnWrite(other) == isAccepted, "\(other) to \(target)")
                #expect(
                    (Column(type: other).widened(to: target) { _ in } != nil) == isAccepted, "\(other) to \(target)")
            }
        }
    }
}
