import FeatureService
import TextFormats

extension SavedTrainingSet {
    private static let shownOfRequest = 1_000

    /// For people.
    var text: String {
        let asked = String(decoding: request.serialized(), as: UTF8.self)
        // Of many entities the first are enough for people.
        let isLong = asked.count > Self.shownOfRequest
        var lines = [
            "training set \(name)", "  made \(createdAt) by \(createdBy), of the rows that had arrived by \(asOf)",
            "  definitions: revision \(projectRevision), \(definitionsHash)",
            "  \(Int(rowCount).grouped) rows, content \(contentHash)",
            "  asked for: \(asked.prefix(Self.shownOfRequest))\(isLong ? "... (all of it with --output json)" : "")",
        ]
        guard case .array(let columns) = columns else { return lines.joined(separator: "\n") }
        var table = TextTable([
            .text("column"), .text("type"), .number("nulls"), .number("distinct"), .text("min"), .text("max"),
            .text("mean"), .text("std"),
        ])
        for column in columns {
            table.append(
                ["name", "type", "nulls", "distinct", "min", "max", "mean", "std"].map { column[$0]?.short ?? "" })
        }
        lines += ["", table.text]
        return lines.joined(separator: "\n")
    }
}

extension SavedTrainingSets.Reproduction {
    var document: JSONValue {
        guard case .object(let members) = report.document else { return report.document }
        return .object(members + [.init("content_sha256", .string(contentHash)), .init("is_same", .bool(isSame))])
    }
}

extension JSONValue {
    fileprivate var short: String {
        switch self {
        case .null: ""
        case .string(let text): text
        case .number(let digits): digits
        default: String(decoding: serialized(), as: UTF8.self)
        }
    }
}
