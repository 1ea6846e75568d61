import FeatureModel

/// A part of a definition and where it stands.
struct Located<Content> {
    let value: Content
    let location: SourceLocation
}

extension Located: Sendable where Content: Sendable {}

/// Reads the keys of one mapping, reports what is wrong with them, and gives nil for what it reported.
///
/// An absent optional key and a wrong one both read as nil, so that one mistake is told once.
struct MappingReader {
    /// What messages call the mapping, e.g. `feature_view "airport_weather"`.
    let subject: String
    let location: SourceLocation
    let diagnostics: Diagnostics
    private let entries: [String: DefinitionNode.Entry]
    /// Keys that an unknown key was probably meant to be.
    private let misspelled: Set<String>

    /// - Parameter keys: every key the mapping may have; others are reported with the nearest one.
    init?(_ node: DefinitionNode, subject: String, keys: [String], diagnostics: Diagnostics) {
        guard case .mapping(let entries) = node.content else {
            diagnostics.report(
                "\(subject) must be a mapping of keys to values, not \(node.shape)",
                hint: "its keys: \(keys.joined(separator: ", "))", at: node.location)
            return nil
        }
        self.subject = subject
        self.location = node.location
        self.diagnostics = diagnostics
        var byKey: [String: DefinitionNode.Entry] = [:]
        var misspelled: Set<String> = []
        for entry in entries {
            if keys.contains(entry.key) {
                byKey[entry.key] = entry
            } else {
                if let meant = NameRule.nearest(to: entry.key, in: keys) { misspelled.insert(meant) }
                diagnostics.report(
                    "\(subject) has an unknown key \"\(entry.key.abbreviated)\"",
                    hint: nearestHint(entry.key, among: keys, kind: "its keys"), at: entry.keyLocation)
            }
        }
        self.entries = byKey
        self.misspelled = misspelled
    }

    func report(_ problem: String, hint: String, at place: SourceLocation? = nil) {
        diagnostics.report("\(subject): \(problem)", hint: hint, at: place ?? location)
    }

    /// Where `key` is written, or the mapping when it is not.
    func keyLocation(_ key: String) -> SourceLocation {
        entries[key]?.keyLocation ?? location
    }

    func has(_ key: String) -> Bool { entries[key] != nil }

    /// The value of `key`; an empty value is reported.
    func node(_ key: String) -> DefinitionNode? {
        guard let entry = entries[key] else { return nil }
        guard !entry.value.isNull else {
            report("\"\(key)\" has no value", hint: "give it one or leave the key out", at: entry.keyLocation)
            return nil
        }
        return entry.value
    }

    /// The value of `key`, whose absence is reported unless it is there under a misspelled key.
    func requiredNode(_ key: String, hint: String? = nil) -> DefinitionNode? {
        guard has(key) else {
            if !misspelled.contains(key) { report("\"\(key)\" is missing", hint: hint ?? "add \(key):") }
            return nil
        }
        return node(key)
    }

    /// A word or text, whatever it looks like.
    func text(_ key: String, required: Bool = false, hint: String? = nil) -> Located<String>? {
        guard let node = required ? requiredNode(key, hint: hint) : node(key) else { return nil }
        return text(of: node, key: key)
    }

    func text(of node: DefinitionNode, key: String) -> Located<String>? {
        guard case .scalar(let text, _) = node.content else {
            report(
                "\"\(key)\" must be text, not \(node.shape)", hint: "write \(key): followed by text",
                at: node.location)
            return nil
        }
        return Located(value: text, location: node.location)
    }

    /// Text for people: bounded, without NUL.
    func prose(_ key: String) -> String? {
        guard let text = text(key) else { return nil }
        guard checkProse(text, key: key) else { return nil }
        return text.value
    }

    func checkProse(_ text: Located<String>, key: String) -> Bool {
        guard text.value.utf8.count <= DefinitionLimits.maximumTextBytes else {
            report(
                "\"\(key)\" is longer than \(DefinitionLimits.maximumTextBytes) bytes", hint: "shorten it",
                at: text.location)
            return false
        }
        guard !text.value.utf8.contains(0) else {
            report("\"\(key)\" holds a NUL character", hint: "leave it out", at: text.location)
            return false
        }
        return true
    }

    /// A text that follows the rule of names.
    func name(_ key: String, required: Bool = false, allowsReserved: Bool = false) -> Located<String>? {
        guard let text = text(key, required: required) else { return nil }
        return checkedName(text, allowsReserved: allowsReserved)
    }

    func checkedName(_ text: Located<String>, allowsReserved: Bool = false) -> Located<String>? {
        guard let violation = NameRule.violation(of: text.value, allowsReserved: allowsReserved) else { return text }
        report(
            "the name \"\(text.value.abbreviated)\" \(violation)",
            hint: "names are like \"airport_weather\": a-z, 0-9 and single _, at most \(NameRule.maximumBytes) bytes",
            at: text.location)
        return nil
    }

    func bool(_ key: String) -> Bool? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let text, true) = node.content, let value = ScalarSyntax.bool(text) else {
            report(
                "\"\(key)\" must be a bool, not \(node.shape)", hint: "write true or false", at: node.location)
            return nil
        }
        return value
    }

    /// A duration in microseconds.
    func duration(_ key: String, atMostDays limit: Int64? = nil) -> Located<Int64>? {
        guard let node = node(key), let text = text(of: node, key: key) else { return nil }
        guard let microseconds = DurationText.parse(text.value) else {
            report(
                "\"\(key)\" is no duration: \"\(text.value.abbreviated)\"",
                hint: "write a whole number and a unit: 90s, 15m, 6h or 7d", at: text.location)
            return nil
        }
        if let limit, microseconds > limit * 86_400_000_000 {
            report(
                "\"\(key)\" is too long: \"\(text.value.abbreviated)\"", hint: "write at most \(limit)d",
                at: text.location)
            return nil
        }
        return Located(value: microseconds, location: text.location)
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Located<Int>? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let text, true) = node.content, let value = Int(text), range.contains(value) else {
            report(
                "\"\(key)\" must be a whole number, not \(node.shape)",
                hint: "write a number from \(range.lowerBound) to \(range.upperBound)", at: node.location)
            return nil
        }
        return Located(value: value, location: node.location)
    }

    /// The items of a list; nil when absent or no list.
    func list(_ key: String, required: Bool = false, atMost limit: Int) -> [DefinitionNode]? {
        guard let node = required ? requiredNode(key) : node(key) else { return nil }
        guard case .sequence(let items) = node.content else {
            report("\"\(key)\" must be a list, not \(node.shape)", hint: "write [a, b]", at: node.location)
            return nil
        }
        guard items.count <= limit else {
            report(
                "\"\(key)\" has \(items.count) items", hint: "at most \(limit) are supported", at: node.location)
            return nil
        }
        return items
    }

    /// A list of names, each given once.
    func names(_ key: String, required: Bool = false, allowsReserved: Bool = false) -> [Located<String>]? {
        guard let items = list(key, required: required, atMost: DefinitionLimits.maximumColumns) else { return nil }
        var names: [Located<String>] = []
        for item in items {
            guard let text = text(of: item, key: key),
                let name = checkedName(text, allowsReserved: allowsReserved)
            else { continue }
            guard !names.contains(where: { $0.value == name.value }) else {
                report("\"\(key)\" names \"\(name.value)\" twice", hint: "name it once", at: name.location)
                continue
            }
            names.append(name)
        }
        return names
    }

    /// One of the values of an enumeration, by its raw value.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(_ key: String, of type: Choice.Type) -> Choice? {
        guard let text = text(key) else { return nil }
        if let choice = Choice(rawValue: text.value) { return choice }
        let spellings = Choice.allCases.map(\.rawValue)
        report(
            "\"\(key)\" cannot be \"\(text.value.abbreviated)\"",
            hint: NameRule.nearest(to: text.value, in: spellings).map { "did you mean \"\($0)\"?" }
                ?? "one of: \(spellings.joined(separator: ", "))",
            at: text.location)
        return nil
    }

    /// The type named by `type:`, which every column, join key and feature has.
    func type() -> Located<ValueType>? {
        let spellings = "types: \(ValueType.spellings.joined(separator: ", "))"
        guard let text = text("type", required: true, hint: spellings) else { return nil }
        if let type = ValueType(text.value) { return Located(value: type, location: text.location) }
        let scalars = ScalarType.allCases.map(\.rawValue)
        report(
            "the type \"\(text.value.abbreviated)\" is unknown",
            hint: NameRule.nearest(to: text.value, in: scalars).map { "did you mean \"\($0)\"?" }
                ?? spellings,
            at: text.location)
        return nil
    }
}
