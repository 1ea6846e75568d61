import ArrowIPC
import FeatureDefinitions
import FeatureModel
import FrameStatistics
import Jobs
import OfflineStore
import PostgresClient
import TextFormats

/// Keeps a training set while it is made: its spine, its hash, its statistics. All of it commits at the end, or nothing.
final class TrainingSetSaving {
    /// The largest spine that is kept, in bytes of an Arrow stream.
    static let maximumSpineBytes: Int64 = 2 << 30
    private static let bytesPerPiece = 1 << 20

    private let id: Int64
    private let name: String
    private let store: TrainingSetStore
    private let connection: PostgresConnection
    private var hash: FrameHash?
    private var statistics: FrameStatistics?
    private var spine: ArrowStreamWriter?
    private var pending: [UInt8] = []
    private var pieces: Int32 = 0
    private var spineBytes: Int64 = 0

    init(id: Int64, name: String, store: TrainingSetStore, connection: PostgresConnection) {
        self.id = id
        self.name = name
        self.store = store
        self.connection = connection
    }

    /// - Parameter fields: of the frame.
    func begin(_ fields: [Field]) {
        hash = FrameHash(fields: fields)
        statistics = FrameStatistics(fields: fields)
    }

    func add(_ batch: RecordBatch) {
        hash?.add(batch)
        statistics?.add(batch)
    }

    /// - Throws: `limit_exceeded`.
    func add(spine batch: RecordBatch) async throws {
        var writer = spine ?? ArrowStreamWriter(fields: batch.fields)
        if spine == nil { pending += writer.schema() }
        let rowsPerPiece = 65_536
        for start in stride(from: 0, to: batch.rowCount, by: rowsPerPiece) {
            pending += writer.batch(batch.slice(start..<min(batch.rowCount, start + rowsPerPiece)))
            try await flush(atLeast: Self.bytesPerPiece)
        }
        spine = writer
    }

    private func flush(atLeast minimum: Int) async throws {
        while pending.count >= minimum, !pending.isEmpty {
            let piece = Array(pending.prefix(Self.bytesPerPiece))
            pending.removeFirst(piece.count)
            spineBytes += Int64(piece.count)
            guard spineBytes <= Self.maximumSpineBytes else {
                throw LarderError(
                    .limitExceeded,
                    "the spine of training set \"\(name)\" is larger than \(Self.maximumSpineBytes) bytes",
                    hint: "make it without a name, or leave out columns of the spine")
            }
            try await store.append(spine: piece, number: pieces, to: id, on: connection)
            pieces += 1
        }
    }

    func finish(_ report: TrainingSetReport) async throws -> SavedTrainingSet {
        if var writer = spine { pending += writer.end() }
        try await flush(atLeast: 1)
        let columns = JSONValue.array((statistics?.finish() ?? []).map(\.document))
        try await store.finish(
            id, rowCount: Int64(report.rowCount), spineBytes: spineBytes, contentHash: hash?.finalize() ?? "",
            columns: String(decoding: columns.serialized(), as: UTF8.self),
            views: String(decoding: JSONValue.array(report.views.map(\.document)).serialized(), as: UTF8.self),
            on: connection)
        return try SavedTrainingSet(try await store.record(named: name, on: connection))
    }
}

extension MakeTrainingSet {
    /// Runs `body` within the transaction that keeps the training set, where it has a name.
    /// - Parameter changes: of a training set without a spine.
    func withSaving<Value>(
        _ request: TrainingSetRequest, _ changes: StoredChanges?, _ plan: TrainingSetPlan,
        _ project: RegisteredProject, seenBy reader: PostgresConnection,
        _ body: (TrainingSetSaving?) async throws -> Value
    ) async throws -> Value {
        guard let name = request.name, let asOf = request.options.asOf else { return try await body(nil) }
        if let violation = NameRule.violation(of: name) {
            throw LarderError(.requestInvalid, "the name \"\(name.prefix(63))\" of a training set \(violation)")
        }
        let snapshot = try await reader.query("SELECT pg_current_snapshot()::text AS snapshot").onlyValue(
            as: String.self)
        let beginning = TrainingSetStore.Beginning(
            name: name, actor: stores.actor, projectRevision: project.revision,
            definitionsHash: try project.documentHash(),
            request: try StoredTrainingSetRequest(request, changes: changes).text(), asOf: asOf, snapshot: snapshot,
            generations: plan.histories.map(\.table), jobID: job?.jobID)
        let store = TrainingSetStore(projectID: project.id)
        return try await stores.writer.withTransaction { connection in
            let id = try await store.begin(beginning, on: connection)
            let value = try await body(
                TrainingSetSaving(id: id, name: name, store: store, connection: connection))
            if let job { try await JobStore().require(job, on: connection) }
            return value
        }
    }
}
