public import FeatureDefinitions
import FeatureModel

/// Writes what Feast's clients push: a data frame into every feature view of a push source, or into one view.
///
/// Each view is a write of its own, under its newest active version, and in PostgreSQL before it is published.
public struct WriteFeastRows: Sendable {
    private struct Write {
        let push: PushTarget
        let rows: RowPayload
        /// What was left out of them.
        let warnings: [String]
    }

    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Throws: `source_not_found`, `feature_view_not_found`, `feature_view_not_writable`, `column_unknown`,
    ///   `request_invalid`, and what `WriteViewRows` throws.
    public func run(_ request: FeastWriteRequest, in project: RegisteredProject) async throws -> FeastWriteReport {
        var targets: [PushTarget] = []
        for view in try Self.views(of: request.target, in: project) {
            targets.append(try PushTarget.choose(view, nil, in: project).0)
        }
        var writes: [Write] = []
        for push in targets {
            let (rows, warnings) = try request.frame.rows(for: push, among: targets)
            writes.append(Write(push: push, rows: rows, warnings: warnings))
        }
        // One whose rows are refused comes first: then nothing has been written yet.
        if writes.count > 1, let refused = writes.firstIndex(where: Self.isRefused) { writes.swapAt(0, refused) }
        var reports: [FeastWriteReport.Write] = []
        for write in writes {
            let name = write.push.home.view.name
            var report = try await WriteViewRows(stores: stores).run(
                .init(
                    view: name, rows: .payload(write.rows), schemaVersion: write.push.version.version,
                    destination: request.destination), in: project)
            report.write.warnings += write.warnings
            reports.append(.init(view: name, report: report))
        }
        return FeastWriteReport(writes: reports)
    }

    private static func views(
        of target: FeastWriteRequest.Target, in project: RegisteredProject
    ) throws(LarderError) -> [RegisteredFeatureView] {
        switch target {
        case .featureView(let name): return [try project.featureView(named: name)]
        case .pushSource(let name):
            let source = try project.source(named: name)
            guard source.kind == .push else {
                throw LarderError(
                    .featureViewNotWritable,
                    "source \"\(name)\" is of type \(source.kind.name), and only one of type push takes pushed rows",
                    hint: source.isTable ? "write rows into it: larder ingest \(name) FILE" : nil)
            }
            let views = project.featureViews.filter { !$0.isRemoved && $0.current?.sourceID == source.id }
            guard !views.isEmpty else {
                throw LarderError(.featureViewNotFound, "no feature view is fed by source \"\(name)\"")
            }
            return views
        }
    }

    /// Whether a write of the rows would be refused, as far as that can be told without writing them.
    private static func isRefused(_ write: Write) -> Bool {
        let shape = ViewRowShape(
            view: write.push.home.view, generation: write.push.home.generation, version: write.push.version,
            source: write.push.source)
        do throws(LarderError) {
            var reader = try write.rows.read(shape.readOptions(RowReadChoices()))
            while let read = try reader.next() {
                let judged = try shape.rows(of: read, now: ServingClock.systemTime)
                if !judged.violations.isEmpty { return true }
            }
            return false
        } catch {
            return true
        }
    }
}
