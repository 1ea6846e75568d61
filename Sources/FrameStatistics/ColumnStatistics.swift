public import FeatureModel

/// What a column holds. Row and null counts are exact; each other part states its own accuracy, and is nil for types
/// that do not have it:
///
/// | type | parts |
/// |---|---|
/// | bool | `bools` |
/// | int32, int64, float32, float64 | `numbers`, `order`, `distinct`, `topValues` |
/// | timestamp, date | `order`, `distinct`, `topValues` |
/// | string | `lengths` (code points), `distinct`, `topValues` |
/// | bytes | `lengths` (bytes), `distinct`, `topValues` |
/// | array, vector | `lengths` (elements) |
///
/// Nulls are in no part. NaN is in none but `numbers`, where it is counted. -0.0 counts as 0.0.
public struct ColumnStatistics: Sendable, Equatable {
    public let name: String
    public let type: ValueType
    public let rowCount: Int
    public let nullCount: Int
    public internal(set) var bools: BoolStatistics?
    public internal(set) var numbers: NumberStatistics?
    public internal(set) var order: OrderStatistics?
    public internal(set) var lengths: LengthStatistics?
    public internal(set) var distinct: DistinctCount?
    public internal(set) var topValues: TopValues?

    init(name: String, type: ValueType, rowCount: Int, nullCount: Int) {
        self.name = name
        self.type = type
        self.rowCount = rowCount
        self.nullCount = nullCount
    }
}

/// Exact.
public struct BoolStatistics: Sendable, Equatable {
    public let trueCount: Int
    public let falseCount: Int
}

/// Lengths of the non-null rows: code points of strings, bytes of bytes, elements of arrays and vectors. Exact; nil
/// without a non-null row.
public struct LengthStatistics: Sendable, Equatable {
    public let minimum: Int?
    public let maximum: Int?
}

/// What only numbers have. The counts are exact.
public struct NumberStatistics: Sendable, Equatable {
    public let nanCount: Int
    public let positiveInfinityCount: Int
    public let negativeInfinityCount: Int
    /// Of the finite values; nil when there is none.
    public let mean: Double?
    /// `mean` is no farther than this from the true mean: 2^-46 of the largest magnitude, by rounding alone.
    public let meanError: Double
    /// The sample standard deviation of the finite values (divided by n - 1); nil when there are fewer than two, and
    /// infinite when no `Double` is as large.
    public let standardDeviation: Double?
    /// `standardDeviation` is no farther than this from the true one, by rounding alone: with n values, 2^-44 of the
    /// largest magnitude plus (n / 256 + 128) 2^-53 of the deviation.
    public let standardDeviationError: Double
}

/// The number of distinct values.
public struct DistinctCount: Sendable, Equatable {
    public let value: Int
    /// 0 when `value` is exact. Else the relative standard error of the estimate: two of three estimates are within
    /// one of it, 997 of 1,000 within three.
    public let relativeStandardError: Double

    public var isExact: Bool { relativeStandardError == 0 }
}
