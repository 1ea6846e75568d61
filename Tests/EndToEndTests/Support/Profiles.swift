import Foundation
import Testing

/// Training sets that take a while: most of one is still to come when its first rows are written.
///
/// Segments of a training set hold as many rows as fit into memory, by the columns' usual sizes; with the least memory
/// there is, a wide vector and many rows these are several segments.
enum Profiles {
    /// Of the spine.
    private static let rows = 50_000

    /// The least memory there is.
    static let environment = ["LARDER_TRAINING_MEMORY": "64MiB"]

    private static let definitions = """
        \(Shop.head)
        kind: source
        name: profiles
        type: table
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: changed_at, type: timestamp}
          - {name: score, type: float64}
          - {name: taste, type: "vector<float32, 1024>"}
        timestamp: changed_at
        ---
        kind: feature_view
        name: profile
        entities: [customer]
        source: profiles
        features: [{name: score, type: float64}, {name: taste, type: "vector<float32, 1024>"}]
        ---
        kind: feature_service
        name: checkout
        features: [profile:*]

        """

    /// Leaves the features computed, and the spine in `spine.csv`.
    static func prepare(_ larder: Installation) async throws {
        try larder.write(definitions)
        try await larder.succeed("apply", "--yes")
        let profiles = (0..<rows / 10).map { "\($0),2024-05-01T10:00:00Z,\($0).5,\n" }
        try await larder.succeed(
            "ingest", "profiles", "-", "--format", "csv",
            input: "customer_id,changed_at,score,taste\n\(profiles.joined())")
        try await larder.succeed("materialize", "--only", "offline")
        let spine = (0..<rows).map { "\($0 * 7 % rows / 10),2024-05-02T10:00:00Z,\($0)\n" }
        try Data("customer_id,event_timestamp,label\n\(spine.joined())".utf8)
            .write(to: larder.folder.appending(path: "spine.csv"))
    }
}
