/// Two versions of one schema side by side.
struct SchemaComparison {
    typealias Rule = CompatibilityViolation.Rule
    typealias Direction = CompatibilityViolation.Direction

    let newer: SchemaShape
    let older: SchemaShape
    let noun: String

    /// The two sides of a field; at least one is there.
    private struct Pair {
        let newer: FeatureSchema?
        let older: FeatureSchema?
        let name: String
    }

    func violations(_ directions: [Direction]) -> [CompatibilityViolation] {
        var found: [CompatibilityViolation] = []
        if newer.keys != older.keys {
            for direction in directions {
                found.append(violation(.keys, direction, path: "keys", message: keysMessage(direction)))
            }
        }
        for pair in pairs() {
            let rules = directions.map { obstacles(pair, $0) }
            for rule in Rule.allCases {
                for (direction, broken) in zip(directions, rules) where broken.contains(rule) {
                    found.append(
                        violation(rule, direction, path: path(rule, pair.name), message: message(rule, direction, pair))
                    )
                }
            }
        }
        return found
    }

    /// The fields of both by id, in one walk.
    private func pairs() -> [Pair] {
        var pairs: [Pair] = []
        var remaining = older.fields[...]
        for field in newer.fields {
            while let gone = remaining.first, gone.id < field.id {
                pairs.append(Pair(newer: nil, older: remaining.removeFirst(), name: gone.name))
            }
            let counterpart = remaining.first?.id == field.id ? remaining.removeFirst() : nil
            pairs.append(Pair(newer: field, older: counterpart, name: field.name))
        }
        return pairs + remaining.map { Pair(newer: nil, older: $0, name: $0.name) }
    }

    private func obstacles(_ pair: Pair, _ direction: Direction) -> [Rule] {
        switch (direction, pair.newer, pair.older) {
        case (.backward, let reader?, let writer):
            SchemaCompatibility.obstacles(reading: reader, from: writer)
        case (.forward, let writer, let reader?):
            SchemaCompatibility.obstacles(reading: reader, from: writer).map { $0 == .added ? .removed : $0 }
        // The reader does not look at what it does not have.
        case (.backward, nil, _), (.forward, _, nil):
            []
        }
    }

    private func violation(
        _ rule: Rule, _ direction: Direction, path: String, message: String
    ) -> CompatibilityViolation {
        CompatibilityViolation(
            rule: rule, direction: direction, path: path, older: older.version, newer: newer.version, message: message)
    }

    /// Paths speak the words of a definition.
    private func path(_ rule: Rule, _ name: String) -> String {
        switch rule {
        case .keys: "keys"
        case .added, .removed: "\(noun).\(name)"
        case .type: "\(noun).\(name).type"
        case .nullability: "\(noun).\(name).nullable"
        case .defaultValue: "\(noun).\(name).default"
        }
    }
}

extension SchemaComparison {
    private func message(_ rule: Rule, _ direction: Direction, _ pair: Pair) -> String {
        let field = "\(noun.hasSuffix("s") ? noun.dropLast() : noun[...]) \"\(pair.name)\""
        let version = "version \(older.version)"
        guard let new = pair.newer else {
            return "\(field) is gone, and \(version) could not read rows without it: there it is neither nullable "
                + "nor has a default"
        }
        guard let old = pair.older else {
            return "\(field) is neither nullable nor has a default, and rows of \(version) do not have it"
        }
        switch (rule, direction) {
        case (.type, .backward):
            return "\(field) is \(new.type) and could not read rows of \(version), which has \(old.type)"
        case (.type, .forward):
            return "\(field) is \(new.type), \(version) has \(old.type) and could not read it"
        case (.nullability, .backward):
            return "\(field) is not nullable and could not read the nulls that \(version) allows"
        case (.nullability, .forward):
            return "\(field) is nullable, \(version) allows no nulls and could not read them"
        default:
            let (ours, theirs) = (Self.text(new.fill(as: old.type)), Self.text(old.fill(as: new.type)))
            return
                "\(field) has \(ours), \(version) has \(theirs): rows without it would read differently under the two"
        }
    }

    private func keysMessage(_ direction: Direction) -> String {
        let keys = "the keys are \(Self.text(newer.keys)), version \(older.version) has \(Self.text(older.keys))"
        return switch direction {
        case .backward: "\(keys): its rows would be read as those of other keys"
        case .forward: "\(keys) and would read new rows as those of other keys"
        }
    }

    private static func text(_ keys: [SchemaShape.Key]) -> String {
        keys.isEmpty ? "none" : keys.map { "\"\($0.name)\" \($0.text)" }.joined(separator: " and ")
    }

    /// A default may be a vector of thousands of elements; its beginning will do.
    private static func text(_ fill: Value) -> String {
        guard !fill.isNull else { return "no default" }
        let text = fill.description
        return "default " + (text.count > 60 ? text.prefix(57) + "..." : text)
    }
}
