public import FeatureModel
import OfflineStore
public import TextFormats

/// A training set that was kept under a name.
public struct SavedTrainingSet: Sendable {
    public let name: String
    public let createdAt: Timestamp
    public let createdBy: String
    public let projectRevision: Int64
    public let definitionsHash: String
    public let asOf: Timestamp
    public let snapshot: String
    public let rowCount: Int64
    public let spineBytes: Int64
    /// SHA-256 in hexadecimal digits; see `FrameHash`.
    public let contentHash: String
    /// Features and options.
    public let request: JSONValue
    /// Each column with its statistics.
    public let columns: JSONValue
    /// How many rows each view had an answer for.
    public let views: JSONValue

    init(_ record: TrainingSetRecord) throws(LarderError) {
        name = record.name
        createdAt = record.createdAt
        createdBy = record.createdBy
        projectRevision = record.projectRevision
        definitionsHash = record.definitionsHash
        asOf = record.asOf
        snapshot = record.snapshot
        rowCount = record.rowCount
        spineBytes = record.spineBytes
        contentHash = record.contentHash
        request = try JSONValue.parse(Array(record.request.utf8), code: .internalError)
        columns = try JSONValue.parse(Array(record.columns.utf8), code: .internalError)
        views = try JSONValue.parse(Array(record.views.utf8), code: .internalError)
    }

    /// - Parameter isWhole: with the statistics of every column.
    public func document(isWhole: Bool) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("created_at", .string(createdAt.description)),
            .init("created_by", .string(createdBy)), .init("rows", .integer(rowCount)),
            .init("content_sha256", .string(contentHash)), .init("as_of", .string(asOf.description)),
        ]
        guard isWhole else { return .object(members) }
        members += [
            .init("snapshot", .string(snapshot)), .init("project_revision", .integer(projectRevision)),
            .init("definitions_sha256", .string(definitionsHash)), .init("spine_bytes", .integer(spineBytes)),
            .init("request", request), .init("views", views), .init("columns", columns),
        ]
        return .object(members)
    }
}
