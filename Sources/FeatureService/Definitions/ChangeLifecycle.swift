public import FeatureDefinitions
import FeatureModel
import Foundation
import PostgresClient
import Registry

/// Deprecates and retires versions, switches generations and rolls them back: each a revision of its own, made whole or
/// not at all.
public struct ChangeLifecycle: Sendable {
    private let stores: Stores
    private let registry = RegistryStore()

    public init(stores: Stores) {
        self.stores = stores
    }

    /// Makes the change the project's newest revision.
    ///
    /// - Returns: the revision made.
    /// - Throws: `LarderError`: as `RegisteredProject.applying(_:)`; `generation_not_filled` for a generation that could not be
    ///   read yet; `revision_conflict`. Nothing is changed then.
    @discardableResult
    public func make(_ change: LifecycleChange, in project: RegisteredProject) async throws -> RegisteredProject {
        let next = try project.applying(change)
        if let name = change.switchedView {
            let view = try next.featureView(named: name)
            try await GenerationReadiness(stores: stores).check(view, generation: view.currentGeneration, in: project)
        }
        try await stores.owner.withConnection { connection in
            try await LockWait.transaction(on: connection) { connection in
                try await registry.lock(next, at: project.revision, on: connection)
                try await TableChanges(next: next, current: project, sourceLogin: stores.sourceLogin)
                    .make(on: connection)
                try await registry.commit(
                    next, replacing: project.revision, changes: try Self.json(change),
                    author: .init(actor: stores.actor), on: connection)
            }
        }
        return next
    }

    /// For the audit.
    private static func json(_ change: LifecycleChange) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let planned = PlannedChange(
            action: .changed, kind: change.objectKind, name: change.objectName, details: [change.summary])
        return String(decoding: try encoder.encode(["changes": [planned]]), as: UTF8.self)
    }
}

extension LifecycleChange {
    /// The view whose current generation the change replaces.
    public var switchedView: String? {
        switch self {
        case .switchGeneration(let view, _), .rollback(let view): view
        case .deprecate, .retire, .beginDrop, .finishDrop: nil
        }
    }

    public var objectKind: ObjectKind {
        switch self {
        case .deprecate(let object), .retire(let object): object.kind == .source ? .source : .featureView
        case .switchGeneration, .rollback, .beginDrop, .finishDrop: .featureView
        }
    }

    public var objectName: String {
        switch self {
        case .deprecate(let object), .retire(let object): object.name
        case .switchGeneration(let view, _), .rollback(let view), .beginDrop(let view, _), .finishDrop(let view, _):
            view
        }
    }

    /// What the change does, in a few words.
    public var summary: String {
        switch self {
        case .deprecate(let object): "version \(object.version) is deprecated"
        case .retire(let object): "version \(object.version) is retired"
        case .switchGeneration(_, let generation): "generation \(generation) is current"
        case .rollback: "rolled back to the generation before"
        case .beginDrop(_, let generation): "generation \(generation) is being dropped"
        case .finishDrop(_, let generation): "generation \(generation) is dropped"
        }
    }
}
