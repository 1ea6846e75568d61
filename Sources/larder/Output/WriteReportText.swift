import FeatureModel
import FeatureService
import OnlineStore
import TextFormats

extension WriteReport {
    /// What the write did, after its target: `version 1: 12 rows written`.
    var text: String {
        let version = "version \(schemaVersion)"
        if wasThereBefore { return "\(version): these rows were written before; nothing was written" }
        var parts = ["\(rowsWritten.grouped) rows written"]
        if let outdated = Self.text(ofOutdated: rowsOutdated) { parts.append(outdated) }
        if rowsReplaced > 0 { parts.append("\(rowsReplaced.grouped) earlier ones replaced") }
        if rowsQuarantined > 0 { parts.append("\(rowsQuarantined.grouped) quarantined") }
        return "\(version): \(parts.joined(separator: ", "))"
    }

    /// Says of rows that were written that they do not count; nil for none.
    static func text(ofOutdated rows: Int64) -> String? {
        rows > 0 ? "\(rows.grouped) of them not counting beside newer ones with the same row key" : nil
    }

    /// The report as JSON after members of its own.
    func document(adding members: [JSONValue.Member]) -> JSONValue {
        guard case .object(let own) = document else { return document }
        return .object(members + own)
    }
}

extension OnlineOutcome {
    /// What follows the number of rows that were written.
    var text: String {
        switch self {
        case .published(let counts): ", \(counts.written.grouped) published"
        case .pending: ", not published yet"
        case .none: ""
        }
    }
}

extension Console {
    /// Tells on standard error that rows of a feature view are written and wait to be published.
    func notePending(_ online: OnlineOutcome, view: String) {
        guard case .pending(let reason) = online else { return }
        note("warning: the rows are not published yet: \(reason.message) [\(reason.code)]")
        note("  hint: larder materialize \(view) publishes them")
    }

    /// Tells on standard error what a write that succeeded warns of, and its bad rows.
    /// - Parameter command: shows the quarantined rows.
    func noteWarnings(of report: WriteReport, command: String) {
        for warning in report.warnings { note("warning: \(warning.printable)") }
        guard report.rowsQuarantined > 0 else { return }
        let lines =
            [
                "warning: \(report.rowsQuarantined.grouped) rows are bad and were quarantined: \(report.reasons.text)",
                "  hint: \(command) shows them",
            ] + Self.lines(of: report.violations, count: report.violationCount)
        note(lines.joined(separator: "\n"))
    }
}

extension [String: Int] {
    /// The most frequent first: `wrong_type 12, null_not_allowed 3`.
    var text: String {
        sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "\($0.key) \($0.value.grouped)" }
            .joined(separator: ", ")
    }
}
