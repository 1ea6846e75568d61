public import FeatureModel

/// Writes record batches as NDJSON: one object a line with every field in order, nulls as `null`.
public struct NDJSONWriter: Sendable {
    public let fields: [Field]
    /// `"name":` of each field, with the brace or comma before it.
    private let prefixes: [[UInt8]]

    public init(fields: [Field]) {
        self.fields = fields
        prefixes = fields.enumerated().map { index, field in
            var prefix = [index == 0 ? UInt8(ascii: "{") : UInt8(ascii: ",")]
            JSONText.writeString(field.name, into: &prefix)
            prefix.append(UInt8(ascii: ":"))
            return prefix
        }
    }

    /// NDJSON has none; for symmetry with CSV.
    public func header() -> [UInt8] { [] }

    /// Appends the rows of a batch, whose fields are those of the writer.
    public func write(_ batch: RecordBatch, into out: inout [UInt8]) {
        precondition(batch.fields == fields, "the batch has other fields than its file")
        for row in 0..<batch.rowCount {
            if fields.isEmpty { out.append(UInt8(ascii: "{")) }
            for index in prefixes.indices {
                out.append(contentsOf: prefixes[index])
                // Passed in place: a copy of a column for each of its values would be what costs most.
                JSONText.write(batch.columns[index], row: row, into: &out)
            }
            out.append(contentsOf: "}\n".utf8)
        }
    }
}
