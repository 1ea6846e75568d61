import FeatureService
import OfflineStore
import TextFormats

extension TrainingSetReport {
    /// For people: estimates, and what it took where it was made.
    var explanation: String {
        var lines: [String] = []
        for view in views {
            guard let plan = view.plan else { continue }
            lines.append("\(view.name): \(plan.strategy.rawValue)")
            let statistics = plan.statistics
            lines.append(
                "  history of \(Int(statistics.historyRows).grouped) rows, \(statistics.rowsPerKey.short) for each of "
                    + "\(statistics.keys.grouped) keys; \(statistics.probes.grouped) distinct keys and times")
            for strategy in JoinStrategy.allCases {
                let cost = (plan.costs[strategy] ?? 0) / 1_000
                lines.append("  \(strategy.rawValue): \(cost.short) ms of work estimated")
            }
            guard isMade else { continue }
            let estimated = view.estimatedMicroseconds / 1_000
            lines.append(
                "  actual: \((view.work.duration / .milliseconds(1)).short) ms of \(estimated.short) ms estimated, "
                    + "\(Int(view.work.rowsRead).grouped) rows read, \(view.found.grouped) of \(rowCount.grouped) found"
            )
        }
        if isMade {
            let phases = [
                ("reading", phases.reading), ("sorting", phases.sorting), ("joining", phases.joining),
                ("writing", phases.writing),
            ]
            lines.append(
                "\(rowCount.grouped) rows in \(segmentCount.grouped) segments: "
                    + phases.map { "\($0) \(($1 / .milliseconds(1)).short) ms" }.joined(separator: ", "))
        }
        return lines.joined(separator: "\n")
    }

    var explanationDocument: JSONValue {
        .object([
            .init("rows", .integer(rowCount)), .init("segments", .integer(segmentCount)),
            .init("views", .array(views.map(\.explanationDocument))),
            .init("reading_ms", .milliseconds(phases.reading)), .init("sorting_ms", .milliseconds(phases.sorting)),
            .init("joining_ms", .milliseconds(phases.joining)), .init("writing_ms", .milliseconds(phases.writing)),
        ])
    }
}

extension TrainingSetReport.View {
    fileprivate var explanationDocument: JSONValue {
        guard let plan else { return .object([.init("view", .string(name))]) }
        return .object([
            .init("view", .string(name)), .init("strategy", .string(plan.strategy.rawValue)),
            .init("history_rows", .integer(plan.statistics.historyRows)),
            .init("rows_per_key", .number(plan.statistics.rowsPerKey.short)),
            .init("keys", .integer(plan.statistics.keys)), .init("probes", .integer(plan.statistics.probes)),
            .init(
                "estimated_ms",
                .object(
                    JoinStrategy.allCases.map { .init($0.rawValue, .number(((plan.costs[$0] ?? 0) / 1_000).short)) })),
            .init("actual_ms", .milliseconds(work.duration)), .init("rows_read", .integer(work.rowsRead)),
            .init("found", .integer(found)),
        ])
    }
}

extension JSONValue {
    fileprivate static func milliseconds(_ duration: Duration) -> JSONValue {
        .number((duration / .milliseconds(1)).short)
    }
}

extension Double {
    /// With one digit after the point.
    fileprivate var short: String {
        let tenths = (self * 10).rounded()
        return "\(Int(tenths) / 10).\(Int(tenths) % 10)"
    }
}
