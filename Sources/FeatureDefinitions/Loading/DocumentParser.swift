import FeatureModel

/// Turns the documents of a tree into definitions, each judged by itself.
struct DocumentParser {
    let diagnostics: Diagnostics
    var tree = ParsedTree()

    init(diagnostics: Diagnostics) {
        self.diagnostics = diagnostics
    }

    mutating func parse(_ document: DefinitionNode) {
        guard case .mapping = document.content else {
            tree.hide(ObjectKind.allCases)
            diagnostics.report(
                "a document must be a mapping, not \(document.shape)",
                hint: "start it with kind: and one of \(Self.kinds.joined(separator: ", "))", at: document.location)
            return
        }
        guard let kindNode = document["kind"], let word = kindNode.text else {
            tree.hide(ObjectKind.allCases)
            diagnostics.report(
                "the document does not say its kind",
                hint: "add kind: with one of \(Self.kinds.joined(separator: ", "))", at: document.location)
            return
        }
        // A misspelled kind is read as the nearest one, so that what refers to the object is not reported too.
        guard let kind = ObjectKind(rawValue: NameRule.nearest(to: word, in: Self.kinds) ?? word) else {
            tree.hide(ObjectKind.allCases)
            diagnostics.report(
                "the kind \"\(word.abbreviated)\" is unknown", hint: "one of: \(Self.kinds.joined(separator: ", "))",
                at: kindNode.location)
            return
        }
        if kind.rawValue != word {
            diagnostics.report(
                "the kind \"\(word.abbreviated)\" is unknown", hint: "did you mean \"\(kind.rawValue)\"?",
                at: kindNode.location)
        }
        switch kind {
        case .project: parseProject(document)
        case .entity: parseEntity(document)
        case .source: parseSource(document)
        case .featureView: parseFeatureView(document)
        case .featureService: parseFeatureService(document)
        }
    }

    private static let kinds = ObjectKind.allCases.map(\.rawValue)

    /// Opens a document of a kind, named by its `name:`.
    mutating func open(
        _ document: DefinitionNode, kind: ObjectKind, keys: [String]
    ) -> (reader: MappingReader, name: Located<String>)? {
        guard
            let reader = MappingReader(
                document, subject: subject(of: document, noun: kind.rawValue),
                keys: ["kind", "name", "description"] + keys,
                diagnostics: diagnostics),
            let name = reader.name("name", required: true)
        else {
            tree.hide([kind])
            return nil
        }
        return (reader, name)
    }

    /// What messages call a mapping: its noun, and its name where it has one.
    func subject(of node: DefinitionNode, noun: String) -> String {
        node["name"]?.text.map { "\(noun) \"\($0.abbreviated)\"" } ?? noun
    }

    private mutating func parseProject(_ document: DefinitionNode) {
        let before = diagnostics.errors.count
        guard let (reader, name) = open(document, kind: .project, keys: []) else { return }
        let definition = ProjectDefinition(
            name: name.value, description: reader.prose("description"), location: document.location)
        if let first = tree.projects.first {
            diagnostics.report(
                "the tree has a second project \"\(name.value)\"",
                hint: "project \"\(first.definition.name)\" is defined at \(first.definition.location); keep one",
                at: name.location)
            return
        }
        tree.projects.append(Parsed(definition: definition, isComplete: diagnostics.errors.count == before))
    }

    private mutating func parseEntity(_ document: DefinitionNode) {
        let before = diagnostics.errors.count
        guard let (reader, name) = open(document, kind: .entity, keys: ["join_keys"]) else { return }
        guard tree.declare(.entity, name, diagnostics: diagnostics) else { return }
        let description = reader.prose("description")
        var joinKeys: [JoinKey] = []
        let items = reader.list("join_keys", required: true, atMost: DefinitionLimits.maximumJoinKeys)
        if items?.isEmpty == true {
            reader.report(
                "\"join_keys\" is empty",
                hint: "an entity has at least one; a view for everyone has no entity at all",
                at: reader.keyLocation("join_keys"))
        }
        for item in items ?? [] {
            guard let (key, location) = parseJoinKey(item, of: reader) else { continue }
            guard !joinKeys.contains(where: { $0.name == key.name }) else {
                reader.report("join key \"\(key.name)\" is given twice", hint: "keep one of them", at: location)
                continue
            }
            joinKeys.append(key)
        }
        tree.entities[name.value] = Parsed(
            definition: EntityDefinition(
                name: name.value, description: description, joinKeys: joinKeys, location: document.location),
            isComplete: diagnostics.errors.count == before)
    }

    private func parseJoinKey(_ node: DefinitionNode, of entity: MappingReader) -> (JoinKey, SourceLocation)? {
        guard
            let reader = MappingReader(
                node, subject: "\(entity.subject), \(subject(of: node, noun: "join key"))", keys: ["name", "type"],
                diagnostics: diagnostics)
        else { return nil }
        let name = reader.name("name", required: true)
        guard let type = reader.type(), let name else { return nil }
        guard type.value.isKeyType else {
            reader.report(
                "the type \(type.value) cannot be a join key",
                hint: "join keys are string, int32, int64, bytes, date or bool", at: type.location)
            return nil
        }
        return (JoinKey(name: name.value, type: type.value), name.location)
    }

    /// Reads a SQL fragment and reports what is wrong with it.
    func sql(_ key: String, kind: SQLFragment.Kind, in reader: MappingReader) -> Located<String>? {
        guard let node = reader.node(key), let text = reader.text(of: node, key: key) else { return nil }
        guard let problem = SQLFragment.problem(of: text.value, kind: kind) else {
            return Located(value: text.value.trimmingWhitespace, location: text.location)
        }
        let before = text.value.unicodeScalars.prefix(problem.offset)
        let line = before.count { $0 == "\n" } + 1
        let column = before.reversed().prefix { $0 != "\n" }.count + 1
        let place = problem.offset == 0 ? "" : " (line \(line), column \(column) of the SQL)"
        reader.report("the SQL of \"\(key)\" \(problem.message)\(place)", hint: problem.hint, at: text.location)
        return nil
    }
}

extension String {
    /// Without spaces, tabs and line breaks at both ends.
    var trimmingWhitespace: String {
        let blanks: Set<Unicode.Scalar> = [" ", "\t", "\n", "\r"]
        let start = unicodeScalars.firstIndex { !blanks.contains($0) } ?? unicodeScalars.endIndex
        guard let last = unicodeScalars.lastIndex(where: { !blanks.contains($0) }) else { return "" }
        return String(self[start...last])
    }
}
