public import FeatureDefinitions

extension RegisteredProject {
    /// A lifecycle change at random, that this revision may accept or refuse.
    public func randomLifecycleChange(using random: inout some RandomNumberGenerator) -> LifecycleChange? {
        if Int.random(in: 0..<6, using: &random) == 0 { return sourceChange(using: &random) }
        guard let view = featureViews.randomElement(using: &random) else { return nil }
        if view.previousGeneration != nil, Int.random(in: 0..<3, using: &random) == 0 {
            return .rollback(view: view.name)
        }
        let last = view.versions.last?.version ?? 1
        let version = VersionedObject(
            kind: .featureView, name: view.name, version: Int32.random(in: 1...last, using: &random))
        // Mostly one that can be switched to or dropped.
        let others = view.generations.map(\.number).filter { $0 != view.currentGeneration }
        let any = view.versions.map(\.generation)
        let generation =
            (others.isEmpty || Int.random(in: 0..<4, using: &random) == 0 ? any : others)
            .randomElement(using: &random) ?? 1
        // What was begun is finished now and then, so that both states are seen.
        if let dropping = view.generations.first(where: { $0.state == .dropping }), Bool.random(using: &random) {
            return .finishDrop(view: view.name, generation: dropping.number)
        }
        return switch Int.random(in: 0..<10, using: &random) {
        case 0: .deprecate(version)
        case 1, 2: .retire(version)
        case 3, 4: .switchGeneration(view: view.name, to: generation)
        case 5, 6: .rollback(view: view.name)
        case 7, 8: .beginDrop(view: view.name, generation: generation)
        default: .finishDrop(view: view.name, generation: generation)
        }
    }

    private func sourceChange(using random: inout some RandomNumberGenerator) -> LifecycleChange? {
        guard let source = sources.randomElement(using: &random), let last = source.versions.last?.version else {
            return nil
        }
        let version = VersionedObject(
            kind: .source, name: source.name, version: Int32.random(in: 1...last, using: &random))
        return Bool.random(using: &random) ? .deprecate(version) : .retire(version)
    }
}
