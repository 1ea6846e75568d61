import FeatureService
import TextFormats

/// The objects of one kind, one a line.
struct CatalogTable {
    private let kind: ServedProject.Collection

    init(_ kind: ServedProject.Collection) {
        self.kind = kind
    }

    /// - Parameter list: as `ServedProject.list` makes it.
    func text(_ list: JSONValue) -> String {
        let member = kind.rawValue.split(separator: "-").joined(separator: "_")
        guard case .array(let documents) = list[member] ?? .null, !documents.isEmpty else {
            return "There are no \(kind.rawValue.split(separator: "-").joined(separator: " "))."
        }
        var table = TextTable(columns)
        for document in documents { table.append(cells(document)) }
        return table.text
    }

    private var columns: [TextTable.Column] {
        switch kind {
        case .entities: [.text("name"), .text("join keys"), .text("description")]
        case .sources:
            [
                .text("name"), .text("type"), .text("timestamp"), .number("version"), .number("columns"),
                .text("description"),
            ]
        case .featureViews:
            [
                .text("name"), .text("entities"), .text("source"), .text("ttl"), .text("published"), .number("version"),
                .number("features"), .text("description"),
            ]
        case .featureServices: [.text("name"), .number("features"), .text("description"), .text("views")]
        }
    }

    private func cells(_ document: JSONValue) -> [String] {
        let name = document.text("name")
        let description = document.text("description")
        switch kind {
        case .entities:
            let keys = document.elements("join_keys").map { "\($0.text("name")) \($0.text("type"))" }
            return [name, keys.joined(separator: ", "), description]
        case .sources:
            let columns = document.newestVersion?.elements("columns").count ?? 0
            return [
                name, document.text("type"), document.text("timestamp"), document.text("schema_version"),
                String(columns), description,
            ]
        case .featureViews:
            let features = document.newestVersion?.elements("features").count ?? 0
            let entities = document.elements("entities").map(\.plainText).joined(separator: ", ")
            let isOnline = document["online"] == .bool(true)
            return [
                name, entities, document.text("source"), document.text("ttl"),
                isOnline ? (document["published"] == .bool(true) ? "yes" : "no") : "offline only",
                document.text("schema_version"), String(features), description,
            ]
        case .featureServices:
            let references = document.elements("features")
            let count = references.reduce(0) { $0 + $1.elements("features").count }
            let views = references.map { reference in
                reference["as"] == nil ? reference.text("view") : "\(reference.text("view")) as \(reference.text("as"))"
            }
            return [name, String(count), description, views.joined(separator: ", ")]
        }
    }
}

extension JSONValue {
    fileprivate func text(_ name: String) -> String { self[name]?.plainText ?? "" }

    fileprivate func elements(_ name: String) -> [JSONValue] {
        if case .array(let elements) = self[name] { elements } else { [] }
    }

    /// The version that new rows are of.
    fileprivate var newestVersion: JSONValue? {
        elements("versions").last { $0["version"] == self["schema_version"] }
    }

    fileprivate var plainText: String {
        switch self {
        case .string(let text), .number(let text): text
        default: ""
        }
    }
}
