public import FeatureModel

extension RegisteredProject {
    mutating func switchGeneration(ofView name: String, to number: Int32) throws(LarderError) {
        let (index, view, generation) = try generation(number, ofView: name)
        guard generation.state == .live else { throw Self.isDropping(view, number) }
        guard number != view.currentGeneration else {
            throw LarderError(
                .generationInUse, "generation \(number) of feature view \"\(name)\" is current already")
        }
        featureViews[index].previousGeneration = view.currentGeneration
        featureViews[index].currentGeneration = number
    }

    mutating func beginDrop(ofView name: String, _ number: Int32) throws(LarderError) {
        let (index, view, generation) = try generation(number, ofView: name, mayBeRemoved: true)
        guard generation.state == .live else { throw Self.isDropping(view, number) }
        guard view.isRemoved || number != view.currentGeneration else {
            throw LarderError(
                .generationInUse, "generation \(number) of feature view \"\(name)\" is current",
                hint: "switch to another one first")
        }
        let versions = Set(view.versions(ofGeneration: number).map(\.version))
        let users = services(pinning: view.id, where: versions.contains)
        guard users.isEmpty else {
            throw LarderError(
                .generationInUse,
                "generation \(number) of feature view \"\(name)\" has versions that feature "
                    + (users.count == 1 ? "service " : "services ")
                    + users.map { "\"\($0)\"" }.joined(separator: ", ") + " pin",
                hint: "pin later versions in the service and apply, then drop")
        }
        for place in featureViews[index].versions.indices where view.versions[place].generation == number {
            featureViews[index].versions[place].state = .retired
        }
        for place in view.generations.indices where view.generations[place].number == number {
            featureViews[index].generations[place].state = .dropping
        }
        if view.previousGeneration == number { featureViews[index].previousGeneration = nil }
    }

    mutating func finishDrop(ofView name: String, _ number: Int32) throws(LarderError) {
        let (index, _, generation) = try generation(number, ofView: name, mayBeRemoved: true)
        guard generation.state == .dropping else {
            throw LarderError(.internalError, "generation \(number) of feature view \"\(name)\" is not being dropped")
        }
        featureViews[index].generations.removeAll { $0.number == number }
    }

    /// A view whose data can be dropped: a live one, or the newest of the name that the tree no longer mentions.
    ///
    /// - Throws: `feature_view_not_found`.
    public func droppableView(named name: String) throws(LarderError) -> RegisteredFeatureView {
        if !featureViews.contains(where: { $0.name == name && !$0.isRemoved }),
            let removed = featureViews.last(where: { $0.name == name && !$0.generations.isEmpty })
        {
            return removed
        }
        return try featureView(named: name)
    }

    private func generation(
        _ number: Int32, ofView name: String, mayBeRemoved: Bool = false
    ) throws(LarderError) -> (Int, RegisteredFeatureView, GenerationState) {
        let view = mayBeRemoved ? try droppableView(named: name) : try featureView(named: name)
        guard let generation = view.generation(number),
            let index = featureViews.firstIndex(where: { $0.id == view.id })
        else {
            throw LarderError(
                .generationNotFound, "feature view \"\(name)\" has no generation \(number)",
                hint: "its generations: \(view.generations.map(\.number.description).joined(separator: ", "))")
        }
        return (index, view, generation)
    }

    private static func isDropping(_ view: RegisteredFeatureView, _ number: Int32) -> LarderError {
        LarderError(
            .generationInUse, "generation \(number) of feature view \"\(view.name)\" is being dropped",
            hint: "larder drop \(view.name) --generation \(number) continues")
    }
}
