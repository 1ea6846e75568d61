public import FeatureModel

/// Conservative types for columns that nobody declared: a column is a number or a bool only when every value of the
/// whole input is one and no digit would be lost. Feed it a column in pieces, then ask for its type.
public struct TypeInference: Sendable {
    private var kinds: JSONKinds = []

    public init() {}

    /// Looks at some rows of a string column, as a reader with `extraColumns: .keep` gives them.
    public mutating func observe(_ column: Column) {
        guard column.type == .string, kinds != .text else { return }
        for row in 0..<column.count where !column.isNull(row) {
            kinds.formUnion(JSONKinds(text: Array(column.byteRun(row)).span))
            if kinds.contains(.text) { return }
        }
    }

    /// int64 when all values are canonical integers that fit, float64 when all are JSON numbers, or NaN and infinities
    /// beside at least one, bool when all are true or false; else string, also when there are only nulls.
    public var type: ValueType { kinds.type }

    /// A string column as the type that was inferred for it.
    /// - Returns: nil when a value is not of that type.
    public static func convert(_ column: Column, to type: ValueType) -> Column? {
        if column.type == type { return column }
        guard column.type == .string else { return nil }
        var result = Column(type: type)
        result.reserveCapacity(column.count)
        for row in 0..<column.count {
            guard !column.isNull(row) else {
                result.appendNull()
                continue
            }
            let text = Array(column.byteRun(row))
            do throws(ValueFault) {
                switch type {
                case .scalar(.bool): result.append(bool: try ValueParser.bool(text.span))
                case .scalar(.int64): result.append(int64: try ValueParser.int64(text.span))
                case .scalar(.float64):
                    // No type is inferred float64 that would round an integer.
                    let number = NumberText.double(text.span, isStrict: true)
                    guard number?.isFinite != false, let value = number ?? ValueParser.special(text.span) else {
                        return nil
                    }
                    result.append(float64: value)
                default: return nil
                }
            } catch {
                return nil
            }
        }
        return result
    }
}

/// What the values of a column have been so far.
struct JSONKinds: OptionSet {
    let rawValue: UInt8

    static let bool = JSONKinds(rawValue: 1)
    /// An integer that an int64 holds.
    static let integer = JSONKinds(rawValue: 2)
    /// An integer that a float64 may not hold exactly.
    static let longInteger = JSONKinds(rawValue: 4)
    static let number = JSONKinds(rawValue: 8)
    static let text = JSONKinds(rawValue: 16)
    /// NaN or an infinity, as a float's text has it: alone it may as well be a word.
    static let special = JSONKinds(rawValue: 32)

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(text: Span<UInt8>) {
        if text.equals("true") || text.equals("false") {
            self = .bool
        } else if ValueParser.special(text) != nil {
            self = .special
        } else {
            self = Self.kind(ofNumber: text)
        }
    }

    private static func kind(ofNumber text: Span<UInt8>) -> JSONKinds {
        do throws(NumberText.IntegerFault) {
            let value = try NumberText.integer(text)
            // An integer that would be written otherwise is a code, or minus zero.
            guard text.equals(Array(String(value).utf8)) else {
                return NumberText.decimal(text, isStrict: true) == nil ? .text : .number
            }
            return value.magnitude <= 1 << 53 ? .integer : [.integer, .longInteger]
        } catch .outOfRange {
            return .text
        } catch {
            guard let value = NumberText.double(text, isStrict: true), value.isFinite else { return .text }
            return .number
        }
    }

    mutating func observe(_ token: JSONTokenizer.Token, _ text: [UInt8]) {
        switch token {
        case .true, .false: formUnion(.bool)
        case .number: formUnion(Self.kind(ofNumber: text.span))
        case .string where ValueParser.special(text.span) != nil: formUnion(.special)
        default: formUnion(.text)
        }
    }

    var type: ValueType {
        if self == .bool { return .bool }
        if contains(.integer), isSubset(of: [.integer, .longInteger]) { return .int64 }
        if !isDisjoint(with: [.integer, .number]), isSubset(of: [.integer, .number, .special]) { return .float64 }
        return .string
    }
}
