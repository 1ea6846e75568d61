public import FeatureModel

/// Reads NDJSON, one JSON object a line, into typed columns as bytes arrive.
///
/// Lines stand for themselves: what is wrong with one, broken JSON included, is a violation of its row. Blank lines are
/// passed over. With `extraColumns: .keep` the columns are those of the first object and the declared ones; any other
/// member of a later object is a violation (`extra_field`).
public struct NDJSONReader: Sendable {
    private let options: TextReadOptions
    private var parser: ValueParser
    private var buffer: [UInt8] = []
    /// Of the current line in `buffer`.
    private var lineStart = 0
    private var searched = 0
    private var line = 0
    private var batcher: RowBatcher?
    private var names: [[UInt8]] = []
    private var columnsByName: [[UInt8]: Int] = [:]
    /// The declared columns are typed, the others take any JSON value as text.
    private var isDeclared: [Bool] = []
    private var isOptional: [Bool] = []
    /// Whether an object without the member is fine.
    private var mayLack: [Bool] = []
    /// For each column, the last row it had a value in.
    private var lastRow: [Int] = []
    private var row = 0
    private var observations: [JSONKinds] = []
    private var failure: LarderError?

    /// - Throws: when the time zone is unknown.
    public init(_ options: TextReadOptions) throws(LarderError) {
        self.options = options
        parser = try ValueParser(options)
        if options.extraColumns == .reject, options.extraAllowed.isEmpty { layOut(firstObject: []) }
    }

    /// The columns of the batches, once they are known.
    public var fields: [Field]? { batcher?.fields }

    /// Takes the next bytes of the input.
    /// - Throws: `file_malformed` when the text is UTF-16, `limit_exceeded`; the reader stays failed.
    public mutating func feed(_ bytes: [UInt8]) throws(LarderError) {
        if let failure { throw failure }
        if lineStart > 0 {
            buffer.removeSubrange(..<lineStart)
            searched -= lineStart
            lineStart = 0
        }
        buffer.append(contentsOf: bytes)
        do {
            while let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                try readLine(lineStart..<end)
                lineStart = end + 1
                searched = lineStart
            }
            searched = buffer.count
            try checkLength(buffer.count - lineStart)
        } catch {
            failure = error
            throw error
        }
    }

    /// Says that the input has ended; the last rows are then ready.
    public mutating func finish() throws(LarderError) {
        if let failure { throw failure }
        if lineStart < buffer.count { try readLine(lineStart..<buffer.count) }
        buffer = []
        lineStart = 0
        searched = 0
        if batcher == nil { layOut(firstObject: []) }
        batcher?.flush()
    }

    /// The next rows; nil when more bytes are needed or the input has ended.
    public mutating func nextBatch() -> ReadBatch? { batcher?.next() }

    /// The columns of the whole input with types that all values of the kept ones have had so far; their batches can be
    /// made into these with `TypeInference.convert`.
    public var inferredFields: [Field] {
        guard let fields else { return [] }
        return zip(fields, observations).enumerated().map { index, pair in
            isDeclared[index] ? pair.0 : Field(name: pair.0.name, type: pair.1.type)
        }
    }

    private func checkLength(_ length: Int) throws(LarderError) {
        guard length <= options.limits.maximumLineBytes else {
            throw LarderError(
                .limitExceeded, "NDJSON: line \(line + 1) is longer than \(options.limits.maximumLineBytes) bytes",
                hint: "write one JSON object a line")
        }
    }

    private mutating func readLine(_ whole: Range<Int>) throws(LarderError) {
        line += 1
        try checkLength(whole.count)
        var range = whole
        if line == 1 {
            let head = buffer[range].prefix(3)
            if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
                throw LarderError(.fileMalformed, "NDJSON: the text is UTF-16", hint: "write it as UTF-8")
            }
            if head.elementsEqual([0xEF, 0xBB, 0xBF]) { range = range.lowerBound + 3..<range.upperBound }
        }
        if buffer[range].allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        let bytes = buffer
        if batcher == nil { layOut(firstObject: memberNames(bytes, range)) }
        readObject(bytes, range)
    }

    private func memberNames(_ bytes: [UInt8], _ range: Range<Int>) -> [[UInt8]] {
        var tokenizer = JSONTokenizer(bytes, range: range, maximumDepth: options.limits.maximumDepth)
        var names: [[UInt8]] = []
        do throws(JSONSyntaxError) {
            guard try tokenizer.next() == .beginObject else { return [] }
            while try tokenizer.next() == .name {
                names.append(tokenizer.textBytes)
                try tokenizer.skip(from: try tokenizer.next())
            }
        } catch {
            // The names before the mistake; reading the row reports it.
            return names
        }
        return names
    }

    private mutating func layOut(firstObject: [[UInt8]]) {
        let declared = options.fields.map { Array($0.name.utf8) }
        var kept: [[UInt8]] = []
        for name in firstObject.prefix(options.limits.maximumColumns) where !kept.contains(name) {
            if declared.contains(name)
                ? options.extraColumns == .keep : options.keeps(String(decoding: name, as: UTF8.self))
            {
                kept.append(name)
            }
        }
        names =
            options.extraColumns == .keep
            ? kept + declared.filter { !kept.contains($0) } : declared + kept
        let fields = names.map { name in
            declared.firstIndex(of: name).map { options.fields[$0] }
                ?? Field(name: String(decoding: name, as: UTF8.self), type: .string)
        }
        columnsByName = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, $0.offset) })
        isDeclared = names.map(declared.contains)
        isOptional = zip(fields, isDeclared).map { !$1 || $0.isNullable || options.optionalMissing.contains($0.name) }
        mayLack = zip(fields, isOptional).map { $1 || options.mayLack($0.name) }
        lastRow = [Int](repeating: 0, count: names.count)
        observations = [JSONKinds](repeating: [], count: names.count)
        batcher = RowBatcher(fields: fields, limits: options.limits, keepsRecords: options.keepsRecords)
    }

    private mutating func readObject(_ bytes: [UInt8], _ range: Range<Int>) {
        guard var batcher = batcher.take() else { return }
        row += 1
        var tokenizer = JSONTokenizer(bytes, range: range, maximumDepth: options.limits.maximumDepth)
        do throws(JSONSyntaxError) {
            if try tokenizer.next() == .beginObject {
                try readMembers(bytes, range, &tokenizer, into: &batcher)
            } else {
                batcher.report(
                    "invalid_json", feature: nil, line: line, "the line is not a JSON object (line \(line), column 1)")
                for column in batcher.columns.indices { batcher.columns[column].appendNull() }
                lastRow = [Int](repeating: row, count: names.count)
            }
        } catch {
            batcher.report(
                "invalid_json", feature: nil, line: line, "\(error.message) (line \(line), column \(error.column))")
            fillAbsent(&batcher, reportsMissing: false)
        }
        fillAbsent(&batcher, reportsMissing: true)
        if options.keepsRecords { batcher.keep(record(bytes[range])) }
        batcher.endRow(line: line, bytes: range.count)
        self.batcher = batcher
    }

    /// A line without the carriage return of one that ended with CRLF.
    private func record(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }

    private mutating func fillAbsent(_ batcher: inout RowBatcher, reportsMissing: Bool) {
        for column in names.indices where lastRow[column] != row {
            lastRow[column] = row
            batcher.columns[column].appendNull()
            if reportsMissing, !mayLack[column] {
                batcher.report(
                    "missing", feature: batcher.fields[column].name, line: line,
                    "the member is missing where a value is required (line \(line))")
            }
        }
    }

    private mutating func readMembers(
        _ bytes: [UInt8], _ range: Range<Int>, _ tokenizer: inout JSONTokenizer, into batcher: inout RowBatcher
    ) throws(JSONSyntaxError) {
        var expected = 0
        var unknown: Set<[UInt8]> = []
        while try tokenizer.next() == .name {
            let nameRange = tokenizer.tokenRange
            let column = column(named: tokenizer, bytes, expected: expected)
            guard let column, lastRow[column] != row else {
                let name = tokenizer.textBytes
                if unknown.count < options.limits.maximumColumns {
                    reportUnusable(
                        name, isKnown: column != nil || !unknown.insert(name).inserted, nameRange, range, &batcher)
                }
                try tokenizer.skip(from: try tokenizer.next())
                continue
            }
            expected = column + 1
            let token = try tokenizer.next()
            let start = tokenizer.tokenRange.lowerBound
            let fault = try read(token, &tokenizer, bytes, column, &batcher.columns[column])
            lastRow[column] = row
            if let fault {
                batcher.columns[column].appendNull()
                let place = "(line \(line), column \(self.column(of: start, bytes, range)))"
                batcher.report(
                    fault.code, feature: batcher.fields[column].name, line: line, "\(fault.message) \(place)")
            }
        }
        _ = try tokenizer.next()
    }

    private func reportUnusable(
        _ name: [UInt8], isKnown: Bool, _ place: Range<Int>, _ range: Range<Int>, _ batcher: inout RowBatcher
    ) {
        let text = String(decoding: name, as: UTF8.self)
        let column = column(of: place.lowerBound - 1, buffer, range)
        let nearest = NameSuggestion.nearest(to: text, in: batcher.fields.map(\.name)).map {
            "; did you mean \"\($0)\"?"
        }
        let unknown =
            options.extraColumns == .keep
            ? "the member is not in the first object, whose members are the columns" : "the member is not declared"
        batcher.report(
            isKnown ? "duplicate_member" : "extra_field", feature: String(text.prefix(NameRule.maximumBytes)),
            line: line,
            (isKnown ? "the member is there twice" : "\(unknown)\(nearest ?? "")")
                + " (line \(line), column \(column))")
    }

    private func column(of offset: Int, _ bytes: [UInt8], _ range: Range<Int>) -> Int {
        TextPlace.lineAndColumn(of: offset, in: bytes, from: range.lowerBound).column
    }

    /// The column of the tokenizer's last name; rows tend to have their members in one order.
    private func column(named tokenizer: JSONTokenizer, _ bytes: [UInt8], expected: Int) -> Int? {
        if tokenizer.hasEscapes { return columnsByName[tokenizer.textBytes] }
        if expected < names.count, bytes.span.extracting(tokenizer.tokenRange).equals(names[expected]) {
            return expected
        }
        return columnsByName[tokenizer.textBytes]
    }

    /// Appends the value that starts with `token`, unless a fault is returned.
    private mutating func read(
        _ token: JSONTokenizer.Token, _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8], _ index: Int,
        _ column: inout Column
    ) throws(JSONSyntaxError) -> ValueFault? {
        guard isDeclared[index] else { return try readText(token, &tokenizer, bytes, index, &column) }
        if token == .null {
            guard isOptional[index] else { return .null }
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
            switch (token, scalar) {
            case (.string, .string) where !tokenizer.hasEscapes:
                try parser.append(bytes.span.extracting(tokenizer.tokenRange), as: .string, to: &column)
            case (.number, .int64):
                column.append(int64: try ValueParser.int64(bytes.span.extracting(tokenizer.tokenRange)))
            case (.number, .float64):
                column.append(
                    float64: try ValueParser.float64(bytes.span.extracting(tokenizer.tokenRange), isStrict: true))
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
    private mutating func readText(
        _ token: JSONTokenizer.Token, _ tokenizer: inout JSONTokenizer, _ bytes: [UInt8], _ index: Int,
        _ column: inout Column
    ) throws(JSONSyntaxError) -> ValueFault? {
        let start = tokenizer.tokenRange.lowerBound
        if token == .null {
            column.appendNull()
            return nil
        }
        let text = token == .string ? tokenizer.textBytes : Array(tokenizer.tokenBytes)
        observations[index].observe(token, text)
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
