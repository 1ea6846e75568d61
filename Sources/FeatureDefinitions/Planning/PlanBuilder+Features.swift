import FeatureModel

extension PlanBuilder {
    /// The features of a definition with their ids, and what is different about them.
    struct FeatureMapping {
        /// In definition order.
        var features: [RegisteredFeature] = []
        /// Of the former version, no longer defined.
        var removed: [RegisteredFeature] = []
        var nextID: Int32
        var hasNewFeatures = false
        /// By feature id.
        var locations: [Int32: SourceLocation] = [:]
        /// The differences, each a line.
        var details: [String] = []
    }

    /// Finds for each defined feature the one it was: by name, or by the name it is renamed from.
    ///
    /// - Parameter mayReplace: whether a feature of another type is a new one of the same name; otherwise it is the same
    ///   one retyped, which compatibility has to judge.
    mutating func map(
        _ view: FeatureViewDefinition, onto latest: ViewVersion, of registered: RegisteredFeatureView, mayReplace: Bool
    ) -> FeatureMapping {
        var mapping = FeatureMapping(nextID: registered.nextFeatureID)
        for feature in view.features {
            let former = former(of: feature, in: latest, view: view)
            let id: Int32
            if let former, !mayReplace || former.type == feature.type || former.type.isWidened(to: feature.type) {
                id = former.id
                var aliases = former.aliases.filter { $0 != feature.name }
                if former.name != feature.name { aliases.append(former.name) }
                mapping.features.append(feature.registered(id: id, aliases: aliases))
                mapping.details += Self.differences(from: former, to: feature)
            } else {
                id = mapping.nextID
                mapping.nextID += 1
                mapping.hasNewFeatures = true
                mapping.features.append(feature.registered(id: id))
                mapping.details.append(Self.newFeature(feature, replacing: former))
            }
            mapping.locations[id] = feature.location
        }
        let kept = Set(mapping.features.map(\.id))
        let names = Set(view.features.map(\.name))
        mapping.removed = latest.features.filter { !kept.contains($0.id) && !names.contains($0.name) }
        mapping.details += mapping.removed.map { "- feature \"\($0.name)\" \($0.type)" }
        return mapping
    }

    private mutating func former(
        of feature: FeatureDefinition, in latest: ViewVersion, view: FeatureViewDefinition
    ) -> RegisteredFeature? {
        if let same = latest.feature(named: feature.name) { return same }
        guard let name = feature.renamedFrom else { return nil }
        if let former = latest.feature(named: name) { return former }
        refuse(
            "feature_view \"\(view.name)\", features.\(feature.name): renamed from \"\(name)\", which version "
                + "\(latest.version) does not have",
            remedy: "leave renamed_from out to add a new feature, or name one of "
                + latest.features.map(\.name).joined(separator: ", "), at: feature.location)
        return nil
    }

    private static func newFeature(_ feature: FeatureDefinition, replacing former: RegisteredFeature?) -> String {
        let fill = feature.defaultValue.map { ", default \($0)" } ?? ""
        let replaced = former.map { ", in place of the \($0.type) one" } ?? ""
        return "+ feature \"\(feature.name)\" \(feature.type)\(fill)\(replaced)"
    }

    private static func differences(from old: RegisteredFeature, to new: FeatureDefinition) -> [String] {
        let attributes: [(name: String, old: String?, new: String?)] = [
            ("name", old.name, new.name),
            ("type", old.type.description, new.type.description),
            ("nullable", old.schema.isNullable.description, new.isNullable.description),
            ("default", old.schema.defaultValue?.description, new.defaultValue?.description),
        ]
        var lines = attributes.filter { $0.old != $0.new }.map { attribute in
            "feature \"\(new.name)\": \(changeText(attribute.name, from: attribute.old, to: attribute.new))"
        }
        if old.expectation != new.expectation { lines.append("feature \"\(new.name)\": expectation changed") }
        if old.description != new.description { lines.append("feature \"\(new.name)\": description changed") }
        return lines
    }
}
