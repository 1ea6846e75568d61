import Crypto
import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import TextFormats

/// A push that may be committed together with others: its rows are read, and good by all that can be told so far.
struct GroupedPush: Sendable {
    /// Rows of one push. A larger one has little to gain, and would keep others waiting.
    static let maximumRows = 1_000
    /// Bytes of one push as they came.
    static let maximumBytes = 1 << 20

    /// Only pushes of one lane are committed together.
    struct Lane: Sendable, Hashable {
        let projectID: Int64
        /// That the rows were judged by.
        let revision: Int64
        let featureViewID: Int64
        let schemaVersion: Int32
        let isPublished: Bool
    }

    let project: RegisteredProject
    let target: PushTarget
    /// At least one row; without sequences and arrivals.
    let batches: [HistoryBatch]
    let rowCount: Int
    let byteCount: Int
    let idempotencyKey: IdempotencyKey?
    /// Whether the rows are to be published at once.
    let isPublished: Bool
    private let warnings: [String]

    /// - Returns: nil for a push that goes alone: it comes from a file, is large or empty, or something is wrong with it,
    ///   which it is told when it is written alone.
    init?(_ request: WriteViewRows.Request, in project: RegisteredProject) {
        guard case .payload(let payload) = request.rows, payload.bytes.count <= Self.maximumBytes,
            let version = request.schemaVersion, request.nullSpelling == nil
        else { return nil }
        do throws(LarderError) {
            let view = try project.featureView(named: request.view)
            let (target, warning) = try PushTarget.choose(view, version, in: project)
            let identity = try WriteIdentity(key: request.idempotencyKey, request.terms)
            guard let batches = try Self.read(payload, for: target) else { return nil }
            self.project = project
            self.target = target
            self.batches = batches
            rowCount = batches.reduce(0) { $0 + $1.rowCount }
            byteCount = payload.bytes.count
            if case .key(let key, let terms) = identity {
                let rows: ArraySlice<UInt8> = payload.array.map { payload.bytes[$0] } ?? payload.bytes[...]
                var hash = terms.hash(underKey: key, into: target.ledgerTarget)
                hash.update(data: rows)
                idempotencyKey = IdempotencyKey(
                    digest: WriteIdentity.digest(ofKey: key, for: target.ledgerTarget),
                    requestDigest: Array(hash.finalize()))
            } else {
                idempotencyKey = nil
            }
            isPublished = request.destination != .offline && view.isOnline
            warnings = [warning, request.destination.warning(about: view)].compactMap { $0 }
        } catch {
            return nil
        }
    }

    /// - Returns: nil when there are no rows, or bad ones.
    private static func read(_ payload: RowPayload, for target: PushTarget) throws(LarderError) -> [HistoryBatch]? {
        let shape = ViewRowShape(
            view: target.home.view, generation: target.home.generation, version: target.version, source: target.source)
        var reader = try payload.read(shape.readOptions(RowReadChoices()), atMost: maximumRows)
        var batches: [HistoryBatch] = []
        while let read = try reader.next() {
            // What is the future is judged when PostgreSQL's clock is known.
            let (rows, violations) = try shape.rows(of: read, now: .positiveInfinity)
            guard violations.isEmpty else { return nil }
            if rows.rowCount > 0 { batches.append(rows) }
        }
        try shape.checkHeader(of: reader.frames)
        return batches.isEmpty ? nil : batches
    }

    var lane: Lane {
        Lane(
            projectID: project.id, revision: project.revision, featureViewID: target.home.view.id,
            schemaVersion: target.version.version, isPublished: isPublished)
    }

    var newestEventTime: Timestamp {
        Timestamp(microsecondsSince1970: batches.compactMap { $0.eventTimes.max() }.max() ?? .min)
    }

    /// What the push did, once its rows have been written.
    func report(_ online: OnlineOutcome) -> ViewWriteReport {
        ViewWriteReport(
            write: WriteReport(
                schemaVersion: target.version.version, rowsWritten: Int64(rowCount), warnings: warnings),
            generation: target.home.generation.number, online: online)
    }
}
