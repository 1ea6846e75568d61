public import FeatureDefinitions
import FeatureModel

/// Writes rows that are in memory into a table source: what `IngestRows` does with a file.
public struct WriteSourceRows: Sendable {
    public struct Request: Sendable {
        public var source: String
        /// The version that the rows were made for. Nil is refused: a program says what it writes.
        public var schemaVersion: Int32?
        public var rows: RowPayload
        public var mode: WriteMode
        /// A second write with the same key into the same source writes nothing, and is refused unless it is the same
        /// write. Nil makes each write count.
        public var idempotencyKey: String?

        public init(
            source: String, schemaVersion: Int32?, rows: RowPayload, mode: WriteMode = .allOrNothing,
            idempotencyKey: String? = nil
        ) {
            self.source = source
            self.schemaVersion = schemaVersion
            self.rows = rows
            self.mode = mode
            self.idempotencyKey = idempotencyKey
        }
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Throws: `LarderError`, such as `idempotency_key_reused`, or `request_invalid` for a key that is none; the table and
    ///   the quarantine are as they were then.
    public func run(_ request: Request, in project: RegisteredProject) async throws -> WriteReport {
        let source = try project.source(named: request.source)
        guard let number = request.schemaVersion else {
            throw LarderError.schemaVersionMissing(
                newest: source.activeVersion?.version, of: .source(source.name))
        }
        let (version, warning) = try source.ingestibleVersion(number)
        let terms = WriteTerms(
            format: request.rows.format, isArray: request.rows.array != nil, nullSpelling: nil, schemaVersion: number,
            mode: request.mode, destination: nil)
        let load = RowLoadRequest(
            format: request.rows.format, nullSpelling: nil, mode: request.mode,
            identity: try WriteIdentity(key: request.idempotencyKey, terms), projectID: project.id,
            actor: stores.actor, array: request.rows.array, maximumRows: request.rows.maximumRows)
        return try await SourceWrite(stores: stores, source: source, version: version, warning: warning)
            .run(load) { rows in
                if !request.rows.bytes.isEmpty { try await rows.take(request.rows.bytes) }
                try await rows.take([])
            }
    }
}
