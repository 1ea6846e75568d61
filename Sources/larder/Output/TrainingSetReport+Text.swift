import FeatureService
import TextFormats

extension TrainingSetReport {
    /// For people: how many rows each view had an answer for.
    func table(writtenTo path: String) -> String {
        let tellsAge = views.contains { $0.outsideMaxAge != nil }
        var table = TextTable(
            [.text("view"), .number("found")]
                + (tellsAge ? [.number("not found"), .number("outside max age")] : [.number("not found or too old")])
                + [.number("invalid key")])
        for view in views {
            table.append(
                [view.name, view.found.grouped, view.notFound.grouped]
                    + (view.outsideMaxAge.map { [$0.grouped] } ?? []) + [view.invalidKey.grouped])
        }
        let place = path == "-" ? "standard output" : path
        var text = table.text + "\n\(rowCount.grouped) rows with \(columns.count) columns written to \(place)"
        if let saved { text += "\nkept as \"\(saved.name)\", content \(saved.contentHash)" }
        return text
    }

    func document(writtenTo path: String) -> JSONValue {
        guard case .object(let members) = document else { return document }
        return .object([.init("file", .string(path))] + members)
    }
}
