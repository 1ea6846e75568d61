public import FeatureDefinitions
public import FeatureModel
import OfflineStore
import PostgresClient

extension Quarantine {
    /// What a replay did.
    public struct Replay: Sendable {
        /// The version that the rows were judged by.
        public let schemaVersion: Int32
        /// Rows that passed: they are written, and no longer in the quarantine.
        public var rowsWritten: Int64 = 0
        /// As of `WriteReport`.
        public var rowsReplaced: Int64 = 0
        /// As of `WriteReport`.
        public var rowsOutdated: Int64 = 0
        /// Rows that stay in the quarantine, with the reasons of this version.
        public var rowsKept: Int64 = 0
        /// The first `RowViolation.maximumReported`.
        public var violations: [RowViolation] = []
        /// The exact number of reasons by their code.
        public var reasons: [String: Int] = [:]
        public var warnings: [String] = []
        /// What became of the online half, of rows of a feature view.
        public var online = OnlineOutcome.none
        /// Nil when nothing was written.
        var writeID: Int64?

        init(schemaVersion: Int32) {
            self.schemaVersion = schemaVersion
        }
    }

    /// Judges every row of a target again and writes those that pass, in one transaction with their removal. Those of a
    /// feature view are then published, as a push publishes its rows.
    ///
    /// - Parameter number: the version to judge by and to write; nil takes the newest active one.
    /// - Throws: `LarderError`, such as `schema_version_mismatch`; everything is as it was then.
    public func replay(
        _ target: WriteTarget, in project: RegisteredProject, schemaVersion number: Int32? = nil
    ) async throws -> Replay {
        switch target.kind {
        case .source:
            let source = try project.source(named: target.name)
            let (version, warning) = try source.ingestibleVersion(number)
            return try await replay(target, version.version, warning) { connection in
                let writer = try await SourceRowWriter(source: source, version: version, on: connection)
                let versions = source.versions.map { version in
                    QuarantineReplay<SourceRowWriter>.Version(
                        number: version.version,
                        fields: version.columns.map { Field(name: $0.name, type: $0.type, isNullable: $0.isNullable) })
                }
                return QuarantineReplay(writer: writer, versions: versions, connection: connection)
            }
        case .featureView:
            let view = try project.featureView(named: target.name)
            let (push, warning) = try PushTarget.choose(view, number, in: project)
            var result = try await replay(target, push.version.version, warning) { connection in
                let writer = try await PushedRowWriter(push, on: connection)
                let versions = view.versions.map { version in
                    QuarantineReplay<PushedRowWriter>.Version(
                        number: version.version,
                        fields: version.features.map {
                            Field(name: $0.name, type: $0.type, isNullable: $0.schema.isNullable)
                        })
                }
                return QuarantineReplay(writer: writer, versions: versions, connection: connection)
            }
            guard view.isOnline, let writeID = result.writeID else { return result }
            result.online = await PublishWrittenRows(stores: stores, project: project, home: push.home)
                .run(nil, ofWrites: [writeID])
            return result
        }
    }

    /// - Parameter begin: makes the replay inside of its transaction.
    func replay<Writer: RowWriter>(
        _ target: WriteTarget, _ version: Int32, _ warning: String?,
        _ begin: (PostgresConnection) async throws -> QuarantineReplay<Writer>
    ) async throws -> Replay {
        var result: Replay
        do {
            result = try await stores.writer.withConnection { connection in
                try await connection.transaction(isolation: .readCommitted) { connection in
                    var replay = try await begin(connection)
                    return try await replay.run(actor: stores.actor)
                }
            }
        } catch let error as PostgresError {
            throw LarderError(retiring: error, version: version, of: target) ?? error
        }
        WriteMetrics.countWritten(result.rowsWritten, into: target)
        if let warning { result.warnings.append(warning) }
        return result
    }
}
