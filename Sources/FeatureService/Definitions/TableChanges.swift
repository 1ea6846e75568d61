import FeatureDefinitions
import OfflineStore
import PostgresClient

/// The DDL that takes a project from one revision to the next. Only the last step of a `drop` removes anything: a generation
/// that the next revision no longer has.
struct TableChanges {
    let next: RegisteredProject
    let current: RegisteredProject?
    let sourceLogin: String

    func make(on connection: PostgresConnection) async throws {
        if current == nil {
            try await RawTableDefinition.createSchema(
                projectID: next.id, projectName: next.name, sourceLogin: sourceLogin, on: connection)
            try await OfflineTableDefinition.createSchema(
                projectID: next.id, projectName: next.name, on: connection)
        }
        for source in next.sources where source.isRemoved && source.isTable {
            // Queries must not find a former source's rows, least of all under the name of the one that took its place.
            guard current?.source(id: source.id)?.isRemoved == false else { continue }
            try await RawTableDefinition.dropNamedView(of: source, projectID: next.id, on: connection)
        }
        for source in next.sources where !source.isRemoved && source.isTable {
            let definition = RawTableDefinition(source: source, projectID: next.id, sourceLogin: sourceLogin)
            if let before = current?.source(id: source.id) {
                guard before.versions != source.versions else { continue }
                try await definition.update(from: before, on: connection)
            } else {
                try await definition.create(on: connection)
            }
        }
        for view in next.featureViews where view.isRemoved { try await changeTables(ofRemoved: view, on: connection) }
        for view in next.featureViews where !view.isRemoved { try await makeTables(of: view, on: connection) }
    }

    /// The name of a view that is no longer defined is free; its data stays until each of its generations is dropped.
    private func changeTables(ofRemoved view: RegisteredFeatureView, on connection: PostgresConnection) async throws {
        guard let before = current?.featureView(id: view.id) else { return }
        if !before.isRemoved, !next.featureViews.contains(where: { $0.name == view.name && !$0.isRemoved }) {
            try await OfflineTableDefinition.dropReadableView(named: view.name, projectID: next.id, on: connection)
        }
        for generation in view.generations
        where before.versions(ofGeneration: generation.number) != view.versions(ofGeneration: generation.number) {
            try await OfflineTableDefinition(view: view, generation: generation, projectID: next.id)
                .update(from: before, on: connection)
        }
        for generation in before.generations where view.generation(generation.number) == nil {
            try await OfflineTableDefinition(view: before, generation: generation, projectID: next.id)
                .drop(on: connection)
        }
    }

    private func makeTables(of view: RegisteredFeatureView, on connection: PostgresConnection) async throws {
        let before = current?.featureView(id: view.id)
        for generation in view.generations {
            let definition = OfflineTableDefinition(view: view, generation: generation, projectID: next.id)
            if let before, before.generation(generation.number) != nil {
                let isSame =
                    before.versions(ofGeneration: generation.number) == view.versions(ofGeneration: generation.number)
                    && before.currentGeneration == view.currentGeneration
                if !isSame { try await definition.update(from: before, on: connection) }
            } else {
                try await definition.create(on: connection)
            }
        }
        for generation in before?.generations ?? [] where view.generation(generation.number) == nil {
            guard let before else { continue }
            try await OfflineTableDefinition(view: before, generation: generation, projectID: next.id)
                .drop(on: connection)
        }
    }
}
