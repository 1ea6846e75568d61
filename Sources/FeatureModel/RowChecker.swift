/// Checks rows against a schema version: nullability and expectations. Types are settled by the columns' types.
///
/// Every bad row gets every reason. Tombstones are not checked.
public struct RowChecker: Sendable {
    public struct Rule: Sendable {
        public let name: String
        public let isNullable: Bool
        public let expectation: Expectation?

        public init(name: String, isNullable: Bool, expectation: Expectation?) {
            self.name = name
            self.isNullable = isNullable
            self.expectation = expectation
        }
    }

    private let rules: [Rule]

    /// - Parameter rules: one per column of the batches to check, in their order.
    public init(rules: [Rule]) {
        self.rules = rules
    }

    /// - Parameters:
    ///   - columns: one per rule.
    ///   - firstRow: the number of the batch's first row in the input, from 1.
    ///   - isTombstone: whether a row of the batch is one.
    ///   - report: called for each violation, by column, then by row.
    public func check(
        _ columns: [Column], firstRow: Int, isTombstone: (Int) -> Bool = { _ in false },
        report: (_ rowInBatch: Int, RowViolation) -> Void
    ) {
        for (rule, column) in zip(rules, columns) {
            if !rule.isNullable, column.nullCount > 0 {
                for row in 0..<column.count where column.isNull(row) && !isTombstone(row) {
                    report(
                        row,
                        RowViolation(
                            row: firstRow + row, feature: rule.name, code: "null_not_allowed",
                            message: "null where a value is required"))
                }
            }
            guard let expectation = rule.expectation, !expectation.isEmpty else { continue }
            for row in 0..<column.count where !column.isNull(row) && !isTombstone(row) {
                for (code, message) in violations(of: expectation, column, row) {
                    report(row, RowViolation(row: firstRow + row, feature: rule.name, code: code, message: message))
                }
            }
        }
    }

    private func violations(of expectation: Expectation, _ column: Column, _ row: Int) -> [(String, String)] {
        var found: [(String, String)] = []
        if let number = column.number(at: row) {
            if let minimum = expectation.minimum, !number.isAtLeast(minimum) {
                found.append(("below_minimum", "\(number) is not at least \(number.spelling(of: minimum))"))
            }
            if let maximum = expectation.maximum, !number.isAtMost(maximum) {
                found.append(("above_maximum", "\(number) is not at most \(number.spelling(of: maximum))"))
            }
            if expectation.isFinite, !number.isFinite {
                found.append(("not_finite", "\(number) is not finite"))
            }
        }
        if expectation.isFinite, case .vector(let dimension) = column.type,
            column.float32s[row * dimension..<(row + 1) * dimension].contains(where: { !$0.isFinite })
        {
            found.append(("not_finite", "an element is not finite"))
        }
        if let maximumLength = expectation.maximumLength, let length = column.length(at: row), length > maximumLength {
            found.append(("too_long", "length \(length) is more than \(maximumLength)"))
        }
        if let oneOf = expectation.oneOf {
            let value = column[row]
            if !expectation.isNamed(value) {
                let accepted = oneOf.prefix(10).map(\.description).joined(separator: ", ")
                found.append(("not_one_of", "\(value) is not one of \(accepted)"))
            }
        }
        return found
    }
}

extension Column {
    /// A numeric row, for comparison with bounds; nil for other types.
    fileprivate func number(at row: Int) -> CheckedNumber? {
        switch type {
        case .scalar(.int32): .integer(Int64(int32s[row]))
        case .scalar(.int64): .integer(int64s[row])
        case .scalar(.float32): .single(float32s[row])
        case .scalar(.float64): .float(float64s[row])
        default: nil
        }
    }

    /// Code points of a string, bytes of a bytes value, elements of an array; nil for other types.
    fileprivate func length(at row: Int) -> Int? {
        switch type {
        case .scalar(.string): byteRun(row).count { $0 & 0b1100_0000 != 0b1000_0000 }
        case .scalar(.bytes): byteRun(row).count
        case .array: elementRange(row).count
        default: nil
        }
    }
}

/// A number beside a bound. An integer is not made a float64 for it, which from 2^53 on may be another number.
private enum CheckedNumber: CustomStringConvertible {
    case integer(Int64)
    case single(Float)
    case float(Double)

    func isAtLeast(_ bound: Double) -> Bool {
        switch self {
        case .single(let number): Double(number) >= bound
        case .float(let number): number >= bound
        // Where both are the same float64 the bound is an integer, or 2^63, which no int64 reaches.
        case .integer(let number) where Double(number) == bound:
            Int64(exactly: bound).map { number >= $0 } ?? false
        case .integer(let number): Double(number) > bound
        }
    }

    func isAtMost(_ bound: Double) -> Bool {
        switch self {
        case .single(let number): Double(number) <= bound
        case .float(let number): number <= bound
        case .integer(let number) where Double(number) == bound:
            Int64(exactly: bound).map { number <= $0 } ?? true
        case .integer(let number): Double(number) < bound
        }
    }

    var isFinite: Bool {
        switch self {
        case .integer: true
        case .single(let number): number.isFinite
        case .float(let number): number.isFinite
        }
    }

    var description: String {
        switch self {
        case .integer(let number): "\(number)"
        case .single(let number): "\(number)"
        case .float(let number): "\(number)"
        }
    }

    /// A bound as a definition spells it: that of a float32 has been rounded to one.
    func spelling(of bound: Double) -> String {
        if case .single = self, let bound = Float(exactly: bound) { "\(bound)" } else { "\(bound)" }
    }
}
