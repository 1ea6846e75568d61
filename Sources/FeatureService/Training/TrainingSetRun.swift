import FeatureDefinitions
import FeatureModel
import OfflineStore
import PointInTime
import PostgresClient

/// Makes a training set segment by segment: reads some rows of the spine, joins every view to them, gives the rows out in the
/// spine's order.
struct TrainingSetRun {
    /// Rows given out at a time.
    private static let rowsPerBatch = 65_536
    /// Batches that are put together side by side.
    private static let batchesAtOnce = 2

    let plan: TrainingSetPlan
    let resources: TrainingSetResources

    /// - Parameters:
    ///   - begin: told the columns, before the first row.
    ///   - segment: told each segment of the spine.
    ///   - sink: takes the rows, batch by batch; the next batches wait for it.
    ///   - progress: told the number of rows that are done.
    func run(
        _ spine: any SpineSegments, on connections: [PostgresConnection],
        begin: (_ fields: [Field]) async throws -> Void, segment: (RecordBatch) async throws -> Void,
        sink: ([RecordBatch]) async throws -> Void, progress: @Sendable (Int) -> Void
    ) async throws -> TrainingSetReport {
        var spine = spine
        var limit = plan.firstLimit(resources)
        var clock = PhaseClock()
        let frame = try TrainingFrame(
            selection: plan.selection, spineFields: spine.fields, options: plan.options)
        var report = TrainingSetReport(plan: plan, columns: frame.fields.map(\.name))
        var join = SegmentJoin(plan, on: connections)
        while let rows = try await spine.next(limit) {
            report.phases.reading += clock.lap()
            let outcome = try await join.run(rows, resources)
            // Only now: what is wrong with the first rows is told before anything is given out.
            if report.segmentCount == 0 { try await begin(frame.fields) }
            try await segment(rows.batch)
            report.add(outcome)
            if resources.joinsNothing {
                report.isMade = false
                break
            }
            clock.lap()
            try await write(rows, firstRow: report.rowCount - rows.rowCount, outcome.results, frame, sink)
            report.phases.writing += clock.lap()
            progress(report.rowCount)
            let rowBytes = GatheredRows(rows.batch).byteCount / max(1, rows.rowCount)
            limit.rows = plan.segmentRows(memoryBytes: resources.memoryBytes, spineRowBytes: rowBytes)
        }
        return report
    }

    private func write(
        _ segment: SpineSegment, firstRow: Int, _ joins: [AsOfResult], _ frame: TrainingFrame,
        _ sink: ([RecordBatch]) async throws -> Void
    ) async throws {
        let rowsAtOnce = Self.rowsPerBatch * Self.batchesAtOnce
        var batches = await Self.batches(from: 0, of: segment, firstRow: firstRow, joins, frame)
        for start in stride(from: rowsAtOnce, to: segment.rowCount + rowsAtOnce, by: rowsAtOnce) {
            try Task.checkCancellation()
            // The next ones while these are written.
            async let next = Self.batches(from: start, of: segment, firstRow: firstRow, joins, frame)
            try await sink(batches)
            batches = await next
        }
    }

    /// A few batches from a row of the segment on, made side by side; none beyond its end.
    private static func batches(
        from start: Int, of segment: SpineSegment, firstRow: Int, _ joins: [AsOfResult], _ frame: TrainingFrame
    ) async -> [RecordBatch] {
        let end = min(segment.rowCount, start + rowsPerBatch * batchesAtOnce)
        let batches = await withTaskGroup(of: (Int, RecordBatch).self) { group in
            for start in stride(from: start, to: end, by: rowsPerBatch) {
                group.addTask {
                    let rows = start..<min(segment.rowCount, start + rowsPerBatch)
                    return (start, frame.batch(rows, of: segment, firstRow: firstRow, joins))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return batches.sorted { $0.0 < $1.0 }.map(\.1)
    }
}

/// Tells how long it is since it was asked last.
private struct PhaseClock {
    private var last = ContinuousClock.now

    @discardableResult
    mutating func lap() -> Duration {
        let now = ContinuousClock.now
        defer { last = now }
        return now - last
    }
}
