public import FeatureDefinitions
public import FeatureModel
public import TextFormats

/// A request to plan or apply: `{"files": {"views.yaml": "..."}, "allow_removals": false, "expected_revision": 4}`.
public struct DefinitionRequest: Sendable {
    public let definition: ProjectDefinition
    public let allowsRemovals: Bool
    /// The revision that the sender has seen a plan for; nil takes what is there.
    public let expectedRevision: Int64?

    private static let members = ["files", "allow_removals", "expected_revision"]
    private static let example = #"write {"files": {"views.yaml": "kind: project\n..."}}"#
    private static let maximumPathBytes = 1_024

    /// Places in what is thrown name the files as the request does.
    ///
    /// - Parameters:
    ///   - json: the request.
    ///   - project: the files must define it.
    /// - Throws: `request_invalid`; `definition_invalid` and the like with every mistake; `project_not_found` when the files
    ///   are of another project.
    public init(json: JSONValue, project: String) throws(LarderError) {
        guard case .object(let all) = json else {
            throw LarderError(.requestInvalid, "the request is no JSON object", hint: Self.example)
        }
        for member in all where !Self.members.contains(member.name) {
            let name = String(member.name.prefix(NameRule.maximumBytes))
            throw LarderError(
                .requestInvalid, "the request has an unknown member \"\(name)\"",
                hint: NameRule.nearest(to: name, in: Self.members).map { "did you mean \"\($0)\"?" }
                    ?? "members are \(Self.members.joined(separator: ", "))")
        }
        allowsRemovals = try Self.flag(json["allow_removals"])
        expectedRevision = try Self.revision(json["expected_revision"])
        definition = try DefinitionLoader.load(files: try Self.files(json["files"]))
        guard definition.name == project else {
            throw LarderError(
                .projectNotFound, "the files are of project \"\(definition.name)\", the path names \"\(project)\"",
                hint: "name the same project in both")
        }
    }

    /// In the order of their paths, as a directory is read.
    private static func files(_ json: JSONValue?) throws(LarderError) -> [(path: String, text: String)] {
        guard case .object(let members) = json, !members.isEmpty else {
            throw LarderError(.requestInvalid, "\"files\" is no object with at least one file", hint: example)
        }
        var files: [(path: String, text: String)] = []
        for member in members {
            guard isPath(member.name) else {
                throw LarderError(
                    .requestInvalid, "a file has a name that is empty, too long or not printable",
                    hint: "name files as a folder of definitions would, such as views/weather.yaml")
            }
            guard case .string(let text) = member.value else {
                throw LarderError(.requestInvalid, "the file \"\(member.name)\" is no string", hint: example)
            }
            guard text.utf8.count <= DefinitionLimits.maximumFileBytes else {
                throw LarderError(
                    .limitExceeded, "the file is larger than \(DefinitionLimits.maximumFileBytes) bytes",
                    hint: "split it into several files",
                    location: SourceLocation(file: member.name, line: 1, column: 1))
            }
            files.append((member.name, text))
        }
        return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func isPath(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= maximumPathBytes
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }

    private static func flag(_ json: JSONValue?) throws(LarderError) -> Bool {
        switch json ?? .null {
        case .null: return false
        case .bool(let value): return value
        default: throw LarderError(.requestInvalid, "\"allow_removals\" is neither true nor false")
        }
    }

    private static func revision(_ json: JSONValue?) throws(LarderError) -> Int64? {
        switch json ?? .null {
        case .null: return nil
        case .number(let digits):
            if let revision = Int64(digits), revision >= 0 { return revision }
            fallthrough
        default:
            throw LarderError(
                .requestInvalid, "\"expected_revision\" is no whole number",
                hint: "say the revision that the plan was made for; 0 for a project that is not there yet")
        }
    }
}
