import FeatureDefinitions
import FeatureModel
import FeatureService
import OfflineStore
import PostgresClient
import Testing
import TextFormats

/// A project with one view of a push source; every version of it may be written from the start.
enum PushedScores {
    static func definitions(
        generation: Int = 1, entities: String = "[user]", online: Bool = true, _ features: String
    ) -> String {
        """
        kind: project
        name: test
        ---
        kind: entity
        name: user
        join_keys: [{name: user_id, type: int64}]
        ---
        kind: entity
        name: place
        join_keys: [{name: region, type: string}]
        ---
        kind: source
        name: scores_in
        type: push
        columns:
          - {name: user_id, type: int64}
          - {name: region, type: string}
          - {name: at, type: timestamp}
          - {name: seen, type: timestamp}
          - {name: score, type: int32}
          - {name: label, type: string}
          - {name: level, type: int32}
        timestamp: at
        created_timestamp: seen
        ---
        kind: feature_view
        name: scores
        entities: \(entities)
        source: scores_in
        generation: \(generation)
        online: \(online)
        features:
        \(features)
        """
    }

    static let first = """
          - {name: score, type: int32, nullable: false, expect: {min: 0, max: 100}}
          - {name: label, type: string, expect: {max_length: 5}}
        """

    static let second =
        first + "\n" + """
              - {name: level, type: int32, nullable: false, default: 7}
            """
}

extension LarderFixture {
    /// Pushes rows given as the objects of a JSON request, without the brackets around them.
    @discardableResult
    func push(
        _ rows: String, version: Int32? = nil, mode: WriteMode = .allOrNothing,
        to destination: WriteDestination = .both,
        key: String? = nil, view: String = "scores"
    ) async throws -> ViewWriteReport {
        let json = try JSONValue.parse(Array("[\(rows)]".utf8))
        return try await WriteViewRows(stores: stores).run(
            .init(
                view: view, rows: .payload(try RowPayload(json: json)), schemaVersion: version, mode: mode,
                destination: destination, idempotencyKey: key),
            in: try await project())
    }

    /// Makes the view's key space: nothing is published at once before that.
    func publishScores() async throws {
        try await materialize(["scores"], stages: [.offline, .online])
    }

    /// What the online store answers for a user of the view of scores.
    func score(
        _ feature: String, of user: Int, at now: String = "2024-05-01T12:00:00Z"
    ) async throws -> (value: Value, status: FeatureStatus) {
        try await online(
            feature, [.init(name: "user_id", values: [.integer(user)])], at: try instant(now))
    }

    /// An instant so many seconds after what PostgreSQL's clock says, as RFC 3339.
    func time(secondsFromNow seconds: Int64) async throws -> String {
        let now = try await value("SELECT clock_timestamp() AS now", as: PostgresTimestamp.self)
        return Timestamp(microsecondsSince1970: now.microsecondsSince1970 + seconds * 1_000_000).description
    }

    func scoresTable(_ generation: Int = 1) async throws -> PostgresQuery {
        let id = try await project().featureView(named: "scores").id
        return "larder_data.\(identifier: "view_\(id)_g\(generation)")"
    }
}
