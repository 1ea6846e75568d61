internal import CoreMetrics
internal import Synchronization

/// An atomic word that can be an element of an array.
final class AtomicCell: Sendable {
    private let word = Atomic<UInt64>(0)

    func add(_ amount: UInt64) { word.wrappingAdd(amount, ordering: .relaxed) }

    var value: UInt64 { word.load(ordering: .relaxed) }

    func reset() { word.store(0, ordering: .relaxed) }
}

/// An atomic floating-point number, by its bit pattern.
final class AtomicDouble: Sendable {
    private let bits = Atomic<UInt64>(0)

    func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    func add(_ amount: Double) {
        var seen = bits.load(ordering: .relaxed)
        while true {
            let sum = Double(bitPattern: seen) + amount
            let (exchanged, original) = bits.weakCompareExchange(
                expected: seen, desired: sum.bitPattern, ordering: .relaxed)
            if exchanged { return }
            seen = original
        }
    }

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// A count that only grows. Amounts below zero are ignored.
final class CounterSeries: CounterHandler {
    private let cell = AtomicCell()

    func increment(by amount: Int64) {
        if amount > 0 { cell.add(UInt64(amount)) }
    }

    func reset() { cell.reset() }

    var value: UInt64 { cell.value }
}

/// A sum that only grows. Amounts that are not positive and finite are ignored.
final class FloatingPointCounterSeries: FloatingPointCounterHandler {
    private let sum = AtomicDouble()

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { sum.add(amount) }
    }

    func reset() { sum.set(0) }

    var value: Double { sum.value }
}

/// A value that goes up and down.
final class GaugeSeries: RecorderHandler, MeterHandler {
    private let current = AtomicDouble()

    func record(_ value: Int64) { current.set(Double(value)) }
    func record(_ value: Double) { current.set(value) }
    func set(_ value: Int64) { current.set(Double(value)) }
    func set(_ value: Double) { current.set(value) }
    func increment(by amount: Double) { current.add(amount) }
    func decrement(by amount: Double) { current.add(-amount) }

    var value: Double { current.value }
}

/// Counts of observations per bucket, and their sum.
final class HistogramSeries: RecorderHandler, TimerHandler {
    /// Upper bounds, inclusive, ascending, finite.
    let bounds: [Double]
    /// One for each bound and one for what is above them all. Not cumulative.
    private let counts: [AtomicCell]
    private let sum = AtomicDouble()

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = (0...bounds.count).map { _ in AtomicCell() }
    }

    func record(_ value: Int64) { record(Double(value)) }

    /// NaN is in no bucket and would spoil the sum for good: it is ignored.
    func record(_ value: Double) {
        if value.isNaN { return }
        counts[bucket(of: value)].add(1)
        sum.add(value)
    }

    func recordNanoseconds(_ duration: Int64) {
        record(Double(max(0, duration)) / 1e9)
    }

    private func bucket(of value: Double) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        return low
    }

    struct Snapshot {
        /// How many observations are at most each bound; the last is how many there are.
        let cumulativeCounts: [UInt64]
        let sum: Double
    }

    /// The counts agree with one another also while others record: the total is the sum of the buckets read.
    var snapshot: Snapshot {
        var total: UInt64 = 0
        let cumulative = counts.map { cell in
            total &+= cell.value
            return total
        }
        return Snapshot(cumulativeCounts: cumulative, sum: sum.value)
    }
}
