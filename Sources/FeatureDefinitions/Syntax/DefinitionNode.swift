import FeatureModel

/// A node of a definition file: what YAML says, with the place where it says it and without YAML's guesses
/// about types, which depend on the key a scalar is given for.
struct DefinitionNode: Sendable {
    enum Content: Sendable {
        /// An absent value, `~` or `null`.
        case null
        /// `isPlain` is false for quoted and block scalars, which are text whatever they look like.
        case scalar(text: String, isPlain: Bool)
        case sequence([DefinitionNode])
        case mapping([Entry])
    }

    struct Entry: Sendable {
        let key: String
        let keyLocation: SourceLocation
        let value: DefinitionNode
    }

    let content: Content
    let location: SourceLocation

    /// The value of a key of a mapping.
    subscript(key: String) -> DefinitionNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The items of a sequence.
    var items: [DefinitionNode]? {
        if case .sequence(let items) = content { items } else { nil }
    }

    /// The text of a scalar.
    var text: String? {
        if case .scalar(let text, _) = content { text } else { nil }
    }

    var isNull: Bool {
        if case .null = content { true } else { false }
    }

    /// What the node is, for messages.
    var shape: String {
        switch content {
        case .null: "nothing"
        case .scalar(let text, _): "\"\(text.abbreviated)\""
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

extension String {
    /// At most 60 characters on one line, for quoting what a person wrote; control characters become blanks.
    var abbreviated: String {
        let short = count > 60 ? "\(prefix(57))..." : self
        return String(
            String.UnicodeScalarView(short.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
