public import FeatureDefinitions
import FeatureModel

/// Tells how a training set would be made, or makes it, throws it away and tells how it went.
public struct ExplainTrainingSet: Sendable {
    private let stores: Stores

    public init(stores: Stores) {
        self.stores = stores
    }

    /// - Parameter analyze: also makes it. Else only the first segment of the spine is read, and nothing joined.
    public func run(
        _ request: TrainingSetRequest, spine: CreateTrainingSet.Spine, in project: RegisteredProject, analyze: Bool
    ) async throws -> TrainingSetReport {
        var request = request
        request.name = nil
        request.resources.joinsNothing = !analyze
        return try await MakeTrainingSet(stores: stores).run(
            request, spine: try spine.opened(), in: project, format: .arrows, write: { _ in })
    }
}
