public import FeatureModel

extension PlanBuilder {
    /// Makes the columns of a definition a new schema version of the source where they differ.
    /// - Returns: the accepted changes, as lines; nothing when the columns are the same, or refused.
    mutating func planColumns(of source: SourceDefinition, at index: Int) -> [String] {
        let registered = next.sources[index]
        guard let latest = registered.versions.last else { return [] }
        let refusalsBefore = refusals.count
        var details: [String] = []
        var columns: [SourceColumn] = []
        var nextID = registered.nextColumnID
        for column in source.columns {
            guard let old = latest.column(named: column.name) else {
                columns.append(
                    SourceColumn(id: nextID, name: column.name, type: column.type, isNullable: column.isNullable))
                nextID += 1
                details.append("+ column \"\(column.name)\" \(column.type)")
                continue
            }
            columns.append(
                SourceColumn(id: old.id, name: column.name, type: column.type, isNullable: column.isNullable))
            details += Self.differences(from: old, to: column)
        }
        for old in latest.columns where source.column(named: old.name) == nil {
            details.append("- column \"\(old.name)\" \(old.type)")
            refuseRemoval(of: old, from: source)
        }
        let version = SourceVersion(
            version: latest.version + 1, columns: columns, keys: SourceVersion.keys(of: registered))
        if registered.isTable { refuseIncompatible(version, of: source, registered: registered) }
        guard refusals.count == refusalsBefore, columns != latest.columns || latest.state == .retired else { return [] }
        next.sources[index].nextColumnID = nextID
        next.sources[index].versions.append(version)
        if !details.isEmpty { return details }
        return [
            columns != latest.columns
                ? "columns in a new order" : "version \(latest.version), which the definitions describe, is retired"
        ]
    }

    private static func differences(from old: SourceColumn, to new: ColumnDefinition) -> [String] {
        var lines: [String] = []
        if old.type != new.type {
            lines.append(
                "column \"\(new.name)\": \(changeText("type", from: old.type.description, to: new.type.description))")
        }
        if old.isNullable != new.isNullable {
            let text = changeText("nullable", from: old.isNullable.description, to: new.isNullable.description)
            lines.append("column \"\(new.name)\": \(text)")
        }
        return lines
    }

    private mutating func refuseRemoval(of column: SourceColumn, from source: SourceDefinition) {
        guard !allowRemovals else { return }
        refusals.append(
            LarderError(
                .removalNotAllowed,
                "source \"\(source.name)\", columns.\(column.name): the column is no longer in the definition",
                hint: "put it back, or allow removals with --allow-removals", location: source.location))
    }

    /// Refuses a version that breaks the source's mode, or under which what is stored could not be read.
    private mutating func refuseIncompatible(
        _ version: SourceVersion, of source: SourceDefinition, registered: RegisteredSource
    ) {
        let shape = registered.shape(of: version)
        let readable = registered.versions.filter { $0.state != .retired }.map(registered.shape)
        var violations = SchemaCompatibility.violations(
            of: shape, against: readable, mode: source.compatibility, noun: "columns")
        let unreadable = SchemaCompatibility.violations(
            of: shape, against: registered.versions.map(registered.shape), mode: .backwardTransitive, noun: "columns")
        for violation in unreadable where !violations.contains(violation) { violations.append(violation) }
        // Without defaults `backward` refuses nothing more.
        report(
            violations, refusedByBackward: Set(unreadable.map(\.path)), subject: "source \"\(source.name)\"",
            remedy: Self.newSource,
            locations: Dictionary(source.columns.map { ($0.name, $0.location) }) { first, _ in first },
            otherwise: source.location)
    }
}

extension RegisteredSource {
    /// A version as the rules of compatibility see it. What identifies a raw row or places it in time are its keys.
    public func shape(of version: SourceVersion) -> SchemaShape {
        let roles = [("timestamp", timestampColumn), ("created_timestamp", createdTimestampColumn)]
        var keys = roles.map { role, name in
            SchemaShape.Key(name: role, text: name.map { "\($0) \(Self.type(of: $0, in: version))" } ?? "none")
        }
        keys += rowKey.map { name in
            SchemaShape.Key(name: "row_key \(name)", text: Self.type(of: name, in: version))
        }
        return SchemaShape(
            version: version.version, keys: keys,
            fields: version.columns.map {
                FeatureSchema(
                    id: $0.id, name: $0.name, type: $0.type, isNullable: $0.isNullable, defaultValue: nil)
            })
    }

    private static func type(of column: String, in version: SourceVersion) -> String {
        version.column(named: column)?.type.description ?? "none"
    }
}
