public import PostgresClient

/// The online home of one generation of a view under one incarnation.
public struct KeySpace: Sendable, Hashable {
    public let id: Int64
    public let featureViewID: Int64
    public let generation: Int32
    public let fence: Int64
    /// Whether a first publication is complete.
    public let isPublished: Bool
}

/// What the online store must show for a project's data to be believed.
public struct OnlineStoreState: Sendable, Hashable {
    public let onlineIncarnation: Int64
    public let redisRunID: String
    public let minimumRevision: Int64
    /// How many keys Redis had evicted when everything was last published anew; any more may be some of them.
    public let evictedKeys: Int64

    public init(onlineIncarnation: Int64, redisRunID: String, minimumRevision: Int64, evictedKeys: Int64 = 0) {
        self.onlineIncarnation = onlineIncarnation
        self.redisRunID = redisRunID
        self.minimumRevision = minimumRevision
        self.evictedKeys = evictedKeys
    }
}

/// `larder.key_space` and `larder.online_store`.
public struct KeySpaceStore: Sendable {
    public init() {}

    /// The key spaces of an incarnation, of every view.
    public func all(of incarnation: Incarnation, on connection: PostgresConnection) async throws -> [KeySpace] {
        let rows = try await connection.query(
            """
            SELECT id, feature_view_id, generation, fence, published_at IS NOT NULL AS is_published
            FROM larder.key_space WHERE incarnation_id = \(incarnation.id) ORDER BY id
            """)
        return try rows.map(Self.decode)
    }

    /// Generations that were published under another incarnation and not yet under this one: nobody reads them.
    public func leftBehind(
        by incarnation: Incarnation, on connection: PostgresConnection
    ) async throws -> [(featureViewID: Int64, generation: Int32)] {
        let rows = try await connection.query(
            """
            SELECT feature_view_id, generation FROM larder.key_space
            WHERE published_at IS NOT NULL
            GROUP BY feature_view_id, generation
            HAVING NOT bool_or(incarnation_id = \(incarnation.id))
            """)
        return try rows.map { row in
            (try row.decode("feature_view_id", as: Int64.self), try row.decode("generation", as: Int32.self))
        }
    }

    /// The ids of a generation's key spaces, of every incarnation.
    public func ofGeneration(
        _ generation: Int32, featureViewID: Int64, on connection: PostgresConnection
    ) async throws -> [Int64] {
        let rows = try await connection.query(
            """
            SELECT id FROM larder.key_space
            WHERE feature_view_id = \(featureViewID) AND generation = \(generation) ORDER BY id
            """)
        return try rows.map { try $0.decode("id", as: Int64.self) }
    }

    /// The key space of a generation, made when there is none.
    public func ensure(
        featureViewID: Int64, generation: Int32, incarnation: Incarnation, on connection: PostgresConnection
    ) async throws -> KeySpace {
        try await connection.execute(
            """
            INSERT INTO larder.key_space (feature_view_id, generation, incarnation_id, fence, created_at)
            VALUES (\(featureViewID), \(generation), \(incarnation.id), 0, clock_timestamp())
            ON CONFLICT (feature_view_id, generation, incarnation_id) DO NOTHING
            """)
        let rows = try await connection.query(
            """
            SELECT id, feature_view_id, generation, fence, published_at IS NOT NULL AS is_published
            FROM larder.key_space
            WHERE feature_view_id = \(featureViewID) AND generation = \(generation)
              AND incarnation_id = \(incarnation.id)
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "the key space just made is not there") }
        return try Self.decode(row)
    }

    /// The key space of a generation; nil when there is none.
    public func find(
        featureViewID: Int64, generation: Int32, incarnation: Incarnation, on connection: PostgresConnection
    ) async throws -> KeySpace? {
        let rows = try await connection.query(
            """
            SELECT id, feature_view_id, generation, fence, published_at IS NOT NULL AS is_published
            FROM larder.key_space
            WHERE feature_view_id = \(featureViewID) AND generation = \(generation)
              AND incarnation_id = \(incarnation.id)
            """)
        return try rows.first.map(Self.decode)
    }

    /// Raises the fence, before rows are withdrawn, and returns the new one.
    public func raiseFence(of keySpaceID: Int64, on connection: PostgresConnection) async throws -> Int64 {
        let rows = try await connection.query(
            "UPDATE larder.key_space SET fence = fence + 1 WHERE id = \(keySpaceID) RETURNING fence")
        guard let row = rows.first else { throw PostgresError(.decoding, "key space \(keySpaceID) is gone") }
        return try row.decode("fence", as: Int64.self)
    }

    /// Records that a publication of the key space is complete, and tells the servers when it is the first.
    public func markPublished(_ keySpaceID: Int64, projectID: Int64, on connection: PostgresConnection) async throws {
        let changed = try await connection.execute(
            """
            UPDATE larder.key_space SET published_at = clock_timestamp()
            WHERE id = \(keySpaceID) AND published_at IS NULL
            """)
        if changed > 0 { try await announce(projectID: projectID, on: connection) }
    }

    /// What the online store must show for a project; nil before the first publication.
    public func onlineState(
        ofProject projectID: Int64, on connection: PostgresConnection
    ) async throws -> OnlineStoreState? {
        // The last column as a member of an object: who only reads needs no database that has it.
        let rows = try await connection.query(
            """
            SELECT online_incarnation, redis_run_id, minimum_revision,
                coalesce((to_jsonb(o) ->> 'evicted_keys')::bigint, 0) AS evicted_keys
            FROM larder.online_store o WHERE project_id = \(projectID)
            """)
        return try rows.first.map { row in
            OnlineStoreState(
                onlineIncarnation: try row.decode("online_incarnation", as: Int64.self),
                redisRunID: try row.decode("redis_run_id", as: String.self),
                minimumRevision: try row.decode("minimum_revision", as: Int64.self),
                evictedKeys: try row.decode("evicted_keys", as: Int64.self))
        }
    }

    /// Where the Redis is that a project was published to, for people; nil when that is not known.
    ///
    /// Asked for on its own, when something is wrong: who only reads needs no database that has the column.
    public func redisEndpoint(ofProject projectID: Int64, on connection: PostgresConnection) async throws -> String? {
        let rows = try await connection.query(
            "SELECT redis_endpoint FROM larder.online_store WHERE project_id = \(projectID)")
        return try rows.first.flatMap { try $0.decode("redis_endpoint", as: String?.self) }
    }

    /// The minimum revision is never lowered: whoever raised it has removed what older readers would look for.
    ///
    /// - Parameter redisEndpoint: of the Redis that was published to; nil leaves it as it is.
    public func setOnlineState(
        _ state: OnlineStoreState, ofProject projectID: Int64, redisEndpoint: String? = nil,
        on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO larder.online_store
                (project_id, online_incarnation, redis_run_id, minimum_revision, redis_endpoint, evicted_keys, updated_at)
            VALUES (\(projectID), \(state.onlineIncarnation), \(state.redisRunID), \(state.minimumRevision),
                    \(redisEndpoint), \(state.evictedKeys), clock_timestamp())
            ON CONFLICT (project_id) DO UPDATE SET
                online_incarnation = excluded.online_incarnation, redis_run_id = excluded.redis_run_id,
                minimum_revision = greatest(online_store.minimum_revision, excluded.minimum_revision),
                redis_endpoint = coalesce(excluded.redis_endpoint, online_store.redis_endpoint),
                evicted_keys = excluded.evicted_keys, updated_at = excluded.updated_at
            """)
        try await announce(projectID: projectID, on: connection)
    }

    private func announce(projectID: Int64, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            SELECT pg_notify(\(RegistryStore.channel), id || ':' || revision) FROM larder.project
            WHERE id = \(projectID)
            """)
    }

    private static func decode(_ row: PostgresRow) throws -> KeySpace {
        KeySpace(
            id: try row.decode("id", as: Int64.self),
            featureViewID: try row.decode("feature_view_id", as: Int64.self),
            generation: try row.decode("generation", as: Int32.self),
            fence: try row.decode("fence", as: Int64.self),
            isPublished: try row.decode("is_published", as: Bool.self))
    }
}
