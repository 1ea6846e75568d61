import FeatureDefinitions
import FeatureModel
import OfflineStore

extension TrainingSetPlan {
    /// A frame of changes has rows only where a view changes in time. Static views may stand beside such a view; alone
    /// they have values at every time and changes at none.
    /// - Throws: `request_invalid`.
    func requireChangingView(in project: RegisteredProject) throws(LarderError) {
        let areStatic = zip(histories, selection.views).allSatisfy { history, view in
            let generation = view.view.generation(history.table.generation)
            return generation.flatMap { project.source(id: $0.sourceID) }?.isStatic ?? false
        }
        guard areStatic else { return }
        let names = selection.views.map { "\"\($0.view.name)\"" }
        throw LarderError(
            .requestInvalid,
            names.count == 1
                ? "feature view \(names[0]) is static: it has no changes in time, because its source has no timestamp"
                : "feature views \(names.joined(separator: ", ")) are static: they have no changes in time, because "
                    + "their sources have no timestamp",
            hint: "bring a spine with the times the values are wanted for")
    }
}
