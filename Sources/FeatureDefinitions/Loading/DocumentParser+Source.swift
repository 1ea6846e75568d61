import FeatureModel
internal import Foundation

extension DocumentParser {
    private static let sourceKeys = [
        "type", "columns", "timestamp", "created_timestamp", "timezone", "row_key", "compatibility", "query", "table",
        "incremental",
    ]

    private static let sourceTypes = "types: \(SourceKind.names.joined(separator: ", "))"

    mutating func parseSource(_ document: DefinitionNode) {
        let before = diagnostics.errors.count
        guard let (reader, name) = open(document, kind: .source, keys: Self.sourceKeys) else { return }
        guard tree.declare(.source, name, diagnostics: diagnostics) else { return }
        let description = reader.prose("description")
        let kind = parseSourceKind(reader)
        let timestamp = reader.name("timestamp", allowsReserved: true)
        let created = reader.name("created_timestamp", allowsReserved: true)
        let rowKey = parseRowKey(reader, kind: kind)
        let (columns, areColumnsComplete) = parseColumns(
            reader, neverNull: [timestamp, created].compactMap { $0?.value } + rowKey.map(\.value))
        if areColumnsComplete {
            checkTimestampColumn(timestamp, key: "timestamp", columns: columns, reader: reader)
            checkTimestampColumn(created, key: "created_timestamp", columns: columns, reader: reader)
            if let timestamp, let created, timestamp.value == created.value {
                reader.report(
                    "\"timestamp\" and \"created_timestamp\" are the same column \"\(created.value)\"",
                    hint: "leave created_timestamp out when only one time is known", at: created.location)
            }
            for key in rowKey { _ = column(key, key: "row_key", columns: columns, reader: reader) }
        }
        let definition = SourceDefinition(
            name: name.value, description: description, kind: kind?.value ?? .table, columns: columns,
            timestampColumn: timestamp?.value, createdTimestampColumn: created?.value,
            timeZone: parseTimeZone(reader), rowKey: rowKey.map(\.value),
            incremental: parseIncremental(reader, kind: kind, columns: areColumnsComplete ? columns : nil),
            compatibility: reader.choice("compatibility", of: Compatibility.self) ?? .fullTransitive,
            location: document.location)
        tree.sources[name.value] = Parsed(
            definition: definition, isComplete: diagnostics.errors.count == before)
    }

    private func parseSourceKind(_ reader: MappingReader) -> Located<SourceKind>? {
        guard let word = reader.text("type", required: true, hint: Self.sourceTypes) else { return nil }
        for (key, owner) in [("query", "query"), ("table", "postgres")] where word.value != owner && reader.has(key) {
            guard SourceKind.names.contains(word.value) else { continue }
            reader.report(
                "\"\(key)\" belongs to sources of type \(owner), this one is of type \(word.value)",
                hint: "leave it out, or say type: \(owner)", at: reader.keyLocation(key))
        }
        switch word.value {
        case "table": return Located(value: .table, location: word.location)
        case "push": return Located(value: .push, location: word.location)
        case "query":
            guard reader.has("query") else {
                _ = reader.requiredNode("query", hint: "a source of type query needs query: SELECT ...")
                return nil
            }
            return sql("query", kind: .query, in: reader).map {
                Located(value: .query(sql: $0.value), location: word.location)
            }
        case "postgres":
            let hint = "a source of type postgres needs table: schema.name"
            guard let node = reader.requiredNode("table", hint: hint),
                let text = reader.text(of: node, key: "table")
            else { return nil }
            guard let table = QualifiedTableName(text.value) else {
                reader.report(
                    "\"table\" cannot be \"\(text.value.abbreviated)\"",
                    hint: "write schema.name with plain lowercase names, such as public.weather", at: text.location)
                return nil
            }
            return Located(value: .postgres(table: table), location: word.location)
        default:
            reader.report(
                "the source type \"\(word.value.abbreviated)\" is unknown",
                hint: nearestHint(word.value, among: SourceKind.names, kind: "types"), at: word.location)
            return nil
        }
    }

    private func parseRowKey(_ reader: MappingReader, kind: Located<SourceKind>?) -> [Located<String>] {
        guard let names = reader.names("row_key", allowsReserved: true) else { return [] }
        if let kind, kind.value != .table {
            reader.report(
                "\"row_key\" belongs to sources of type table, this one is of type \(kind.value.name)",
                hint: "leave row_key out", at: reader.keyLocation("row_key"))
        }
        if names.isEmpty, reader.list("row_key", atMost: DefinitionLimits.maximumColumns)?.isEmpty == true {
            reader.report(
                "\"row_key\" is empty", hint: "name columns or leave it out", at: reader.keyLocation("row_key"))
        }
        return names
    }

    private func parseColumns(
        _ reader: MappingReader, neverNull: [String]
    ) -> (columns: [ColumnDefinition], isComplete: Bool) {
        let before = diagnostics.errors.count
        var columns: [ColumnDefinition] = []
        let items = reader.list("columns", required: true, atMost: DefinitionLimits.maximumColumns)
        if items?.isEmpty == true {
            reader.report(
                "\"columns\" is empty", hint: "name the columns that features and keys read",
                at: reader.keyLocation("columns"))
        }
        for item in items ?? [] {
            guard let column = parseColumn(item, of: reader, neverNull: neverNull) else { continue }
            guard !columns.contains(where: { $0.name == column.name }) else {
                reader.report("column \"\(column.name)\" is given twice", hint: "keep one of them", at: column.location)
                continue
            }
            columns.append(column)
        }
        return (columns, diagnostics.errors.count == before)
    }

    private func parseColumn(
        _ node: DefinitionNode, of source: MappingReader, neverNull: [String]
    ) -> ColumnDefinition? {
        guard
            let reader = MappingReader(
                node, subject: "\(source.subject), \(subject(of: node, noun: "column"))",
                keys: ["name", "type", "nullable"], diagnostics: diagnostics
            )
        else { return nil }
        let name = reader.name("name", required: true, allowsReserved: true)
        let isNullable = reader.bool("nullable")
        guard let type = reader.type(), let name else { return nil }
        let mustBeSet = neverNull.contains(name.value)
        if mustBeSet, isNullable == true {
            reader.report(
                "the column is a timestamp or a row key, which is never null", hint: "leave nullable out",
                at: reader.keyLocation("nullable"))
        }
        return ColumnDefinition(
            name: name.value, type: type.value, isNullable: isNullable ?? !mustBeSet, location: node.location)
    }

    private func column(
        _ name: Located<String>, key: String, columns: [ColumnDefinition], reader: MappingReader
    ) -> ColumnDefinition? {
        if let column = columns.first(where: { $0.name == name.value }) { return column }
        reader.report(
            "\"\(key)\" names the column \"\(name.value)\", which the source does not have",
            hint: nearestHint(name.value, among: columns.map(\.name), kind: "its columns"), at: name.location)
        return nil
    }

    private func checkTimestampColumn(
        _ name: Located<String>?, key: String, columns: [ColumnDefinition], reader: MappingReader
    ) {
        guard let name, let column = column(name, key: key, columns: columns, reader: reader),
            column.type != .timestamp
        else { return }
        reader.report(
            "\"\(key)\" is the column \"\(name.value)\" of type \(column.type)", hint: "it must be of type timestamp",
            at: name.location)
    }

    private func parseTimeZone(_ reader: MappingReader) -> String? {
        guard let text = reader.text("timezone") else { return nil }
        let isRegion = text.value.contains("/") && TimeZone(identifier: text.value) != nil
        if text.value == "UTC" || isRegion { return text.value }
        reader.report(
            "the time zone \"\(text.value.abbreviated)\" is unknown",
            hint: NameRule.nearest(to: text.value, in: TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") })
                .map {
                    "did you mean \"\($0)\"?"
                } ?? "write UTC or an IANA name such as America/New_York",
            at: text.location)
        return nil
    }

    private func parseIncremental(
        _ reader: MappingReader, kind: Located<SourceKind>?, columns: [ColumnDefinition]?
    ) -> IncrementalRead? {
        guard let node = reader.node("incremental"),
            let inner = MappingReader(
                node, subject: "\(reader.subject), incremental", keys: ["column", "overlap"], diagnostics: diagnostics)
        else { return nil }
        if let kind, kind.value == .table || kind.value == .push {
            reader.report(
                "\"incremental\" belongs to sources of type postgres and query, this one is of type \(kind.value.name)",
                hint: "leave it out: what was written since the last run is known anyway",
                at: reader.keyLocation("incremental"))
        }
        let name = inner.name("column", required: true, allowsReserved: true)
        let overlap = inner.duration("overlap")
        guard let name else { return nil }
        if let columns { checkTimestampColumn(name, key: "column", columns: columns, reader: inner) }
        return IncrementalRead(column: name.value, overlapMicroseconds: overlap?.value ?? 0)
    }
}
