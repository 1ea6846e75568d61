public import FeatureModel

/// Reads trees of definition files.
public enum DefinitionLoader {
    /// Reads the files of a tree, in the order given.
    ///
    /// - Throws: `definition_invalid`, or `definition_syntax` when only the YAML itself is wrong, with every
    ///   mistake in `errors`; each has its file, line and column and what would work.
    public static func load(files: [(path: String, text: String)]) throws(LarderError) -> ProjectDefinition {
        let diagnostics = Diagnostics()
        let documents = try documents(of: files, diagnostics: diagnostics)
        let isReadable = diagnostics.errors.isEmpty
        var parser = DocumentParser(diagnostics: diagnostics)
        for document in documents { parser.parse(document) }
        let tree = parser.tree
        // A file that could not be read may hold what the others refer to.
        if isReadable {
            ReferenceChecker(tree: tree, diagnostics: diagnostics).check()
            if tree.isWithoutProject {
                diagnostics.report(
                    "no document is of kind project",
                    hint: "add one: kind: project, name: flights",
                    at: files.first.map { SourceLocation(file: $0.path, line: 1, column: 1) })
            }
        }
        try diagnostics.throwIfAny()
        guard var project = tree.projects.first?.definition else {
            throw LarderError(.definitionInvalid, "the tree defines no project")
        }
        project.entities = tree.names(.entity).compactMap { tree.entities[$0]?.definition }
        project.sources = tree.names(.source).compactMap { tree.sources[$0]?.definition }
        project.featureViews = tree.names(.featureView).compactMap { tree.featureViews[$0]?.definition }
        project.featureServices = tree.names(.featureService).compactMap { tree.featureServices[$0]?.definition }
        return project
    }

    private static func documents(
        of files: [(path: String, text: String)], diagnostics: Diagnostics
    ) throws(LarderError) -> [DefinitionNode] {
        guard files.count <= DefinitionLimits.maximumFiles else {
            throw LarderError(
                .limitExceeded, "the tree has \(files.count) files, at most \(DefinitionLimits.maximumFiles) are read")
        }
        let size = files.reduce(0) { $0 + $1.text.utf8.count }
        guard size <= DefinitionLimits.maximumTreeBytes else {
            throw LarderError(
                .limitExceeded,
                "the tree holds \(size) bytes, at most \(DefinitionLimits.maximumTreeBytes) are read")
        }
        var documents: [DefinitionNode] = []
        for file in files {
            do throws(LarderError) {
                documents += try DefinitionSyntax.documents(of: file.text, file: file.path)
            } catch {
                diagnostics.report(error)
            }
        }
        return documents
    }
}
