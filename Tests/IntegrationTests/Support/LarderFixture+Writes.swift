import FeatureDefinitions
import FeatureModel
import FeatureService
import PostgresClient
import Testing
import TextFormats

extension LarderFixture {
    /// Writes a file into a source.
    @discardableResult
    func write(
        _ source: String, _ bytes: [UInt8], format: FrameFormat = .csv, version: Int32? = nil, null: String? = nil,
        mode: WriteMode = .partial
    ) async throws -> WriteReport {
        try await withTemporaryFile(bytes) { path in
            try await IngestRows(stores: stores).run(
                .init(
                    source: source, path: path, format: format, schemaVersion: version, nullSpelling: null, mode: mode),
                in: try await project())
        }
    }

    @discardableResult
    func write(
        _ source: String, _ text: String, format: FrameFormat = .csv, version: Int32? = nil, null: String? = nil,
        mode: WriteMode = .partial
    ) async throws -> WriteReport {
        try await write(source, Array(text.utf8), format: format, version: version, null: null, mode: mode)
    }

    /// Deprecates or retires versions of a source.
    func change(_ change: (VersionedObject) -> LifecycleChange, _ source: String, _ version: Int32) async throws {
        let object = VersionedObject(kind: .source, name: source, version: version)
        try await ChangeLifecycle(stores: stores).make(change(object), in: try await project())
    }

    var quarantine: Quarantine { Quarantine(stores: stores) }

    /// Every quarantined row of a source, in the order they came.
    func quarantined(_ source: String) async throws -> [QuarantineEntry] {
        try await quarantine.rows(.source(source), in: try await project(), limit: 1_000_000)
    }

    @discardableResult
    func replay(_ source: String, version: Int32? = nil) async throws -> Quarantine.Replay {
        try await quarantine.replay(.source(source), in: try await project(), schemaVersion: version)
    }

    /// Returns once some session of the database waits for a lock on a table.
    func waitForLockWaiter(on table: String) async throws -> Int32 {
        for _ in 0..<1_000 {
            let waiting = try await stores.owner.withConnection { connection in
                try await connection.query(
                    """
                    SELECT l.pid FROM pg_locks l
                    WHERE NOT l.granted AND l.relation = \(table)::regclass
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """)
            }
            if let row = waiting.first { return try row.decode("pid", as: Int32.self) }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw LarderError(.internalError, "no session waits for \(table)")
    }

    /// Runs `body` until it is about to write its ledger row, then ends its session as a kill would.
    /// - Returns: what `body` failed with.
    func killedBeforeTheLedgerRow(_ body: @escaping @Sendable () async throws -> Void) async throws -> LarderError {
        try await stores.owner.withConnection { holder in
            try await holder.execute("BEGIN")
            try await holder.execute("LOCK TABLE larder.write IN EXCLUSIVE MODE")
            let failure = Task { try await thrownError(body) }
            let pid = try await waitForLockWaiter(on: "larder.write")
            _ = try await holder.query("SELECT pg_terminate_backend(\(pid)) AS ended")
            let error = try await failure.value
            try await holder.execute("ROLLBACK")
            return error
        }
    }
}
