import FeatureDefinitions
import FeatureModel
import OfflineStore
import PostgresClient

extension TrainingSetPlan {
    /// Nulls tell that nothing was known, never that nobody has computed what is asked for.
    /// - Throws: `generation_not_filled`.
    func checkFilled(in project: RegisteredProject, on connection: PostgresConnection) async throws {
        for (history, view) in zip(histories, selection.views.map(\.view)) {
            let number = history.table.generation
            let isFirst = view.generations.allSatisfy { $0.number >= number }
            // Of a view that has just begun nothing was known, and rows that are pushed come when they come.
            if isFirst, options.asOf != nil || isPushed(view, number, in: project) { continue }
            guard try await !history.isFilled(on: connection) else { continue }
            if let asOf = options.asOf, !isFirst {
                throw LarderError(
                    .generationNotFilled,
                    "generation \(number) of feature view \"\(view.name)\" was filled after \(asOf)",
                    hint: "ask for a version of an earlier generation, such as \(view.name)@1:*, or for a later time")
            }
            throw LarderError(
                .generationNotFilled,
                isFirst
                    ? "feature view \"\(view.name)\" has never been materialized"
                    : "generation \(number) of feature view \"\(view.name)\" has never been materialized",
                hint: "run larder materialize \(view.name)")
        }
    }

    private func isPushed(_ view: RegisteredFeatureView, _ number: Int32, in project: RegisteredProject) -> Bool {
        guard let generation = view.generation(number), let source = project.source(id: generation.sourceID) else {
            return false
        }
        return source.kind == .push
    }
}
