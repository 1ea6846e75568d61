import FeatureModel

extension PlanBuilder {
    static let newSource = "define a new source under another name, and a new view that reads it"

    mutating func planSources() {
        for source in definition.sources.sorted(by: { $0.name < $1.name }) {
            if let index = next.sources.liveIndex(named: source.name) {
                planChanges(to: source, at: index)
            } else {
                changes.append(
                    PlannedChange(
                        action: .added, kind: .source, name: source.name,
                        summary: "\(source.kind.name), \(Self.count(source.columns.count, "column")), version 1",
                        details: Self.startsEmpty(source.name, next.sources)))
                next.sources.append(register(source))
            }
        }
        for name in next.sources.namesMissing(from: definition.sources.map(\.name)) {
            guard planRemoval(.source, name), let index = next.sources.liveIndex(named: name) else { continue }
            next.sources[index].isRemoved = true
        }
        next.sources = next.sources.orderedByName
    }

    /// Says of a name that was removed and comes back that it stands for something new.
    static func startsEmpty(_ name: String, _ objects: [some RegisteredObject]) -> [String] {
        guard objects.contains(where: { $0.name == name && $0.isRemoved }) else { return [] }
        return ["starts empty: nothing of what was removed under this name comes back"]
    }

    static func count(_ number: Int, _ noun: String) -> String {
        number == 1 ? "1 \(noun)" : "\(number) \(noun)s"
    }

    private func register(_ source: SourceDefinition) -> RegisteredSource {
        var columns: [SourceColumn] = []
        for (id, column) in zip(Int32(1)..., source.columns) {
            columns.append(
                SourceColumn(id: id, name: column.name, type: column.type, isNullable: column.isNullable))
        }
        return RegisteredSource(
            id: allocateID(.source), name: source.name, description: source.description, kind: source.kind,
            timestampColumn: source.timestampColumn, createdTimestampColumn: source.createdTimestampColumn,
            timeZone: source.timeZone, rowKey: source.rowKey, incremental: source.incremental,
            compatibility: source.compatibility,
            versions: [
                SourceVersion(
                    version: 1, columns: columns,
                    keys: [source.timestampColumn, source.createdTimestampColumn] + source.rowKey)
            ],
            nextColumnID: Int32(columns.count) + 1)
    }

    private mutating func planChanges(to source: SourceDefinition, at index: Int) {
        let old = next.sources[index]
        refuseFixedChanges(from: old, to: source)
        var details: [String] = []
        if old.description != source.description {
            next.sources[index].description = source.description
            details.append("description changed")
        }
        if old.compatibility != source.compatibility {
            next.sources[index].compatibility = source.compatibility
            details.append(
                changeText("compatibility", from: old.compatibility.rawValue, to: source.compatibility.rawValue))
        }
        let columnDetails = planColumns(of: source, at: index)
        var summary = ""
        if !columnDetails.isEmpty, let latest = old.versions.last?.version {
            summary = "version \(latest) -> \(latest + 1)"
        }
        record(.source, source.name, summary: summary, details: details + columnDetails)
    }

    /// Refuses changes to what makes the source the one it is.
    private mutating func refuseFixedChanges(from old: RegisteredSource, to new: SourceDefinition) {
        let fixed: [(attribute: String, old: String?, new: String?)] = [
            ("type", old.kind.name, new.kind.name),
            ("table", old.kind.tableText, new.kind.tableText),
            ("query", old.kind.queryText, new.kind.queryText),
            ("timestamp", old.timestampColumn, new.timestampColumn),
            ("created_timestamp", old.createdTimestampColumn, new.createdTimestampColumn),
            ("timezone", old.timeZone, new.timeZone),
            ("row_key", old.rowKey.listText, new.rowKey.listText),
            ("incremental", old.incremental?.text, new.incremental?.text),
        ]
        for (attribute, before, after) in fixed where before != after {
            refuse(
                "source \"\(new.name)\": \(changeText(attribute, from: before, to: after))",
                remedy: "this is not supported yet: \(Self.newSource)", at: new.location)
        }
    }
}

extension SourceKind {
    fileprivate var tableText: String? {
        if case .postgres(let table) = self { table.description } else { nil }
    }

    fileprivate var queryText: String? {
        if case .query(let sql) = self { sql } else { nil }
    }
}

extension [String] {
    fileprivate var listText: String? {
        isEmpty ? nil : "[\(joined(separator: ", "))]"
    }
}

extension IncrementalRead {
    fileprivate var text: String {
        "{column: \(column), overlap: \(DurationText.format(microseconds: overlapMicroseconds))}"
    }
}
