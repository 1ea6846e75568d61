public import FeatureModel
public import TextFormats

/// What one write did.
public struct WriteReport: Sendable {
    /// The version that the rows were judged by and stored under.
    public var schemaVersion: Int32
    public var rowsWritten: Int64
    /// Rows of earlier writes that a newer one of this write with the same row key replaced.
    public var rowsReplaced: Int64
    /// Of `rowsWritten`, those that do not count: a newer row, of this write or an earlier one, has the same row key.
    public var rowsOutdated: Int64
    /// Bad rows of a partial write, all of which the quarantine holds.
    public var rowsQuarantined: Int64
    /// The same write was committed before; nothing was written now.
    public var wasThereBefore: Bool
    /// Why rows are bad: the first `RowViolation.maximumReported` reasons.
    public var violations: [RowViolation]
    /// How many reasons there are in all.
    public var violationCount: Int
    /// The exact number of reasons by their code.
    public var reasons: [String: Int]
    /// Sentences for the person who writes, such as that the version is deprecated.
    public var warnings: [String]

    public init(
        schemaVersion: Int32, rowsWritten: Int64 = 0, rowsReplaced: Int64 = 0, rowsOutdated: Int64 = 0,
        rowsQuarantined: Int64 = 0, wasThereBefore: Bool = false, violations: [RowViolation] = [],
        violationCount: Int = 0, reasons: [String: Int] = [:], warnings: [String] = []
    ) {
        self.schemaVersion = schemaVersion
        self.rowsWritten = rowsWritten
        self.rowsReplaced = rowsReplaced
        self.rowsOutdated = rowsOutdated
        self.rowsQuarantined = rowsQuarantined
        self.wasThereBefore = wasThereBefore
        self.violations = violations
        self.violationCount = violationCount
        self.reasons = reasons
        self.warnings = warnings
    }
}

extension WriteReport {
    /// The report as JSON, the same over HTTP and from the command line.
    public var document: JSONValue {
        .object([
            .init("schema_version", .integer(schemaVersion)), .init("rows_written", .integer(rowsWritten)),
            .init("rows_replaced", .integer(rowsReplaced)), .init("rows_outdated", .integer(rowsOutdated)),
            .init("rows_quarantined", .integer(rowsQuarantined)),
            .init("was_there_before", .bool(wasThereBefore)), .init("warnings", .array(warnings.map(JSONValue.string))),
            .init("violations", .array(violations.map(\.document))), .init("violation_count", .integer(violationCount)),
            .init("reasons", reasons.document),
        ])
    }
}

extension RowViolation {
    /// The reason as JSON; `line` and `feature` only where there is one.
    public var document: JSONValue {
        var members: [JSONValue.Member] = [.init("row", .integer(row))]
        if let line { members.append(.init("line", .integer(line))) }
        if let feature { members.append(.init("feature", .string(feature))) }
        members += [.init("code", .string(code)), .init("message", .string(message))]
        return .object(members)
    }
}

extension [String: Int] {
    /// Counts as a JSON object, ordered by name.
    var document: JSONValue {
        .object(sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) })
    }
}
