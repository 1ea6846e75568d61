public import FeatureModel
public import TextFormats

/// Rows in memory, as a request carries them.
public struct RowPayload: Sendable {
    public let format: FrameFormat
    public let bytes: [UInt8]
    /// Where in `bytes` the JSON array is whose elements are the rows; nil where the bytes are rows from end to end.
    public let array: Range<Int>?
    /// How many rows there may be; one more is `too_many_rows`.
    public let maximumRows: Int

    /// - Parameter format: NDJSON or Arrow.
    public init(format: FrameFormat, bytes: [UInt8], maximumRows: Int = .max) {
        self.format = format
        self.bytes = bytes
        self.maximumRows = maximumRows
        array = nil
    }

    /// The elements of a JSON array, one row each, where they stand. An element that is no object is a bad row.
    /// - Parameters:
    ///   - array: its place in `bytes`, brackets included; what stands there need not be JSON.
    ///   - bytes: of the request.
    /// - Throws: `request_invalid` when there is no array.
    public init(array: Range<Int>?, of bytes: [UInt8], maximumRows: Int = .max) throws(LarderError) {
        guard let array else {
            throw LarderError(
                .requestInvalid, "\"rows\" is not an array of objects",
                hint: #"write {"schema_version": 1, "rows": [{...}, ...]}"#)
        }
        format = .ndjson
        self.bytes = bytes
        self.array = array
        self.maximumRows = maximumRows
    }

    /// The elements of a JSON array, one row each. Numbers keep their digits; an element that is no object is a bad
    /// row.
    /// - Throws: `request_invalid` when the value is no array.
    public init(json: JSONValue) throws(LarderError) {
        let bytes = json.serialized()
        var isArray = false
        if case .array = json { isArray = true }
        try self.init(array: isArray ? bytes.indices : nil, of: bytes)
    }

    /// A reader of all of the rows.
    /// - Parameter maximumRows: how many there may be, where that is fewer.
    func read(_ options: TextReadOptions, atMost maximumRows: Int = .max) throws(LarderError) -> RowReader {
        var reader = try RowReader(
            format: format, array: array, maximumRows: min(maximumRows, self.maximumRows), options: options)
        reader.feed(bytes)
        reader.finish()
        return reader
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
