public import FeatureModel

/// What to do with columns of the input that are not declared.
public enum ExtraColumns: Sendable {
    /// They are an error: in CSV of the header, in NDJSON of each row (`extra_field`).
    case reject
    /// They come through as string columns, in the place they have in the input.
    case keep
}

/// Which of two instants a local time means that a clock set back shows twice.
public enum LocalTimeAmbiguity: Sendable {
    /// For sources: an instant in doubt resolves late.
    case later
    /// For spines: an instant in doubt resolves early.
    case earlier
}

/// How much a text reader takes before it refuses, in bytes where not said otherwise.
public struct TextLimits: Sendable {
    /// A CSV field.
    public var maximumFieldBytes: Int
    /// A CSV record or an NDJSON line.
    public var maximumLineBytes: Int
    /// Columns of a CSV header, members of an NDJSON object.
    public var maximumColumns: Int
    /// JSON arrays and objects within each other; beyond 64 it is 64.
    public var maximumDepth: Int
    /// Rows of one `ReadBatch`.
    public var maximumBatchRows: Int
    /// Text and fixed-width values after which a `ReadBatch` is handed out although it has fewer rows.
    public var maximumBatchBytes: Int

    public init(
        maximumFieldBytes: Int = 16 << 20, maximumLineBytes: Int = 64 << 20, maximumColumns: Int = 4_096,
        maximumDepth: Int = 32, maximumBatchRows: Int = 65_536, maximumBatchBytes: Int = 32 << 20
    ) {
        self.maximumFieldBytes = maximumFieldBytes
        self.maximumLineBytes = maximumLineBytes
        self.maximumColumns = maximumColumns
        self.maximumDepth = maximumDepth
        self.maximumBatchRows = maximumBatchRows
        self.maximumBatchBytes = maximumBatchBytes
    }

    public static let `default` = TextLimits()
}

/// What a CSV or NDJSON reader expects and how it reads what is open to choice.
public struct TextReadOptions: Sendable {
    /// The declared columns. A null or an absence where a field is not nullable is a violation; declare nullable
    /// what a later check judges.
    public var fields: [Field]
    /// Declared columns that the input may lack altogether; they are then null in every row. Nullable columns are
    /// not optional: a CSV header without them is an error, while in NDJSON an absent nullable member is a null.
    public var optionalMissing: Set<String>
    /// Declared columns that are not nullable and that may be absent: a CSV header or an NDJSON object without them is no
    /// violation, a null that is written out is one. An absent value is a null in the batch.
    public var absenceAllowed: Set<String>
    /// The zone of timestamps without an offset; without it they are violations.
    public var timeZone: String?
    /// Besides the unquoted empty field, an unquoted CSV field of this text is null.
    public var nullSpelling: String?
    public var rounding: SubMicrosecondRounding
    public var ambiguity: LocalTimeAmbiguity
    /// Which integers beyond 2^53 (2^24) become float64 (float32) values.
    public var longIntegers = LongIntegers.roundTripping
    public var extraColumns: ExtraColumns
    /// Undeclared columns that come through as strings even where others are rejected.
    public var extraAllowed: Set<String>
    /// What helps who has no column of that name, by declared column.
    public var missingColumnHints: [String: String] = [:]
    /// Whether batches carry the bytes of their records. Off by default: they take as much memory again.
    public var keepsRecords: Bool
    public var limits: TextLimits

    public init(
        fields: [Field], optionalMissing: Set<String> = [], absenceAllowed: Set<String> = [],
        timeZone: String? = nil, nullSpelling: String? = nil,
        rounding: SubMicrosecondRounding = .up, ambiguity: LocalTimeAmbiguity = .later,
        extraColumns: ExtraColumns = .reject, extraAllowed: Set<String> = [], keepsRecords: Bool = false,
        limits: TextLimits = .default
    ) {
        self.fields = fields
        self.optionalMissing = optionalMissing
        self.absenceAllowed = absenceAllowed
        self.timeZone = timeZone
        self.nullSpelling = nullSpelling
        self.rounding = rounding
        self.ambiguity = ambiguity
        self.extraColumns = extraColumns
        self.extraAllowed = extraAllowed
        self.keepsRecords = keepsRecords
        self.limits = limits
    }

    func mayLack(_ name: String) -> Bool { optionalMissing.contains(name) || absenceAllowed.contains(name) }

    func keeps(_ name: String) -> Bool { extraColumns == .keep || extraAllowed.contains(name) }

    var zone: LocalTimeZone? {
        get throws(LarderError) {
            guard let timeZone else { return nil }
            return try LocalTimeZone(named: timeZone)
        }
    }
}

/// Rows read from text.
public struct ReadBatch: Sendable {
    /// A value that is a violation is a null here.
    public let batch: RecordBatch
    /// Number of the first row in the input, from 1. Headers and blank lines are not rows.
    public let firstRow: Int
    /// The line that each row starts on, from 1; empty where rows are the elements of an array.
    public let lines: [Int]
    /// Every reason why rows of this batch are refused, in their order.
    public let violations: [RowViolation]
    /// The bytes of each row, with `TextReadOptions.keepsRecords`.
    public let records: RecordBytes?
}
