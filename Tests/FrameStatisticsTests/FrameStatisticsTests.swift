import FeatureModel
import FrameStatistics
import Testing

/// Against exact computation, on seeded random frames cut into batches at random.
@Suite struct FrameStatisticsTests {
    /// xorshift64*, so that failures can be repeated.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            return state &* 0x2545_F491_4F6C_DD1D
        }
    }

    private static func statistics(_ column: Column, cuts: [Int]) throws -> ColumnStatistics {
        let field = Field(name: "value", type: column.type)
        var statistics = FrameStatistics(fields: [field])
        var start = 0
        for end in cuts.sorted() + [column.count] where end > start {
            let rows = start..<end
            statistics.add(RecordBatch(fields: [field], columns: [column.slice(rows)], rowCount: rows.count))
            start = end
        }
        return try #require(statistics.finish().first)
    }

    @Test("numbers agree with exact computation, however the rows are cut", arguments: 1...30 as ClosedRange<UInt64>)
    func numbers(seed: UInt64) throws {
        var random = Random(state: seed &* 0x9E37_79B9_7F4A_7C15)
        let spread = [1.0, 100, 1e12][Int(seed % 3)]
        var column = Column(type: .float64)
        var values: [Double] = []
        for _ in 0..<Int.random(in: 2...5_000, using: &random) {
            if Int.random(in: 0..<10, using: &random) == 0 {
                column.appendNull()
            } else {
                let value = (Double.random(in: -1...1, using: &random) * spread).rounded()
                values.append(value)
                column.append(float64: value)
            }
        }
        let cuts = (0..<7).map { _ in Int.random(in: 0...column.count, using: &random) }
        let found = try Self.statistics(column, cuts: cuts)
        #expect(found == (try Self.statistics(column, cuts: [])), "seed \(seed)")
        #expect(found.rowCount == column.count && found.nullCount == column.count - values.count)
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        let numbers = try #require(found.numbers)
        #expect(abs((numbers.mean ?? .nan) - mean) <= spread * 1e-9, "seed \(seed)")
        #expect(abs((numbers.standardDeviation ?? .nan) - variance.squareRoot()) <= spread * 1e-9, "seed \(seed)")
        let sorted = values.sorted()
        let order = try #require(found.order)
        #expect(
            order.isExact && order.minimum == .float64(sorted[0]) && order.maximum == .float64(sorted[sorted.count - 1])
        )
        for quantile in order.quantiles {
            let percent = Int((quantile.probability * 100).rounded())
            let rank = max(1, (sorted.count * percent + 99) / 100)
            // By number: zeros of either sign are one.
            guard case .float64(let value) = quantile.value else { continue }
            #expect(value == sorted[rank - 1], "seed \(seed), \(quantile)")
        }
        if let distinct = found.distinct, distinct.isExact {
            #expect(distinct.value == Set(values).count, "seed \(seed)")
        }
    }

    @Test("a large column's quantiles are within the bound that is told, in any order", arguments: [0, 1, 2])
    func largeColumn(order: Int) throws {
        let count = 300_000
        var column = Column(type: .int64)
        for index in 0..<count {
            switch order {
            case 0: column.append(int64: Int64(index))
            case 1: column.append(int64: Int64(count - index))
            default: column.append(int64: Int64((index &* 7_919) % count))
            }
        }
        let found = try Self.statistics(column, cuts: [100_000, 100_001])
        let statistics = try #require(found.order)
        #expect(!statistics.isExact && statistics.rankError < count / 100)
        let offset = order == 1 ? 1 : 0
        for quantile in statistics.quantiles {
            guard case .int64(let value) = quantile.value else { continue }
            let rank = Int(value) - offset + 1
            #expect(abs(rank - Int(quantile.probability * Double(count))) <= statistics.rankError + 1, "\(quantile)")
        }
        let distinct = try #require(found.distinct)
        let error = abs(Double(distinct.value - count)) / Double(count)
        #expect(!distinct.isExact && error < distinct.relativeStandardError * 4)
    }

    @Test("text has lengths in code points, exact top values while few are distinct, and nulls apart")
    func text() throws {
        var column = Column(type: .string)
        for value in ["a", "b", "a", "äö", "a", ""] { column.append(string: value) }
        column.appendNull()
        let found = try Self.statistics(column, cuts: [3])
        #expect(found.nullCount == 1 && found.lengths?.minimum == 0 && found.lengths?.maximum == 2)
        #expect(found.distinct?.value == 4 && found.distinct?.isExact == true)
        #expect(found.topValues?.values.first?.value == .string("a") && found.topValues?.values.first?.count == 3)
        #expect(found.topValues?.isExact == true)
    }

    @Test("NaN and infinities are counted apart, bools by value, and an empty column has no figures")
    func specialValues() throws {
        var column = Column(type: .float64)
        for value in [1.0, .nan, .infinity, -.infinity, 3.0] { column.append(float64: value) }
        let numbers = try #require(try Self.statistics(column, cuts: []).numbers)
        #expect(numbers.nanCount == 1 && numbers.positiveInfinityCount == 1 && numbers.negativeInfinityCount == 1)
        #expect(numbers.mean == 2)
        let bools = try #require(Column(type: .bool, values: [.bool(true), .null, .bool(false), .bool(true)]))
        #expect(try Self.statistics(bools, cuts: [1]).bools?.trueCount == 2)
        let empty = try Self.statistics(Column(type: .int64), cuts: [])
        #expect(empty.rowCount == 0 && empty.order?.minimum == nil && empty.numbers?.mean == nil)
    }
}
