import FeatureDefinitions
import FeatureModel

/// A small tree of one view whose parts tests replace; every part is a file of its own.
struct ClimateTree {
    /// What stands before the features of the view `climate`.
    var head = "entities: [place]\nsource: weather"
    /// Each a line of `view.yaml`, the first of them the sixth when `head` has two lines.
    var features = ["{name: temp, type: float64}", "{name: count, type: int32}"]
    var columns = [
        "{name: origin, type: string}", "{name: at, type: timestamp}", "{name: temp, type: float64}",
        "{name: count, type: int32}",
    ]
    /// What stands after the columns of the source `weather`.
    var sourceTail = "timestamp: at"
    /// Items of the service `model`; without any there is none.
    var service: [String] = []
    /// Further documents.
    var others = ""

    func definition() throws -> ProjectDefinition {
        var files = [
            ("project.yaml", "kind: project\nname: shop"),
            ("entity.yaml", "kind: entity\nname: place\njoin_keys: [{name: origin, type: string}]"),
            (
                "source.yaml",
                "kind: source\nname: weather\ntype: table\ncolumns:\n" + Self.lines(columns) + "\n" + sourceTail
            ),
            ("view.yaml", "kind: feature_view\nname: climate\n\(head)\nfeatures:\n" + Self.lines(features)),
        ]
        if !service.isEmpty {
            files.append(("service.yaml", "kind: feature_service\nname: model\nfeatures:\n" + Self.lines(service)))
        }
        if !others.isEmpty { files.append(("others.yaml", others)) }
        return try DefinitionLoader.load(files: files)
    }

    private static func lines(_ items: [String]) -> String {
        items.map { "  - \($0)" }.joined(separator: "\n")
    }
}

extension RegistryModel {
    static func applied(_ tree: ClimateTree) throws -> RegistryModel {
        var registry = RegistryModel()
        try registry.apply(tree.definition())
        return registry
    }

    func plan(_ tree: ClimateTree, allowRemovals: Bool = true) throws -> Plan {
        plan(try tree.definition(), allowRemovals: allowRemovals)
    }

    @discardableResult
    mutating func apply(_ tree: ClimateTree) throws -> Plan {
        try apply(tree.definition(), allowRemovals: true)
    }

    mutating func change(_ change: LifecycleChange) throws {
        project = try project?.applying(change)
    }

    /// What refuses the change, as code and message.
    func refusal(of change: LifecycleChange) -> String {
        do {
            _ = try project?.applying(change)
            return "accepted"
        } catch {
            return "\(error.code.name): \(error.message)"
        }
    }

    func climate() throws -> RegisteredFeatureView {
        guard let project else { throw LarderError(.projectNotFound, "nothing is applied") }
        return try project.featureView(named: "climate")
    }

    /// The features that references find, as `name id version`; or the code of what refuses them.
    func selected(_ references: String...) -> [String] {
        guard let project else { return [] }
        do {
            let selection = try FeatureSelection.resolve(references: references, in: project)
            return selection.outputs.map { output in
                let feature = selection.feature(output)
                return "\(feature.name) \(feature.id) \(selection.views[output.view].schema.version)"
            }
        } catch {
            return [error.code.name]
        }
    }
}

extension VersionedObject {
    static func climate(_ version: Int32) -> VersionedObject {
        VersionedObject(kind: .featureView, name: "climate", version: version)
    }

    static func weather(_ version: Int32) -> VersionedObject {
        VersionedObject(kind: .source, name: "weather", version: version)
    }
}

/// Refusals as `place message`.
func told(_ plan: Plan) -> [String] {
    plan.refusals.map { "\($0.location?.description ?? "nowhere") \($0.message)" }
}
