public import FeatureDefinitions
public import FeatureModel
import OfflineStore
import PostgresClient

/// The bad rows of partial writes: what they are, and what becomes of them.
public struct Quarantine: Sendable {
    /// The rows of one target in numbers, and the newest of them.
    public struct Listing: Sendable {
        /// How many rows there are of a version, and how often each reason occurs among them.
        public struct Version: Sendable {
            public let schemaVersion: Int32
            public let rowCount: Int64
            /// The most frequent first.
            public let reasons: [(code: String, count: Int64)]
        }

        public let target: WriteTarget
        public let rowCount: Int64
        /// By the version the rows were written for, ascending.
        public let versions: [Version]
        /// Newest first.
        public let newest: [QuarantineEntry]
    }

    let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter newest: how many of the newest rows are told.
    public func list(
        _ target: WriteTarget, in project: RegisteredProject, newest: Int = 20
    ) async throws -> Listing {
        let ledgerTarget = try project.ledgerTarget(target)
        return try await stores.writer.withConnection { connection in
            try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
                let rows = try await QuarantineTable.rowCounts(of: ledgerTarget, on: connection)
                let reasons = try await QuarantineTable.reasonCounts(of: ledgerTarget, on: connection)
                let newest = try await QuarantineTable.newest(of: ledgerTarget, limit: newest, on: connection)
                return Listing(
                    target: target, rowCount: rows.reduce(0) { $0 + $1.count },
                    versions: rows.map { row in
                        Listing.Version(
                            schemaVersion: row.schemaVersion, rowCount: row.count,
                            reasons: reasons.filter { $0.schemaVersion == row.schemaVersion }.map {
                                ($0.code, $0.count)
                            })
                    },
                    newest: try newest.map(QuarantineEntry.init))
            }
        }
    }

    /// The rows of a target with ids greater than `id`, ascending, at most `limit`.
    public func rows(
        _ target: WriteTarget, in project: RegisteredProject, after id: Int64 = 0, limit: Int
    ) async throws -> [QuarantineEntry] {
        let ledgerTarget = try project.ledgerTarget(target)
        return try await stores.writer.withConnection { connection in
            try await QuarantineTable.rows(of: ledgerTarget, after: id, limit: limit, on: connection)
                .map(QuarantineEntry.init)
        }
    }

    /// One row.
    /// - Throws: `quarantined_row_not_found`.
    public func row(id: Int64, in project: RegisteredProject) async throws -> QuarantineEntry {
        let row = try await stores.writer.withConnection { connection in
            try await QuarantineTable.row(id: id, projectID: project.id, on: connection)
        }
        guard let row else { throw Self.notFound(id, "project \"\(project.name)\"") }
        return try QuarantineEntry(row)
    }

    /// Removes rows for good.
    /// - Parameter id: one row; nil takes all rows of the target.
    /// - Returns: how many rows were removed.
    /// - Throws: `quarantined_row_not_found` for an id that is no row of the target.
    public func discard(
        _ target: WriteTarget, in project: RegisteredProject, id: Int64? = nil
    ) async throws -> Int64 {
        let ledgerTarget = try project.ledgerTarget(target)
        return try await stores.writer.withConnection { connection in
            guard let id else { return try await QuarantineTable.deleteAll(of: ledgerTarget, on: connection) }
            let count = try await QuarantineTable.delete([id], of: ledgerTarget, on: connection)
            guard count > 0 else { throw Self.notFound(id, "\(target)") }
            return count
        }
    }

    private static func notFound(_ id: Int64, _ place: String) -> LarderError {
        LarderError(
            .quarantinedRowNotFound, "the quarantine of \(place) has no row \(id)",
            hint: "larder quarantine list shows the newest rows; replayed and discarded ones are gone")
    }
}

extension RegisteredProject {
    /// The source or view of that name as the ledger knows it; of a view, its newest generation.
    func ledgerTarget(_ target: WriteTarget) throws(LarderError) -> WriteRecord.Target {
        switch target.kind {
        case .source:
            return .source(try source(named: target.name).id)
        case .featureView:
            let view = try featureView(named: target.name)
            return .featureView(view.id, generation: view.newestGeneration.number)
        }
    }

    /// What a name means that may be a source's or a view's.
    /// - Parameter kind: decides where both exist.
    /// - Throws: `usage` where both exist; `source_not_found` or `feature_view_not_found` with the nearest name.
    public func writeTarget(named name: String, kind: WriteTarget.Kind? = nil) throws(LarderError) -> WriteTarget {
        let isSource = sources.contains { $0.name == name && !$0.isRemoved }
        let isView = featureViews.contains { $0.name == name && !$0.isRemoved }
        switch (kind, isSource, isView) {
        case (nil, true, true):
            throw LarderError(
                .usage, "\"\(name)\" is a source and a feature view", hint: "say --source or --view")
        case (nil, true, false): return .source(name)
        case (nil, false, true): return .featureView(name)
        case (nil, false, false):
            let names =
                (sources.filter { !$0.isRemoved }.map(\.name) + featureViews.filter { !$0.isRemoved }.map(\.name))
            let nearest = NameRule.nearest(to: name, in: names)
            throw LarderError(
                .sourceNotFound,
                "project \"\(self.name)\" has neither a source nor a feature view \"\(name.prefix(63))\"",
                hint: nearest.map { "did you mean \"\($0)\"?" })
        case (.source, _, _): return .source(try source(named: name).name)
        case (.featureView, _, _): return .featureView(try featureView(named: name).name)
        }
    }
}
