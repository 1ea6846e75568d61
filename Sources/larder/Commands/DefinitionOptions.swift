import ArgumentParser
import FeatureDefinitions
import FeatureModel

/// The tree of definitions that `plan` and `apply` read.
struct DefinitionOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The folder of definition files.", valueName: "dir"))
    var directory = "feature-defs"

    @Flag(help: "Let objects go that the definitions no longer mention. Their data stays.")
    var allowRemovals = false

    /// - Throws: `definition_invalid` and the like with every mistake, or `project_not_found` when `--project` names another.
    func load(_ settings: Settings) throws(LarderError) -> ProjectDefinition {
        let definition = try DefinitionLoader.load(directory: directory)
        if let project = settings.project, project != definition.name {
            throw LarderError(
                .projectNotFound, "the definitions in \"\(directory)\" are of project \"\(definition.name)\"",
                hint: "leave out --project \(project), or name another folder")
        }
        return definition
    }
}

extension FeatureDefinitions.Plan {
    /// The changes as people read them. Refusals are told as errors instead.
    var changeLines: String {
        let lines = lines
        guard !refusals.isEmpty, let summary = lines.last else { return lines.joined(separator: "\n") }
        return (lines.prefix { !$0.hasPrefix("! ") } + [summary]).joined(separator: "\n")
    }
}
