public import FeatureModel

/// The most frequent values, at most ten, the most frequent first, those of equal count in ascending order.
public struct TopValues: Sendable, Equatable {
    public let values: [TopValue]
    /// 0 when the counts are exact and no other value is more frequent. Else a value occurs at least `count` and at
    /// most `count + countError` times, and each value that occurs more than `2 * countError` times is listed, or
    /// pushed out by ten whose counts are no smaller than its own would be. With n values, it is at most n / 3,072.
    public let countError: Int

    public var isExact: Bool { countError == 0 }

    static let maximumCount = 10
}

public struct TopValue: Sendable, Equatable {
    /// A string or bytes longer than `maximumBytes` is cut to its first `maximumBytes`, a string to as many whole code
    /// points as fit.
    public let value: Value
    /// Length of the whole value in bytes, for strings and bytes. `value` is cut when it is shorter.
    public let byteCount: Int?
    public let count: Int

    /// Length to which long values are cut.
    public static let maximumBytes = 48
}
