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

    /// Whether `oneOf` names the value, or is nil. A zero stands for those of both signs, as in PostgreSQL.
    public func isNamed(_ value: Value) -> Bool {
        guard let oneOf, !oneOf.contains(value) else { return true }
        switch value {
        case .float32(let number) where number == 0: return oneOf.contains(.float32(-number))
        case .float64(let number) where number == 0: return oneOf.contains(.float64(-number))
        default: return false
        }
    }
}
