import FeatureModel

/// How the scalars of a definition spell values. Types come from the definition; nothing is coerced.
enum ScalarSyntax {
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "true", "True", "TRUE": true
        case "false", "False", "FALSE": false
        default: nil
        }
    }

    /// A decimal number, or the spellings of NaN and the infinities in YAML and in JSON.
    static func float<Number: BinaryFloatingPoint & LosslessStringConvertible>(_ text: String) -> Number? {
        switch text {
        case ".nan", ".NaN", ".NAN", "NaN": return .nan
        case ".inf", "+.inf", "Infinity": return .infinity
        case "-.inf", "-Infinity": return -.infinity
        default: break
        }
        let isDecimal = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.eE".utf8.contains(byte)
        }
        guard isDecimal, let number = Number(text), number.isFinite else { return nil }
        return number
    }

    /// Whether an unquoted scalar reads as something other than text.
    static func looksTyped(_ text: String) -> Bool {
        let number: Double? = float(text)
        return number != nil || bool(text) != nil
    }

    /// The value a node states for a declared type, or why it states none.
    static func value(_ node: DefinitionNode, type: ValueType) -> Result<Value, ValueProblem> {
        switch (type, node.content) {
        case (.scalar(let scalar), .scalar(let text, let isPlain)):
            return value(text, isPlain: isPlain, type: scalar)
        case (.array(let element), .sequence(let items)):
            return elements(items, type: element).map { .array($0) }
        case (.vector(let dimension), .sequence(let items)):
            guard items.count == dimension else {
                return .failure(
                    ValueProblem("has \(items.count) elements", hint: "\(type) has exactly \(dimension)"))
            }
            return elements(items, type: .float32).map { values in
                .vector(values.compactMap { if case .float32(let number) = $0 { number } else { nil } })
            }
        case (.array, _), (.vector, _):
            return .failure(ValueProblem("must be a list, not \(node.shape)", hint: "write [a, b]"))
        case (.scalar, _):
            return .failure(ValueProblem("must be \(type), not \(node.shape)", hint: "write a single value"))
        }
    }

    private static func elements(_ items: [DefinitionNode], type: ScalarType) -> Result<[Value], ValueProblem> {
        var values: [Value] = []
        for item in items {
            switch value(item, type: .scalar(type)) {
            case .success(let value): values.append(value)
            case .failure(let problem): return .failure(problem)
            }
        }
        return .success(values)
    }

    private static func value(_ text: String, isPlain: Bool, type: ScalarType) -> Result<Value, ValueProblem> {
        let value: Value? =
            switch type {
            case .bool: isPlain ? bool(text).map(Value.bool) : nil
            case .int32: isPlain ? Int32(text).map(Value.int32) : nil
            case .int64: isPlain ? Int64(text).map(Value.int64) : nil
            case .float32: float(text).map(Value.float32)
            case .float64: float(text).map(Value.float64)
            case .string: isPlain && looksTyped(text) || text.utf8.contains(0) ? nil : .string(text)
            case .bytes: base64(text).map(Value.bytes)
            case .timestamp: Timestamp(text).map(Value.timestamp)
            case .date: CalendarDate(text).map(Value.date)
            }
        if let value { return .success(value) }
        return .failure(ValueProblem("must be \(type.rawValue), not \(text.abbreviated)", hint: spelling(of: type)))
    }

    private static func spelling(of type: ScalarType) -> String {
        switch type {
        case .bool: "write true or false"
        case .int32: "write a whole number from \(Int32.min) to \(Int32.max)"
        case .int64: "write a whole number from \(Int64.min) to \(Int64.max)"
        case .float32, .float64: "write a number, .nan, .inf or -.inf"
        case .string: "put text that looks like a number or a bool in quotes"
        case .bytes: "write base64"
        case .timestamp: "write RFC 3339 with an offset, such as \"2013-01-01T05:00:00Z\""
        case .date: "write YYYY-MM-DD"
        }
    }
}

extension ScalarSyntax {
    /// Strict base64 of RFC 4648 section 4, with padding.
    static func base64(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count.isMultiple(of: 4) else { return nil }
        let padding = characters.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard padding <= 2 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        var bits: UInt32 = 0
        for (index, character) in characters.dropLast(padding).enumerated() {
            guard let digit = base64Digit(character) else { return nil }
            bits = bits << 6 | UInt32(digit)
            // Each digit after the first of a group of four completes a byte.
            let unread = (3 - index % 4) * 2
            if unread < 6 { bytes.append(UInt8(truncatingIfNeeded: bits >> unread)) }
        }
        // Digits before the padding may not carry bits that no byte takes up.
        let leftover: UInt32 = padding == 1 ? 0b11 : padding == 2 ? 0b1111 : 0
        return bits & leftover == 0 ? bytes : nil
    }

    private static func base64Digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// Why a node is no value of its declared type.
struct ValueProblem: Error, Sendable {
    let message: String
    let hint: String

    init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }
}
