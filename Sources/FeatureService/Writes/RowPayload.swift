public import FeatureModel
public import TextFormats

/// Rows in memory, as a request carries them.
public struct RowPayload: Sendable {
    public let format: FrameFormat
    public let bytes: [UInt8]
    /// Elements of an array are on no line that their sender would know.
    let hasLines: Bool

    /// - Parameter format: NDJSON or Arrow.
    public init(format: FrameFormat, bytes: [UInt8]) {
        self.format = format
        self.bytes = bytes
        hasLines = true
    }

    /// The elements of a JSON array, one row each. Numbers keep their digits; an element that is no object is a bad row.
    /// - Throws: `request_invalid` when the value is no array.
    public init(json: JSONValue) throws(LarderError) {
        guard case .array(let rows) = json else {
            throw LarderError(
                .requestInvalid, "\"rows\" is not an array of objects",
                hint: #"write {"schema_version": 1, "rows": [{...}, ...]}"#)
        }
        format = .ndjson
        hasLines = false
        bytes = rows.reduce(into: []) { bytes, row in
            bytes.append(contentsOf: row.serialized())
            bytes.append(UInt8(ascii: "\n"))
        }
    }
}

extension LarderError {
    /// A program has to say which version its rows are for.
    static func schemaVersionMissing(newest: Int32?, of target: WriteTarget) -> LarderError {
        let example = newest.map { "; the newest active version of \(target) is \($0)" } ?? ""
        return LarderError(
            .requestInvalid, "the write does not say which schema version its rows are for",
            hint: "name it as \"schema_version\" in the body or in Larder-Schema-Version\(example)")
    }
}
