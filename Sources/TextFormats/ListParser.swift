import FeatureModel

/// Reads arrays and vectors from JSON, in NDJSON members and in CSV fields.
enum ListParser {
    /// Appends the list whose opening bracket was just read to a column of an array or vector type.
    ///
    /// - Throws: `JSONSyntaxError` is fatal to the text. A `ValueFault` is returned instead, once the list has been
    ///   passed over; nothing has then been appended.
    static func append(
        _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8], to column: inout Column, parser: inout ValueParser
    ) throws(JSONSyntaxError) -> ValueFault? {
        switch column.type {
        case .scalar: return nil
        case .vector(let dimension):
            let (values, fault) = try elements(&tokenizer, bytes, of: .float32, &parser)
            if let fault { return fault }
            guard values.count == dimension else {
                return ValueFault(
                    code: "wrong_type", message: "the vector has \(values.count) elements instead of \(dimension)")
            }
            let floats = values.map { value in
                if case .float32(let number) = value { number } else { Float.nan }
            }
            column.append(.vector(floats))
        case .array(let element):
            let (values, fault) = try elements(&tokenizer, bytes, of: element, &parser)
            if let fault { return fault }
            column.append(.array(values))
        }
        return nil
    }

    private static func elements(
        _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8], of type: ScalarType, _ parser: inout ValueParser
    ) throws(JSONSyntaxError) -> ([Value], ValueFault?) {
        var values: [Value] = []
        var fault: ValueFault?
        while true {
            let token = try tokenizer.next()
            if token == .endArray { return (values, fault) }
            do throws(ValueFault) {
                values.append(try value(token, tokenizer, bytes, as: type, &parser))
            } catch {
                if fault == nil {
                    fault = ValueFault(code: error.code, message: "element \(values.count + 1): \(error.message)")
                }
                values.append(.null)
            }
            try tokenizer.skip(from: token)
        }
    }

    /// The scalar that the tokenizer's last token states.
    static func value(
        _ token: JSONTokenizer.Token, _ tokenizer: JSONTokenizer, _ bytes: [UInt8], as type: ScalarType,
        _ parser: inout ValueParser
    ) throws(ValueFault) -> Value {
        switch token {
        case .true, .false:
            guard type == .bool else { throw .wrongType(bytes.span.extracting(tokenizer.tokenRange), type) }
            return .bool(token == .true)
        case .number:
            return try parser.value(ofNumber: bytes.span.extracting(tokenizer.tokenRange), as: type)
        case .string where tokenizer.hasEscapes:
            return try parser.value(ofString: tokenizer.textBytes.span, as: type)
        case .string:
            return try parser.value(ofString: bytes.span.extracting(tokenizer.tokenRange), as: type)
        case .null:
            throw ValueFault(code: "wrong_type", message: "a list holds no nulls; leave the element out")
        default:
            throw ValueFault(code: "wrong_type", message: "a list or an object is not a value of type \(type.rawValue)")
        }
    }
}
