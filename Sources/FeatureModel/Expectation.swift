/// What a definition expects of every non-null value of a feature.
public struct Expectation: Sendable, Hashable {
    /// Numbers below it, and NaN, are refused.
    public var minimum: Double?
    /// Numbers above it, and NaN, are refused.
    public var maximum: Double?
    /// The only values accepted, of the feature's type.
    public var oneOf: [Value]?
    /// Longest string in Unicode code points, or longest bytes, array in bytes or elements.
    public var maximumLength: Int?
    /// NaN and infinities are refused.
    public var isFinite: Bool

    public init(
        minimum: Double? = nil, maximum: Double? = nil, oneOf: [Value]? = nil, maximumLength: Int? = nil,
        isFinite: Bool = false
    ) {
        self.minimum = minimum
        self.maximum = maximum
        self.oneOf = oneOf
        self.maximumLength = maximumLength
        self.isFinite = isFinite
    }

    public var isEmpty: Bool {
        minimum == nil && maximum == nil && oneOf == nil && maximumLength == nil && !isFinite
    }
}
