import FeatureCodec
import FeatureDefinitions
import FeatureModel
public import PostgresClient
import Registry

/// Reads snapshots over one connection.
struct ServingSnapshotReader {
    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// What changes whenever a snapshot would.
    struct Fingerprint: Equatable {
        fileprivate let text: String
    }

    /// A look at what there is and at the server's clock, in one short statement.
    /// - Returns: also how far PostgreSQL's clock is ahead of this machine's, in microseconds.
    func look() async throws -> (fingerprint: Fingerprint, clockSkewMicroseconds: Int64) {
        let before = ServingClock.systemTime
        let rows = try await connection.query(
            """
            SELECT concat_ws(';',
                (SELECT string_agg(p.id || ':' || p.revision, ',' ORDER BY p.id) FROM larder.project p),
                (SELECT string_agg(k.id::text, ',' ORDER BY k.id) FROM larder.key_space k
                 WHERE k.published_at IS NOT NULL),
                (SELECT string_agg(concat_ws(':', o.project_id, o.online_incarnation, o.minimum_revision), ','
                                   ORDER BY o.project_id) FROM larder.online_store o),
                (SELECT c::text FROM larder.current_incarnation() c),
                (SELECT max(m.number) FROM larder.migration m)) AS fingerprint,
                clock_timestamp() AS now
            """)
        let after = ServingClock.systemTime
        guard let row = rows.first else { throw PostgresError(.decoding, "the registry gave no fingerprint") }
        let now = try row.decode("now", as: PostgresTimestamp.self).microsecondsSince1970
        let middle = (before.microsecondsSince1970 + after.microsecondsSince1970) / 2
        return (Fingerprint(text: try row.decode("fingerprint", as: String.self)), now - middle)
    }

    func read() async throws -> ServingSnapshot {
        let installation = try await connection.installationID()
        let incarnation = try await Incarnation.current(on: connection)
        return try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
            var keySpaces: [ServedProject.GenerationID: Int64] = [:]
            for keySpace in try await KeySpaceStore().all(of: incarnation, on: connection) where keySpace.isPublished {
                let home = ServedProject.GenerationID(
                    featureViewID: keySpace.featureViewID, generation: keySpace.generation)
                keySpaces[home] = keySpace.id
            }
            let leftBehind = try await KeySpaceStore().leftBehind(by: incarnation, on: connection).map {
                ServedProject.GenerationID(featureViewID: $0.featureViewID, generation: $0.generation)
            }
            var projects: [ServedProject] = []
            for project in try await RegistryStore().projects(on: connection) {
                let state = try await KeySpaceStore().onlineState(ofProject: project.id, on: connection)
                projects.append(
                    ServedProject(
                        project: project, installation: installation, keySpaces: keySpaces,
                        leftBehind: Set(leftBehind), onlineState: state))
            }
            return ServingSnapshot(projects: projects)
        }
    }
}

extension ServingSnapshot {
    /// The registry as it is now, for a command that asks once.
    public static func read(on connection: PostgresConnection) async throws -> ServingSnapshot {
        try await ServingSnapshotReader(connection).read()
    }
}

extension PostgresConnection {
    /// The id that this installation's keys in Redis start with.
    func installationID() async throws -> InstallationID {
        let text = try await query("SELECT id FROM larder.installation").onlyValue(as: String.self)
        guard let installation = InstallationID(text) else {
            throw LarderError(.internalError, "the installation's id \"\(text)\" is malformed")
        }
        return installation
    }
}
