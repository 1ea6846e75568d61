public import FeatureModel

/// Reads CSV (RFC 4180, UTF-8, with a header) into typed columns as bytes arrive.
///
/// What makes the whole input unreadable is thrown: broken quoting, a header that does not fit the declared columns.
/// What is wrong with one row is a violation of that row. Blank lines are passed over, except in input of one column,
/// where they are nulls.
public struct CSVReader: Sendable {
    /// What becomes of a column of the input. Holds nothing that is counted, for it is read for each field.
    private struct Target {
        /// In the batch.
        let column: Int
        let type: ValueType
        let isNullable: Bool
    }

    private let options: TextReadOptions
    private let nullSpelling: [UInt8]?
    private var parser: ValueParser
    private var scanner: CSVScanner
    private var batcher: RowBatcher?
    /// One per column of the input.
    private var targets: [Target] = []
    /// Columns of the batch that the input lacks.
    private var absent: [Int] = []
    private var unescaped: [UInt8] = []
    private var failure: LarderError?
    /// The header line, once it has been read, with `TextReadOptions.keepsRecords`.
    public private(set) var header: [UInt8]?

    /// - Throws: when the time zone is unknown.
    public init(_ options: TextReadOptions) throws(LarderError) {
        self.options = options
        nullSpelling = options.nullSpelling.map { Array($0.utf8) }
        parser = try ValueParser(options)
        scanner = CSVScanner(limits: options.limits)
    }

    /// The columns of the batches, once the header has been read.
    public var fields: [Field]? { batcher?.fields }

    /// Takes the next bytes of the input.
    /// - Throws: `file_malformed`, `column_missing`, `column_unknown` or `limit_exceeded`; the reader stays failed.
    public mutating func feed(_ bytes: [UInt8]) throws(LarderError) {
        if let failure { throw failure }
        scanner.feed(bytes)
        try readRecords(isLast: false)
    }

    /// Says that the input has ended; the last rows are then ready.
    public mutating func finish() throws(LarderError) {
        if let failure { throw failure }
        try readRecords(isLast: true)
        guard batcher != nil else {
            throw LarderError(.fileMalformed, "CSV: the input is empty", hint: "write at least a header line")
        }
        batcher?.flush()
    }

    /// The next rows; nil when more bytes are needed or the input has ended.
    public mutating func nextBatch() -> ReadBatch? { batcher?.next() }

    private mutating func readRecords(isLast: Bool) throws(LarderError) {
        do {
            while try scanner.nextRecord(isLast: isLast) {
                let isBlank =
                    scanner.fields.count == 1 && scanner.fields[0].range.isEmpty && !scanner.fields[0].isQuoted
                if isBlank, targets.count != 1 { continue }
                if batcher == nil { try readHeader() } else { readRow() }
            }
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func readHeader() throws(LarderError) {
        var names: [String] = []
        var errors: [LarderError] = []
        for (index, field) in scanner.fields.enumerated() {
            let place = scanner.place(of: field)
            guard let name = String(validating: text(of: field), as: UTF8.self) else {
                throw LarderError(.fileMalformed, "CSV: the name of column \(index + 1) is not UTF-8 (\(place))")
            }
            guard !name.isEmpty else {
                throw LarderError(.fileMalformed, "CSV: column \(index + 1) has no name (\(place))")
            }
            guard !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw LarderError(
                    .fileMalformed, "CSV: column \(ValueFault.excerpt(Array(name.utf8).span)) is there twice (\(place))"
                )
            }
            names.append(name)
            if !options.fields.contains(where: { $0.name == name }), !options.keeps(name) {
                errors.append(unknownColumn(name, place: place))
            }
        }
        errors += missingColumns(names)
        if errors.count == 1 { throw errors[0] }
        if let first = errors.first {
            throw LarderError(
                first.code, "CSV: the header has \(errors.count) columns that do not fit the declared ones",
                errors: errors)
        }
        layOut(names)
    }

    private func unknownColumn(_ name: String, place: String) -> LarderError {
        let declared = options.fields.map(\.name)
        let nearest = NameRule.nearest(to: name, in: declared)
        return LarderError(
            .columnUnknown, "CSV: column \(ValueFault.excerpt(Array(name.utf8).span)) is not declared (\(place))",
            hint: nearest.map { "did you mean \"\($0)\"?" }
                ?? "declared are: \(declared.prefix(50).joined(separator: ", "))")
    }

    private func missingColumns(_ names: [String]) -> [LarderError] {
        let present = Set(names)
        return options.fields.compactMap { field in
            if present.contains(field.name) || options.mayLack(field.name) { return nil }
            let found = "the header has: \(names.prefix(50).map { String($0.prefix(64)) }.joined(separator: ", "))"
            return LarderError(
                .columnMissing, "CSV: column \"\(field.name)\" is missing from the header (line \(scanner.line))",
                hint: options.missingColumnHints[field.name].map { "\($0); \(found)" } ?? found)
        }
    }

    private mutating func layOut(_ names: [String]) {
        var fields: [Field] = []
        if options.extraColumns == .keep {
            fields = names.map { name in
                options.fields.first { $0.name == name } ?? Field(name: name, type: .string)
            }
            fields += options.fields.filter { !names.contains($0.name) }
        } else {
            let declared = Set(options.fields.map(\.name))
            fields = options.fields
            fields += names.filter { !declared.contains($0) }.map { Field(name: $0, type: .string) }
        }
        targets = names.map { name in
            let column = fields.firstIndex { $0.name == name } ?? 0
            return Target(column: column, type: fields[column].type, isNullable: fields[column].isNullable)
        }
        let present = Set(targets.map(\.column))
        absent = fields.indices.filter { !present.contains($0) }
        batcher = RowBatcher(fields: fields, limits: options.limits, keepsRecords: options.keepsRecords)
        if options.keepsRecords { header = Array(record) }
    }

    /// The bytes of the current record.
    private var record: ArraySlice<UInt8> {
        scanner.buffer[scanner.recordStart..<scanner.recordStart + scanner.recordLength].withoutLineEnd
    }

    private func text(of field: CSVScanner.Field) -> [UInt8] {
        var out: [UInt8] = []
        unescape(field, into: &out)
        return out
    }

    private func unescape(_ field: CSVScanner.Field, into out: inout [UInt8]) {
        let start = scanner.recordStart
        var skipNext = false
        for byte in scanner.buffer[start + field.range.lowerBound..<start + field.range.upperBound] {
            if skipNext {
                skipNext = false
                continue
            }
            out.append(byte)
            skipNext = field.hasDoubledQuotes && byte == UInt8(ascii: "\"")
        }
    }

    private mutating func readRow() {
        guard var batcher = batcher.take() else { return }
        let fields = scanner.fields
        if fields.count == targets.count {
            let bytes = scanner.buffer
            let start = scanner.recordStart
            for index in fields.indices {
                let range = start + fields[index].range.lowerBound..<start + fields[index].range.upperBound
                read(fields[index], bytes.span.extracting(range), as: targets[index], into: &batcher)
            }
            for column in absent { batcher.columns[column].appendNull() }
        } else {
            for column in batcher.columns.indices { batcher.columns[column].appendNull() }
            batcher.report(
                "field_count", feature: nil, line: scanner.line,
                "the row has \(fields.count) fields, the header \(targets.count) "
                    + "(\(scanner.place(fields.last?.range.upperBound ?? 0)))")
        }
        if options.keepsRecords { batcher.keep(record) }
        batcher.endRow(line: scanner.line, bytes: scanner.recordLength)
        self.batcher = batcher
    }

    private mutating func read(
        _ field: CSVScanner.Field, _ text: Span<UInt8>, as target: Target, into batcher: inout RowBatcher
    ) {
        do throws(ValueFault) {
            if !field.isQuoted, text.isEmpty || isNullSpelling(text) {
                guard target.isNullable else { throw .null }
                batcher.columns[target.column].appendNull()
            } else if field.hasDoubledQuotes {
                unescaped.removeAll(keepingCapacity: true)
                unescape(field, into: &unescaped)
                let copy = unescaped
                try append(copy.span, as: target.type, to: &batcher.columns[target.column])
            } else {
                try append(text, as: target.type, to: &batcher.columns[target.column])
            }
        } catch {
            batcher.columns[target.column].appendNull()
            batcher.report(
                error.code, feature: batcher.fields[target.column].name, line: scanner.line,
                "\(error.message) (\(scanner.place(of: field)))")
        }
    }

    private func isNullSpelling(_ text: Span<UInt8>) -> Bool {
        guard let nullSpelling else { return false }
        return text.equals(nullSpelling)
    }

    private mutating func append(
        _ text: Span<UInt8>, as type: ValueType, to column: inout Column
    ) throws(ValueFault) {
        if case .scalar(let scalar) = type { return try parser.append(text, as: scalar, to: &column) }
        // Lists are JSON inside the field.
        let bytes = text.withUnsafeBufferPointer { Array($0) }
        var tokenizer = JSONTokenizer(bytes, maximumDepth: options.limits.maximumDepth)
        let fault: ValueFault?
        do throws(JSONSyntaxError) {
            // The whole text is checked first, so that nothing is appended from one that is broken further on.
            var check = tokenizer
            let first = try check.next()
            try check.skip(from: first)
            _ = try check.next()
            if try tokenizer.next() == .beginArray {
                fault = try ListParser.append(&tokenizer, bytes, to: &column, parser: &parser)
            } else {
                fault = .wrongType(text, type, hint: " (a JSON array)")
            }
        } catch {
            fault = ValueFault(code: "wrong_type", message: "\(ValueFault.excerpt(text)) is not JSON: \(error.message)")
        }
        if let fault { throw fault }
    }
}
