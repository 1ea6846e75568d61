import FeatureModel
internal import Yams

/// Reads the YAML of one file into nodes. The only place that sees Yams.
struct DefinitionSyntax {
    private let file: String
    private var nodeCount = 0

    private init(file: String) {
        self.file = file
    }

    /// The documents of a file; empty documents are left out.
    static func documents(of text: String, file: String) throws(LarderError) -> [DefinitionNode] {
        var text = text
        // A byte order mark, with which some editors begin a file.
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        try checkSize(text, file: file)
        try checkAliases(text, file: file)
        var syntax = DefinitionSyntax(file: file)
        var documents: [DefinitionNode] = []
        do {
            let parser = try Parser(
                yaml: parserInput(text), resolver: .basic, constructor: .default, encoding: .utf8)
            while let root = try parser.nextRoot() {
                let node = try syntax.convert(root, depth: 1)
                if !node.isNull { documents.append(node) }
            }
        } catch let error as LarderError {
            throw error
        } catch let error as YamlError {
            throw syntax.translate(error)
        } catch {
            throw LarderError(.definitionSyntax, "the file is not YAML: \(error)", location: syntax.location(1, 1))
        }
        return documents
    }

    private mutating func convert(_ node: Node, depth: Int) throws(LarderError) -> DefinitionNode {
        let location = location(node.mark?.line ?? 1, node.mark?.column ?? 1)
        nodeCount += 1
        guard nodeCount <= DefinitionLimits.maximumNodesPerFile else {
            throw LarderError(
                .limitExceeded, "the file holds more than \(DefinitionLimits.maximumNodesPerFile) values",
                hint: "split it into several files, or write fewer aliases", location: location)
        }
        guard depth <= DefinitionLimits.maximumDepth else {
            throw LarderError(
                .limitExceeded, "values are nested more than \(DefinitionLimits.maximumDepth) deep",
                hint: "definitions need no more than five levels", location: location)
        }
        try checkTag(of: node, at: location)
        switch node {
        case .scalar(let scalar):
            return DefinitionNode(content: Self.content(of: scalar), location: location)
        case .sequence(let sequence):
            var items: [DefinitionNode] = []
            for item in sequence { items.append(try convert(item, depth: depth + 1)) }
            return DefinitionNode(content: .sequence(items), location: location)
        case .mapping(let mapping):
            var entries: [DefinitionNode.Entry] = []
            for (key, value) in mapping {
                entries.append(try convertEntry(key, value, depth: depth + 1))
            }
            return DefinitionNode(content: .mapping(entries), location: location)
        case .alias:
            throw LarderError(
                .definitionSyntax, "an alias stands for nothing", hint: "write the value out", location: location)
        }
    }

    private mutating func convertEntry(
        _ key: Node, _ value: Node, depth: Int
    ) throws(LarderError) -> DefinitionNode.Entry {
        let keyLocation = location(key.mark?.line ?? 1, key.mark?.column ?? 1)
        guard case .scalar(let scalar) = key else {
            throw LarderError(
                .definitionSyntax, "a key must be a single word", hint: "write key: value", location: keyLocation)
        }
        return DefinitionNode.Entry(
            key: scalar.string, keyLocation: keyLocation, value: try convert(value, depth: depth))
    }

    private static func content(of scalar: Node.Scalar) -> DefinitionNode.Content {
        let isPlain = scalar.style == .plain || scalar.style == .any
        if isPlain, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return .null }
        return .scalar(text: scalar.string, isPlain: isPlain)
    }

    /// A tag such as `!!binary` asks for a type; types come from the definition, never from the markup.
    private func checkTag(of node: Node, at location: SourceLocation) throws(LarderError) {
        let tag = node.tag.rawValue
        guard tag.isEmpty || ["tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"].contains(tag)
        else {
            throw LarderError(
                .definitionSyntax, "the tag \"\(tag)\" is not supported", hint: "leave the tag out",
                location: location)
        }
    }

    private func location(_ line: Int, _ column: Int) -> SourceLocation {
        SourceLocation(file: file, line: line, column: column)
    }
}

extension DefinitionSyntax {
    private static func checkSize(_ text: String, file: String) throws(LarderError) {
        guard text.utf8.count <= DefinitionLimits.maximumFileBytes else {
            throw LarderError(
                .limitExceeded, "the file is larger than \(DefinitionLimits.maximumFileBytes) bytes",
                hint: "split it into several files", location: SourceLocation(file: file, line: 1, column: 1))
        }
    }

    /// Counts what may be aliases, which is never fewer than there are: a `*` that starts a token.
    private static func checkAliases(_ text: String, file: String) throws(LarderError) {
        var anchors = 0
        var aliases = 0
        var previous = UInt8(ascii: "\n")
        var sigil: UInt8?
        let boundaries = Set(" \t\r\n[{,:-?".utf8)
        let ends = Set(" \t\r\n,]}".utf8)
        for byte in text.utf8 {
            if let pending = sigil, !ends.contains(byte) {
                if pending == UInt8(ascii: "&") { anchors += 1 } else { aliases += 1 }
            }
            let startsToken = boundaries.contains(previous)
            sigil = startsToken && (byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*")) ? byte : nil
            previous = byte
        }
        guard anchors > 0 else { return }
        guard aliases <= DefinitionLimits.maximumAliasesPerFile else {
            throw LarderError(
                .limitExceeded, "the file holds more than \(DefinitionLimits.maximumAliasesPerFile) aliases",
                hint: "write the values out", location: SourceLocation(file: file, line: 1, column: 1))
        }
        // Aliases of aliases multiply most in groups of three.
        let growth = (0..<(aliases + 2) / 3).reduce(1) { product, _ in product * 3 }
        guard text.utf8.count * growth <= DefinitionLimits.maximumExpandedBytes else {
            throw LarderError(
                .limitExceeded, "the file is too large for its \(aliases) aliases",
                hint: "write the values out, or split the file",
                location: SourceLocation(file: file, line: 1, column: 1))
        }
    }

    /// The parser keeps a pointer to the text's own storage, which a string of up to 15 bytes does not have.
    private static func parserInput(_ text: String) -> String {
        var input = text
        if input.utf8.count < 16 { input += "\n" + String(repeating: "#", count: 16) }
        input.makeContiguousUTF8()
        return input
    }

    private func translate(_ error: YamlError) -> LarderError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return LarderError(
                .definitionSyntax, "not YAML: \(problem)",
                hint: "check the indentation, and quote text that holds \": \", \" #\" or starts with a sign",
                location: location(mark.line, mark.column))
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
            return LarderError(
                .definitionSyntax, "the key \(keys) is given more than once", hint: "keep one of them",
                location: location(context.mark.line, context.mark.column))
        case .reader(let problem, let offset, _, let yaml):
            let place = Self.place(ofCharacter: offset ?? 0, in: yaml)
            return LarderError(
                .definitionSyntax, "not YAML: \(problem)", hint: "save the file as UTF-8 text",
                location: location(place.line, place.column))
        default:
            return LarderError(.definitionSyntax, "not YAML: \(error)", location: location(1, 1))
        }
    }

    private static func place(ofCharacter offset: Int, in text: String) -> (line: Int, column: Int) {
        let before = text.prefix(max(0, offset))
        let line = before.count { $0.isNewline } + 1
        let lastLine = before.suffix(
            from: before.lastIndex(where: \.isNewline).map(before.index(after:)) ?? before.startIndex)
        return (line, lastLine.unicodeScalars.count + 1)
    }
}
