import ArgumentParser
import FeatureDefinitions
import FeatureModel
import FeatureService
import TextFormats

struct Apply: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make definitions the project's newest revision.",
        discussion: """
            Shows the plan and asks before it is carried out. All of it happens in one transaction, or none of it, and only \
            if the project is still as the plan saw it.
            """)

    @OptionGroup var definitions: DefinitionOptions

    @Flag(help: "Do not ask.")
    var yes = false

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let definition = try definitions.load(context.settings)
        return try await context.withStores { stores in
            let useCase = ApplyDefinitions(stores: stores)
            let allowRemovals = definitions.allowRemovals
            let plan = try await useCase.plan(definition, allowRemovals: allowRemovals)
            if context.console.format == .table { try context.console.write(plan.changeLines) }
            try plan.checkAccepted()
            guard !plan.isNoOp else {
                try tell(plan, revision: plan.baseRevision, context)
                return .success
            }
            guard try isConfirmed(plan, context.console) else {
                context.console.note("Nothing was applied.")
                return .refused
            }
            let applied = try await useCase.apply(
                definition, allowRemovals: allowRemovals, expecting: plan.baseRevision)
            let revision = applied.next?.revision ?? applied.baseRevision
            try tell(applied, revision: revision, context)
            return .success
        }
    }

    private func isConfirmed(_ plan: FeatureDefinitions.Plan, _ console: Console) throws -> Bool {
        if yes { return true }
        guard let answer = console.confirm("Apply this to project \"\(plan.projectName)\"?") else {
            throw LarderError(
                .changeRefused, "nobody is there to confirm the plan; nothing was applied",
                hint: "look at it with larder plan, then say --yes")
        }
        return answer
    }

    private func tell(
        _ plan: FeatureDefinitions.Plan, revision: Int64, _ context: CommandContext
    ) throws {
        switch context.console.format {
        case .table:
            guard !plan.isNoOp else { return }
            try context.console.write("Applied: project \"\(plan.projectName)\" is at revision \(revision).")
        case .json:
            let document = try plan.appliedDocument
            try context.console.write(String(decoding: document.serialized(pretty: true), as: UTF8.self))
        }
    }
}
