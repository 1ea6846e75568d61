import FeatureModel

/// Reads JSON objects, one a row, into typed columns: what readers of lines and of arrays have in common.
///
/// A row is begun, read or refused, and ended.
struct JSONObjectReader {
    /// Where a row is, for whoever has to correct it.
    struct Place {
        /// Of its first byte.
        let start: Int
        /// From 1; nil where the row is on no line that its sender would know.
        let line: Int?

        /// What a message about the row ends with.
        var suffix: String { line.map { " (line \($0))" } ?? "" }

        /// What a message about one of its bytes ends with.
        func suffix(_ offset: Int, in bytes: [UInt8]) -> String {
            guard let line else { return "" }
            return " (line \(line), column \(TextPlace.lineAndColumn(of: offset, in: bytes, from: start).column))"
        }
    }

    private let options: TextReadOptions
    private var parser: ValueParser
    private var columns: JSONColumns
    private var batcher: RowBatcher
    private var row = 0
    /// For each column, the last row it had a value in.
    private var lastRow: [Int]
    private var observations: [JSONKinds]

    /// - Parameter firstObject: the names of its members.
    init(_ options: TextReadOptions, _ parser: ValueParser, firstObject: [[UInt8]]) {
        let columns = JSONColumns(options, firstObject: firstObject)
        self.options = options
        self.parser = parser
        self.columns = columns
        lastRow = [Int](repeating: 0, count: columns.fields.count)
        observations = [JSONKinds](repeating: [], count: columns.fields.count)
        batcher = RowBatcher(fields: columns.fields, limits: options.limits, keepsRecords: options.keepsRecords)
    }

    /// Nil where the columns are not known before the first object is.
    static func ofDeclaredColumns(_ options: TextReadOptions, _ parser: ValueParser) -> JSONObjectReader? {
        guard options.extraColumns == .reject, options.extraAllowed.isEmpty else { return nil }
        return JSONObjectReader(options, parser, firstObject: [])
    }

    var fields: [Field] { columns.fields }

    /// With the types that all values of undeclared columns have had so far.
    var inferredFields: [Field] {
        zip(columns.fields, observations).enumerated().map { index, pair in
            columns.traits[index].isDeclared ? pair.0 : Field(name: pair.0.name, type: pair.1.type)
        }
    }

    mutating func nextBatch() -> ReadBatch? { batcher.next() }

    /// Says that the input has ended.
    mutating func flush() { batcher.flush() }

    mutating func beginRow() { row += 1 }

    /// Says that the row cannot be taken apart: what it has not got yet is null.
    mutating func refuse(_ message: String, at place: Place) {
        batcher.report("invalid_json", feature: nil, line: place.line, message)
        fillAbsent(place, reportsMissing: false)
    }

    /// - Parameters:
    ///   - byteCount: the length of its text.
    ///   - record: its text as it is kept, where rows are.
    mutating func endRow(at place: Place, byteCount: Int, record: @autoclosure () -> ArraySlice<UInt8>) {
        fillAbsent(place, reportsMissing: true)
        if options.keepsRecords { batcher.keep(record()) }
        batcher.endRow(line: place.line, bytes: byteCount)
    }

    private mutating func fillAbsent(_ place: Place, reportsMissing: Bool) {
        for column in lastRow.indices where lastRow[column] != row {
            lastRow[column] = row
            batcher.columns[column].appendNull()
            if reportsMissing, !columns.traits[column].mayLack {
                batcher.report(
                    "missing", feature: batcher.fields[column].name, line: place.line,
                    "the member is missing where a value is required\(place.suffix)")
            }
        }
    }

    /// Reads the members of an object whose opening brace was just read, up to its closing brace.
    mutating func readMembers(
        _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8], at place: Place
    ) throws(JSONSyntaxError) {
        var previous: Int?
        var unknown: Set<[UInt8]> = []
        while try tokenizer.next() == .name {
            let name = tokenizer.tokenRange
            let found = columns.column(name, hasEscapes: tokenizer.hasEscapes, in: bytes, after: previous)
            guard let column = found, lastRow[column] != row else {
                let text = tokenizer.textBytes
                if unknown.count < options.limits.maximumColumns {
                    reportUnusable(
                        text, isKnown: found != nil || !unknown.insert(text).inserted, name, in: bytes, at: place)
                }
                try tokenizer.skip(from: try tokenizer.next())
                continue
            }
            previous = column
            let token = try tokenizer.next()
            let start = tokenizer.tokenRange.lowerBound
            let fault: ValueFault?
            if columns.traits[column].isDeclared {
                fault = try Self.read(
                    token, &tokenizer, bytes, isOptional: columns.traits[column].isOptional,
                    to: &batcher.columns[column], &parser)
            } else {
                fault = try Self.readText(
                    token, &tokenizer, bytes, to: &batcher.columns[column], &observations[column])
            }
            lastRow[column] = row
            if let fault {
                batcher.columns[column].appendNull()
                batcher.report(
                    fault.code, feature: batcher.fields[column].name, line: place.line,
                    fault.message + place.suffix(start, in: bytes))
            }
        }
    }

    private mutating func reportUnusable(
        _ name: [UInt8], isKnown: Bool, _ range: Range<Int>, in bytes: [UInt8], at place: Place
    ) {
        let text = String(decoding: name, as: UTF8.self)
        let nearest = NameRule.nearest(to: text, in: batcher.fields.map(\.name)).map {
            "; did you mean \"\($0)\"?"
        }
        let unknown =
            options.extraColumns == .keep
            ? "the member is not in the first object, whose members are the columns" : "the member is not declared"
        batcher.report(
            isKnown ? "duplicate_member" : "extra_field", feature: String(text.prefix(NameRule.maximumBytes)),
            line: place.line,
            (isKnown ? "the member is there twice" : "\(unknown)\(nearest ?? "")")
                + place.suffix(range.lowerBound - 1, in: bytes))
    }

    /// Appends the value that starts with `token`, unless a fault is returned.
    private static func read(
        _ token: JSONTokenizer.Token, _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8], isOptional: Bool,
        to column: inout Column, _ parser: inout ValueParser
    ) throws(JSONSyntaxError) -> ValueFault? {
        if token == .null {
            guard isOptional else { return .null }
            column.appendNull()
            return nil
        }
        guard case .scalar(let scalar) = column.type else {
            if token == .beginArray {
                return try ListParser.append(&tokenizer, bytes, to: &column, parser: &parser)
            }
            try tokenizer.skip(from: token)
            return ValueFault(code: "wrong_type", message: "the value is not an array, as \(column.type) needs")
        }
        do throws(ValueFault) {
            // What rows have most of is appended without a value in between.
            switch (token, scalar) {
            case (.string, .string) where !tokenizer.hasEscapes:
                // The tokenizer takes nothing but UTF-8, and no NUL that is not escaped.
                ValueParser.append(checked: bytes.span.extracting(tokenizer.tokenRange), to: &column)
            case (.string, .timestamp) where !tokenizer.hasEscapes, (.string, .date) where !tokenizer.hasEscapes:
                try parser.append(bytes.span.extracting(tokenizer.tokenRange), as: scalar, to: &column)
            case (.number, .int32):
                column.append(int32: try ValueParser.int32(bytes.span.extracting(tokenizer.tokenRange), isNumber: true))
            case (.number, .int64):
                column.append(int64: try ValueParser.int64(bytes.span.extracting(tokenizer.tokenRange), isNumber: true))
            case (.number, .float32):
                column.append(
                    float32: try parser.float32(bytes.span.extracting(tokenizer.tokenRange), isStrict: true))
            case (.number, .float64):
                column.append(
                    float64: try parser.float64(bytes.span.extracting(tokenizer.tokenRange), isStrict: true))
            case (.true, .bool), (.false, .bool):
                column.append(bool: token == .true)
            default:
                column.append(try ListParser.value(token, tokenizer, bytes, as: scalar, &parser))
            }
            return nil
        } catch {
            try tokenizer.skip(from: token)
            return error
        }
    }

    /// Appends an undeclared value as text: strings as they are, everything else as its JSON.
    private static func readText(
        _ token: JSONTokenizer.Token, _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8],
        to column: inout Column, _ kinds: inout JSONKinds
    ) throws(JSONSyntaxError) -> ValueFault? {
        let start = tokenizer.tokenRange.lowerBound
        if token == .null {
            column.appendNull()
            return nil
        }
        let text = token == .string ? tokenizer.textBytes : Array(tokenizer.tokenBytes)
        kinds.observe(token, text)
        if token == .beginObject || token == .beginArray {
            try tokenizer.skip(from: token)
            column.append(bytes: bytes[start..<tokenizer.tokenRange.upperBound])
            return nil
        }
        do throws(ValueFault) {
            try ValueParser.checkString(text.span)
        } catch {
            return error
        }
        column.append(bytes: text)
        return nil
    }
}
