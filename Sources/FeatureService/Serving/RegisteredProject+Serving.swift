import FeatureDefinitions
import FeatureModel

extension RegisteredProject {
    /// Whether a live entity has a join key of that name, or a service maps one to it. Such keys may be in a request
    /// whose features do not need them: a client may send the same keys for every service.
    func hasJoinKey(_ name: String) -> Bool {
        entities.contains { !$0.isRemoved && $0.joinKeys.contains { $0.name == name } }
            || featureServices.contains { service in
                !service.isRemoved && service.references.contains { $0.joinKeyMapping.values.contains(name) }
            }
    }
}
