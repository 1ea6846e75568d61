public import FeatureModel

/// A saved training set, without its spine.
public struct TrainingSetRecord: Sendable {
    public let id: Int64
    public let name: String
    public let createdAt: Timestamp
    public let createdBy: String
    public let projectRevision: Int64
    /// SHA-256 of the registry document, in hexadecimal digits.
    public let definitionsHash: String
    /// JSON text.
    public let request: String
    /// Writes that had arrived by then were seen.
    public let asOf: Timestamp
    public let snapshot: String
    public let rowCount: Int64
    /// Of the stored spine, before PostgreSQL compressed it.
    public let spineBytes: Int64
    public let contentHash: String
    /// JSON text: each column with its statistics.
    public let columns: String
    /// JSON text: how many rows each view had an answer for.
    public let views: String
}
