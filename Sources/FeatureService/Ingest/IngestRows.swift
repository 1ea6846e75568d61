public import FeatureDefinitions
import FeatureModel

/// Loads a file into a table source: all of its rows, or, in a partial write, those that are good.
public struct IngestRows: Sendable {
    public struct Request: Sendable {
        public var source: String
        /// `-` is standard input.
        public var path: String
        public var format: FrameFormat
        /// Nil takes the newest active version.
        public var schemaVersion: Int32?
        /// A further spelling of null in CSV.
        public var nullSpelling: String?
        public var mode: WriteMode

        public init(
            source: String, path: String, format: FrameFormat, schemaVersion: Int32? = nil,
            nullSpelling: String? = nil, mode: WriteMode = .allOrNothing
        ) {
            self.source = source
            self.path = path
            self.format = format
            self.schemaVersion = schemaVersion
            self.nullSpelling = nullSpelling
            self.mode = mode
        }
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// The same bytes count once per version.
    ///
    /// - Parameter progress: told the number of rows read so far.
    /// - Throws: `LarderError`; the table and the quarantine are as they were then.
    public func run(
        _ request: Request, in project: RegisteredProject, progress: @Sendable (Int64) -> Void = { _ in }
    ) async throws -> WriteReport {
        let source = try project.source(named: request.source)
        let (version, warning) = try source.ingestibleVersion(request.schemaVersion)
        let load = RowLoadRequest(
            format: request.format, nullSpelling: request.nullSpelling, mode: request.mode, identity: .bytes,
            projectID: project.id, actor: stores.actor)
        return try await SourceWrite(stores: stores, source: source, version: version, warning: warning)
            .run(load) { rows in
                let input = try ByteInput(path: request.path)
                while true {
                    let bytes = try input.next()
                    try await rows.take(bytes, progress: progress)
                    if bytes.isEmpty { break }
                }
            }
    }
}
