import FeatureModel

extension PlanBuilder {
    /// What a definition makes of the features of a view's newest version.
    struct PlannedFeatures {
        /// The features as defined, with their ids.
        var features: [RegisteredFeature] = []
        var details: [String] = []
        var hasNewFeatures = false
        var nextID: Int32
        /// `features`, when they need a schema version of their own.
        var newShape: [RegisteredFeature]?
    }

    /// Accepts new nullable or defaulted features, a new order, descriptions and expectations; refuses the rest.
    mutating func planFeatures(
        of view: FeatureViewDefinition, latest: ViewVersion, nextID: Int32
    ) -> PlannedFeatures {
        let refusalsBefore = refusals.count
        var planned = PlannedFeatures(nextID: nextID)
        for feature in view.features {
            if let old = latest.feature(named: feature.name) {
                refuseFixedChanges(of: feature, from: old, in: view)
                planned.features.append(Self.update(old, to: feature, details: &planned.details))
            } else {
                planNewFeature(feature, in: view, latest: latest, planned: &planned)
            }
        }
        let kept = Set(view.features.map(\.name) + view.features.compactMap(\.renamedFrom))
        for old in latest.features where !kept.contains(old.name) {
            refuse(
                "feature_view \"\(view.name)\", feature \"\(old.name)\": the feature is no longer in the definition",
                remedy: "removing a feature is not supported yet: put it back, or define a new view under another name",
                at: view.location)
        }
        guard refusals.count == refusalsBefore else {
            planned.features = latest.features
            return planned
        }
        if planned.features.map(\.id) != latest.features.map(\.id) {
            if !planned.hasNewFeatures { planned.details.append("features in a new order") }
            planned.newShape = planned.features
        }
        return planned
    }

    private mutating func planNewFeature(
        _ feature: FeatureDefinition, in view: FeatureViewDefinition, latest: ViewVersion,
        planned: inout PlannedFeatures
    ) {
        let subject = "feature_view \"\(view.name)\", feature \"\(feature.name)\""
        if let former = feature.renamedFrom, latest.feature(named: former) != nil {
            refuse(
                "\(subject): \(changeText("name", from: former, to: feature.name))",
                remedy:
                    "a rename is not supported yet: keep \"\(former)\" and add \"\(feature.name)\" as a new feature",
                at: feature.location)
            return
        }
        guard feature.isNullable || feature.defaultValue != nil else {
            refuse(
                "\(subject): a new feature that is neither nullable nor has a default",
                remedy: "rows already written do not have it: make it nullable or give it a default",
                at: feature.location)
            return
        }
        planned.features.append(feature.registered(id: planned.nextID))
        planned.nextID += 1
        planned.hasNewFeatures = true
        let fill = feature.defaultValue.map { ", default \($0)" } ?? ""
        planned.details.append("+ feature \"\(feature.name)\" \(feature.type)\(fill)")
    }

    /// Takes over what belongs to no shape.
    private static func update(
        _ old: RegisteredFeature, to new: FeatureDefinition, details: inout [String]
    ) -> RegisteredFeature {
        var feature = old
        if old.description != new.description {
            feature.description = new.description
            details.append("feature \"\(new.name)\": description changed")
        }
        if old.expectation != new.expectation {
            feature.expectation = new.expectation
            details.append("feature \"\(new.name)\": expectation changed")
        }
        return feature
    }

    private mutating func refuseFixedChanges(
        of feature: FeatureDefinition, from old: RegisteredFeature, in view: FeatureViewDefinition
    ) {
        let fixed: [(attribute: String, old: String?, new: String?)] = [
            ("type", old.type.description, feature.type.description),
            ("nullable", old.schema.isNullable.description, feature.isNullable.description),
            ("default", old.schema.defaultValue?.description, feature.defaultValue?.description),
            ("expr", old.expression, feature.expression),
        ]
        for (attribute, before, after) in fixed where before != after {
            refuse(
                "feature_view \"\(view.name)\", feature \"\(feature.name)\": "
                    + changeText(attribute, from: before, to: after),
                remedy: "this is not supported yet: define a new view or feature under another name",
                at: feature.location)
        }
    }
}
