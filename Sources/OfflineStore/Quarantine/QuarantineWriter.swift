public import PostgresClient

/// How the record of a quarantined row is written.
public enum QuarantineFormat: String, Sendable, Hashable {
    /// One CSV record; its header line is kept beside it.
    case csv
    /// One line that should be a JSON object.
    case ndjson
    /// A JSON object made of a row that came as Arrow.
    case json
}

/// What the quarantined rows of one write have in common.
public struct QuarantineOrigin: Sendable {
    public let projectID: Int64
    public let target: WriteRecord.Target
    /// The version that the write named.
    public let schemaVersion: Int32
    public let writeID: Int64
    public let actor: String
    public let format: QuarantineFormat
    /// A further spelling of null in CSV.
    public let nullSpelling: String?

    public init(
        projectID: Int64, target: WriteRecord.Target, schemaVersion: Int32, writeID: Int64, actor: String,
        format: QuarantineFormat, nullSpelling: String? = nil
    ) {
        self.projectID = projectID
        self.target = target
        self.schemaVersion = schemaVersion
        self.writeID = writeID
        self.actor = actor
        self.format = format
        self.nullSpelling = nullSpelling
    }
}

/// Puts rows into the quarantine, within the transaction of the write they came with.
public struct QuarantineWriter: Sendable {
    /// Past this many bytes, `flush` is due.
    private static let maximumBytes = 4 << 20

    /// One row, as it came, with what is wrong with it.
    public struct Row: Sendable {
        /// Position in the input, from 1.
        public let number: Int64
        /// Line of the input it starts on, where the input is text.
        public let line: Int64?
        public let record: [UInt8]
        /// One per reason, in their order.
        public let codes: [String]
        /// A JSON array.
        public let reasons: [UInt8]

        public init(number: Int64, line: Int64?, record: [UInt8], codes: [String], reasons: [UInt8]) {
            self.number = number
            self.line = line
            self.record = record
            self.codes = codes
            self.reasons = reasons
        }
    }

    public let origin: QuarantineOrigin
    /// Appended so far, flushed or not.
    public private(set) var rowCount: Int64 = 0
    private var encoder = PostgresCopyEncoder()
    private var pendingRows = 0

    public init(_ origin: QuarantineOrigin) {
        self.origin = origin
    }

    /// Whether so much is pending that `flush` should be called.
    public var isFull: Bool { encoder.byteCount >= Self.maximumBytes }

    /// - Parameter header: the header line of CSV; nil for everything else.
    public mutating func append(_ row: Row, header: [UInt8]?) throws {
        encoder.beginRow(fieldCount: 16)
        encoder.append(int64: origin.projectID)
        switch origin.target {
        case .source(let id):
            encoder.append(int64: id)
            encoder.appendNull()
            encoder.appendNull()
        case .featureView(let id, let generation):
            encoder.appendNull()
            encoder.append(int64: id)
            encoder.append(int32: generation)
        }
        encoder.append(int32: origin.schemaVersion)
        encoder.append(int32: origin.schemaVersion)
        encoder.append(int64: origin.writeID)
        try encoder.append(string: origin.actor)
        encoder.append(int64: row.number)
        try encoder.append(row.line)
        try encoder.append(string: origin.format.rawValue)
        try encoder.append(header)
        try encoder.append(bytes: row.record)
        try encoder.append(origin.nullSpelling)
        try encoder.append(row.codes)
        try encoder.append(raw: row.reasons.span.bytes)
        rowCount += 1
        pendingRows += 1
    }

    /// Sends what is pending. No COPY may be open on the connection.
    public mutating func flush(on connection: PostgresConnection) async throws {
        guard pendingRows > 0 else { return }
        encoder.finish()
        let copy = try await connection.beginCopyIn(
            """
            COPY larder.quarantine (project_id, source_id, feature_view_id, generation, schema_version, judged_version,
                write_id, actor, row_number, line, format, header, record, null_spelling, codes, reasons)
            FROM STDIN (FORMAT binary)
            """)
        try await copy.write(encoder.take())
        _ = try await copy.finish()
        encoder = PostgresCopyEncoder()
        pendingRows = 0
    }
}
