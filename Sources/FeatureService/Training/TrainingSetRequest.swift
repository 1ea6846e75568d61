import FeatureDefinitions
import FeatureModel

/// What a training set is asked to be.
public struct TrainingSetRequest: Sendable {
    /// Which features are wanted.
    public enum Features: Sendable, Hashable {
        case service(String)
        /// `view:feature`, `view@2:feature`, `view:*`.
        case references([String])
    }

    public var features: Features
    public var options: TrainingSetOptions
    public var resources: TrainingSetResources
    /// Keeps spine, options and content hash under this name, so that it can be reproduced.
    public var name: String?

    public init(
        features: Features, options: TrainingSetOptions = TrainingSetOptions(),
        resources: TrainingSetResources = TrainingSetResources(), name: String? = nil
    ) {
        self.features = features
        self.options = options
        self.resources = resources
        self.name = name
    }
}

extension FeatureSelection {
    static func resolve(
        _ features: TrainingSetRequest.Features, in project: RegisteredProject
    ) throws(LarderError) -> FeatureSelection {
        switch features {
        case .service(let name): try resolve(service: project.featureService(named: name), in: project)
        case .references(let references): try resolve(references: references, in: project)
        }
    }
}
