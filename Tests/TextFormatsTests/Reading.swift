import FeatureModel

@testable import TextFormats

/// What a reader made of a text.
struct ReadText {
    var fields: [Field] = []
    var rows: [[Value]] = []
    var lines: [Int] = []
    var violations: [RowViolation] = []
    var batches: [ReadBatch] = []

    mutating func add(_ read: ReadBatch) {
        fields = read.batch.fields
        rows += (0..<read.batch.rowCount).map { row in read.batch.columns.map { $0[row] } }
        lines += read.lines
        violations += read.violations
        batches.append(read)
    }

    var complaints: [String] { violations.map { "\($0.row)/\($0.line ?? 0) \($0.feature ?? "-") \($0.code)" } }
}

func readCSV(
    _ text: some Collection<UInt8>, _ options: TextReadOptions, chunk: Int = .max
) throws(LarderError) -> ReadText {
    var reader = try CSVReader(options)
    var result = ReadText()
    for part in chunks(Array(text), chunk) {
        try reader.feed(part)
        while let batch = reader.nextBatch() { result.add(batch) }
    }
    try reader.finish()
    result.fields = reader.fields ?? []
    while let batch = reader.nextBatch() { result.add(batch) }
    return result
}

func readNDJSON(
    _ text: some Collection<UInt8>, _ options: TextReadOptions, chunk: Int = .max
) throws(LarderError) -> ReadText {
    var reader = try NDJSONReader(options)
    var result = ReadText()
    for part in chunks(Array(text), chunk) {
        try reader.feed(part)
        while let batch = reader.nextBatch() { result.add(batch) }
    }
    try reader.finish()
    result.fields = reader.fields ?? []
    while let batch = reader.nextBatch() { result.add(batch) }
    return result
}

/// - Parameter place: of the array in the text; all of it when nil.
func readArray(
    _ text: some Collection<UInt8>, _ options: TextReadOptions, at place: Range<Int>? = nil
) throws(LarderError) -> ReadText {
    let bytes = Array(text)
    var reader = try JSONArrayReader(options)
    try reader.begin(bytes, place ?? bytes.indices)
    var result = ReadText()
    while let batch = try reader.nextBatch() { result.add(batch) }
    result.fields = reader.fields ?? []
    return result
}

private func chunks(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
    guard size < bytes.count else { return [bytes] }
    return stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
}

func options(_ columns: KeyValuePairs<String, ValueType>) -> TextReadOptions {
    TextReadOptions(fields: columns.map { Field(name: $0.key, type: $0.value) })
}

func failure<Result>(_ body: () throws(LarderError) -> Result) -> LarderError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error
    }
}
