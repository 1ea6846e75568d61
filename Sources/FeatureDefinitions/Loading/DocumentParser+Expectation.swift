import FeatureModel

extension DocumentParser {
    private static let expectationKeys = ["min", "max", "one_of", "max_length", "finite"]

    func parseExpectation(_ feature: MappingReader, type: ValueType) -> Expectation? {
        guard let node = feature.node("expect"),
            let reader = MappingReader(
                node, subject: "\(feature.subject), expect", keys: Self.expectationKeys, diagnostics: diagnostics)
        else { return nil }
        let minimum = parseBound("min", reader, type: type)
        let maximum = parseBound("max", reader, type: type)
        if let minimum, let maximum, minimum > maximum {
            reader.report("\"min\" is greater than \"max\"", hint: "swap them", at: reader.keyLocation("min"))
        }
        var maximumLength: Int?
        if applies("max_length", to: type, type.hasLength, "strings, bytes and arrays", reader) {
            maximumLength = reader.integer("max_length", in: 0...Int(Int32.max))?.value
        }
        var isFinite = false
        if applies("finite", to: type, type.isFloating, "float32, float64 and vectors", reader) {
            isFinite = reader.bool("finite") ?? false
        }
        let expectation = Expectation(
            minimum: minimum, maximum: maximum, oneOf: parseOneOf(reader, type: type), maximumLength: maximumLength,
            isFinite: isFinite)
        return expectation.isEmpty ? nil : expectation
    }

    private func applies(
        _ key: String, to type: ValueType, _ fits: Bool, _ types: String, _ reader: MappingReader
    ) -> Bool {
        guard reader.has(key) else { return false }
        if fits { return true }
        reader.report(
            "\"\(key)\" does not apply to \(type)", hint: "it applies to \(types)", at: reader.keyLocation(key))
        return false
    }

    private func parseBound(_ key: String, _ reader: MappingReader, type: ValueType) -> Double? {
        guard applies(key, to: type, type.isNumber, "int32, int64, float32 and float64", reader),
            let node = reader.node(key)
        else { return nil }
        guard case .scalar(let text, true) = node.content, let bound = Self.bound(text, type: type), bound.isFinite
        else {
            reader.report(
                "\"\(key)\" must be a number, not \(node.shape)", hint: "write a finite number", at: node.location)
            return nil
        }
        if type != .scalar(.float32), let whole = Int64(text), Int64(exactly: bound) != whole {
            reader.report(
                "\"\(key)\" is \(text), which has no exact double",
                hint: "write a bound below 2^53, or a multiple of a greater power of two",
                at: node.location)
            return nil
        }
        return bound
    }

    /// Rounded as values of the type are, so that one that is spelled like the bound is equal to it. Beyond the numbers
    /// of float32 it is left as it is.
    private static func bound(_ text: String, type: ValueType) -> Double? {
        if type == .scalar(.float32), let bound: Float = ScalarSyntax.float(text) { return Double(bound) }
        return ScalarSyntax.float(text)
    }

    private func parseOneOf(_ reader: MappingReader, type: ValueType) -> [Value]? {
        guard applies("one_of", to: type, type.isScalar, "bools, numbers, text, bytes, times and dates", reader),
            let items = reader.list("one_of", atMost: DefinitionLimits.maximumOneOfValues)
        else { return nil }
        guard !items.isEmpty else {
            reader.report("\"one_of\" is empty", hint: "name the values accepted", at: reader.keyLocation("one_of"))
            return nil
        }
        var values: [Value] = []
        for item in items {
            switch ScalarSyntax.value(item, type: type) {
            case .success(let value) where values.contains(value):
                reader.report("\"one_of\" names \(value) twice", hint: "name it once", at: item.location)
            case .success(let value):
                values.append(value)
            case .failure(let problem):
                reader.report("a value of \"one_of\" \(problem.message)", hint: problem.hint, at: item.location)
            }
        }
        return values
    }
}

extension ValueType {
    var isScalar: Bool {
        if case .scalar = self { true } else { false }
    }

    fileprivate var isNumber: Bool {
        switch self {
        case .scalar(.int32), .scalar(.int64), .scalar(.float32), .scalar(.float64): true
        default: false
        }
    }

    fileprivate var isFloating: Bool {
        switch self {
        case .scalar(.float32), .scalar(.float64), .vector: true
        default: false
        }
    }

    fileprivate var hasLength: Bool {
        switch self {
        case .scalar(.string), .scalar(.bytes), .array: true
        default: false
        }
    }
}

extension Expectation {
    /// Why a default does not meet the expectation; nil when it does.
    func violation(by value: Value) -> String? {
        if !isNamed(value) { return "is none of one_of" }
        if let number = value.number {
            if isFinite, !number.isFinite { return "is not finite" }
            if let minimum, !(number >= minimum) { return "is below min" }
            if let maximum, !(number <= maximum) { return "is above max" }
        }
        if isFinite, case .vector(let elements) = value, elements.contains(where: { !$0.isFinite }) {
            return "is not finite"
        }
        if let maximumLength, let length = value.length, length > maximumLength { return "is longer than max_length" }
        return nil
    }
}

extension Value {
    fileprivate var number: Double? {
        switch self {
        case .int32(let value): Double(value)
        case .int64(let value): Double(value)
        case .float32(let value): Double(value)
        case .float64(let value): value
        default: nil
        }
    }

    fileprivate var length: Int? {
        switch self {
        case .string(let text): text.unicodeScalars.count
        case .bytes(let bytes): bytes.count
        case .array(let values): values.count
        default: nil
        }
    }
}
