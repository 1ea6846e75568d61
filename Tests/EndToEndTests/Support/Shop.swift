import Testing

/// A small project that most tests begin with.
enum Shop {
    /// The project and its entity, for definitions of a test's own to follow.
    static let head = """
        kind: project
        name: shop
        ---
        kind: entity
        name: customer
        description: Who buys
        join_keys: [{name: customer_id, type: int64}]
        ---
        """

    static let definitions = """
        \(head)
        kind: source
        name: visits
        type: table
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: visited_at, type: timestamp}
          - {name: amount, type: float64}
          - {name: page, type: string}
        timestamp: visited_at
        ---
        kind: feature_view
        name: last_visit
        description: The newest visit
        entities: [customer]
        source: visits
        ttl: 6h
        features:
          - {name: amount, type: float64}
          - {name: page, type: string}
          - {name: is_large, type: bool, expr: amount >= 100}
        ---
        kind: feature_service
        name: checkout
        features: [last_visit:*]

        """

    static let visits = #"""
        customer_id,visited_at,amount,page
        1,2024-05-01T10:00:00Z,20.5,home
        1,2024-05-01T12:00:00Z,120,cart
        2,2024-05-01T11:00:00Z,,"a, ""b"""

        """#

    /// The fourth row's customer is unknown, the fifth row's answer is too old.
    static let spine = """
        customer_id,event_timestamp,label
        1,2024-05-01T11:00:00Z,a
        1,2024-05-01T12:00:00Z,b
        2,2024-05-01T12:00:00Z,c
        3,2024-05-01T12:00:00Z,d
        1,2024-05-01T18:00:00.000001Z,e

        """

    /// Runs `body` with an installation that has the definitions, and the visits computed.
    static func run(_ body: (Installation) async throws -> Void) async throws {
        try await Installation.run { larder in
            try larder.write(definitions)
            try await larder.succeed("apply", "--yes")
            try await larder.succeed("ingest", "visits", "-", "--format", "csv", input: visits)
            try await larder.succeed("materialize", "--only", "offline")
            try await body(larder)
        }
    }
}
