import FeatureDefinitions
import OfflineStore
import PostgresClient

/// The DDL that takes a project from one revision to the next. Nothing is ever dropped here: data stays until `drop`.
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
        for source in next.sources where !source.isRemoved && source.kind == .table {
            let definition = RawTableDefinition(source: source, projectID: next.id, sourceLogin: sourceLogin)
            if let before = current?.source(id: source.id) {
                guard before.versions.count != source.versions.count else { continue }
                try await definition.update(from: before.versions.map(\.version), on: connection)
            } else {
                try await definition.create(on: connection)
            }
        }
        for view in next.featureViews where !view.isRemoved {
            try await makeTables(of: view, on: connection)
        }
    }

    private func makeTables(of view: RegisteredFeatureView, on connection: PostgresConnection) async throws {
        let before = current?.featureView(id: view.id)
        for generation in view.generations {
            let definition = OfflineTableDefinition(view: view, generation: generation.number, projectID: next.id)
            if let before, before.generation(generation.number) != nil {
                guard before.versions.count != view.versions.count else { continue }
                try await definition.update(from: before.versions.map(\.version), on: connection)
            } else {
                try await definition.create(on: connection)
            }
        }
    }
}
