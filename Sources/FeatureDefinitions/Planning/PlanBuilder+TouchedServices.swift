import FeatureModel

extension PlanBuilder {
    /// Says beside each change of a view's shape or generations which feature services pin versions of the view.
    mutating func tellTouchedServices() {
        for index in changes.indices where changes[index].kind == .featureView {
            let change = changes[index]
            guard change.action == .changed, change.schemaVersion != nil,
                let view = next.featureViews.first(where: { $0.name == change.name && !$0.isRemoved })
            else { continue }
            for service in next.featureServices where !service.isRemoved {
                let pins = Set(service.references.filter { $0.viewID == view.id }.map(\.version)).sorted()
                for version in pins {
                    let generation = view.version(version)?.generation ?? view.currentGeneration
                    changes[index].touchedServices.append(
                        "feature_service \"\(service.name)\" reads \(view.name)@\(version), generation \(generation)")
                }
            }
        }
    }
}
