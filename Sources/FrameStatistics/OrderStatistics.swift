public import FeatureModel

/// What values with an order have: numbers (infinities included) and times. Values are of the column's type.
public struct OrderStatistics: Sendable, Equatable {
    /// Exact; nil when there is no value.
    public let minimum: Value?
    /// Exact; nil when there is no value.
    public let maximum: Value?
    /// At 0.01, 0.05, 0.25, 0.5, 0.75, 0.95 and 0.99, ascending; empty when there is no value.
    public let quantiles: [Quantile]
    /// 0 when the quantiles are exact. Else the most places, in the ascending order of all n values, by which a reported
    /// value can miss the place ceil(p n) of its quantile p. It holds for every input; the typical miss is a tenth of it.
    public let rankError: Int

    public var isExact: Bool { rankError == 0 }
}

/// The smallest value of the column such that at least the fraction `probability` of the values are at most it, which
/// is one of the values and never between two (definition 1 of Hyndman and Fan, "Sample Quantiles in Statistical
/// Packages", 1996).
public struct Quantile: Sendable, Equatable {
    public let probability: Double
    public let value: Value
}

extension Quantile {
    /// The probabilities reported, in hundredths, so that ranks are computed in integers.
    static let percents = [1, 5, 25, 50, 75, 95, 99]

    /// ceil(percent / 100 * count), from 1 to `count`.
    static func rank(percent: Int, count: Int) -> Int {
        // In two parts, so that no count overflows.
        count / 100 * percent + (count % 100 * percent + 99) / 100
    }
}
