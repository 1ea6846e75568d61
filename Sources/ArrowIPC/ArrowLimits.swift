public import FeatureModel

/// How much a reader takes from a peer before it refuses.
public struct ArrowLimits: Sendable {
    /// Bytes of one message's metadata, or of a file's footer.
    public var maximumMetadataBytes: Int
    /// Bytes of one message's body.
    public var maximumBodyBytes: Int
    /// Bytes of a file that has to be held whole, because only its footer finds its messages.
    public var maximumHeldFileBytes: Int
    /// Bytes that one record batch, or all dictionaries together, may take once decoded. Nulls, dictionaries and short
    /// offsets take more room decoded than on the wire.
    public var maximumDecodedBytes: Int
    /// Bytes that a record batch may take in memory however few of it were sent; beyond, it is also held to 32 times
    /// what was sent.
    public var maximumUnbackedBytes: Int
    /// Rows of one record batch.
    public var maximumRows: Int
    /// Rows of all record batches, `too_many_rows`.
    public var maximumTotalRows: Int
    /// Columns, counting the children of lists.
    public var maximumColumns: Int

    public init(
        maximumMetadataBytes: Int = 16 << 20, maximumBodyBytes: Int = 1 << 30, maximumHeldFileBytes: Int = 2 << 30,
        maximumDecodedBytes: Int = 2 << 30, maximumUnbackedBytes: Int = 256 << 20, maximumRows: Int = 1 << 26,
        maximumTotalRows: Int = .max, maximumColumns: Int = 4_096
    ) {
        self.maximumMetadataBytes = maximumMetadataBytes
        self.maximumBodyBytes = maximumBodyBytes
        self.maximumHeldFileBytes = maximumHeldFileBytes
        self.maximumDecodedBytes = maximumDecodedBytes
        self.maximumUnbackedBytes = maximumUnbackedBytes
        self.maximumRows = maximumRows
        self.maximumTotalRows = maximumTotalRows
        self.maximumColumns = maximumColumns
    }

    public static let `default` = ArrowLimits()

    /// Bytes that a record batch with a body of `wireBytes` may take once decoded.
    func decodedBytes(for wireBytes: Int) -> Int {
        min(maximumDecodedBytes, maximumUnbackedBytes + 32 * wireBytes)
    }
}

/// Choices a reader has where Arrow says more, or less, than a column can hold.
public struct ArrowReadOptions: Sendable {
    /// What happens to nanoseconds: `.up` for sources, `.down` for spines.
    public var rounding: SubMicrosecondRounding
    /// The type of a column of Arrow's Null type, whose rows are all null.
    public var nullColumnType: ValueType

    public init(rounding: SubMicrosecondRounding = .up, nullColumnType: ValueType = .string) {
        self.rounding = rounding
        self.nullColumnType = nullColumnType
    }
}

extension LarderError {
    /// The bytes are not what the Arrow format allows.
    static func malformedArrow(_ message: String, hint: String? = nil) -> LarderError {
        LarderError(.fileMalformed, "Arrow data is malformed: \(message)", hint: hint)
    }

    static func arrowLimit(_ message: String, hint: String? = nil) -> LarderError {
        LarderError(.limitExceeded, "Arrow data is too large: \(message)", hint: hint)
    }
}
