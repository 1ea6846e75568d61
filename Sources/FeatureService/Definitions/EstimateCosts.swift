import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient

/// Prices the changes of a plan from statistics and from the rates measured last. Nothing is read but statistics.
struct EstimateCosts {
    let stores: Stores

    /// Bytes that Redis 7 spends on a key and its value beside their own, on a 64-bit machine: hash table entry and
    /// bucket (32), object (16), string headers and the allocator's rounding (about 32).
    private static let onlineOverhead: Int64 = 80
    /// Of a key that expires: its entry in the second hash table.
    private static let expiryOverhead: Int64 = 32
    /// Header of a value that has no recorded time, with a sequence of five bytes; installation, key space and braces of a
    /// key.
    private static let onlineFraming: Int64 = 16 + 14
    /// Of a value whose source says when it recorded it.
    private static let recordedTimeBytes: Int64 = 8

    func run(_ plan: Plan) async throws -> Plan {
        guard let next = plan.next, plan.changes.contains(where: { $0.needsBackfill }) else { return plan }
        var costs: [String: ChangeCost] = [:]
        try await stores.source.withConnection { source in
            try await stores.writer.withConnection { writer in
                for change in plan.changes where change.kind == .featureView && change.needsBackfill {
                    guard let view = try? next.featureView(named: change.name) else { continue }
                    costs[change.name] = try await cost(of: change, view, in: next, source: source, writer: writer)
                }
            }
        }
        return plan.pricing(costs)
    }

    private func cost(
        of change: PlannedChange, _ view: RegisteredFeatureView, in project: RegisteredProject,
        source connection: PostgresConnection, writer: PostgresConnection
    ) async throws -> ChangeCost? {
        let generation = view.newestGeneration
        guard let version = view.versions(ofGeneration: generation.number).last,
            let source = project.source(id: generation.sourceID)
        else { return nil }
        // Beside the values that are there: those of a new generation whole, or those of new features alone.
        let former = Set(view.versions.filter { $0.version < version.version }.flatMap { $0.features.map(\.id) })
        let isWhole = change.newGeneration != nil
        let added = version.features.filter { isWhole || !former.contains($0.id) }
        guard
            let statistics = try await SourceStatistics.estimate(
                generation, version: version, features: added, source: source, projectID: project.id,
                on: connection)
        else { return nil }
        let keyBytes = isWhole ? statistics.keyWidth + Self.onlineFraming + Self.onlineOverhead : 0
        let recordedBytes = isWhole && source.createdTimestampColumn != nil ? Self.recordedTimeBytes : 0
        let expiryBytes = isWhole && view.ttlMicroseconds != nil ? Self.expiryOverhead : 0
        let computing = try await MeasuredRate.last(featureViewID: view.id, stage: .offline, on: writer)
        let publishing = try await MeasuredRate.last(featureViewID: view.id, stage: .online, on: writer)
        var seconds = computing.map { Double(statistics.rows) / $0 }
        if view.isOnline, let known = seconds {
            seconds = publishing.map { known + Double(statistics.keys) / $0 }
        }
        return ChangeCost(
            rowsToBackfill: statistics.rows, onlineKeys: view.isOnline ? statistics.keys : nil,
            onlineBytes: view.isOnline
                ? statistics.keys * (keyBytes + recordedBytes + expiryBytes + statistics.featureWidth) : nil,
            seconds: seconds)
    }
}
