public import FeatureModel

extension Plan {
    /// The same plan with what its changes of feature views will take, by view.
    public func pricing(_ costs: [String: ChangeCost]) -> Plan {
        changingViews { change in
            if let cost = costs[change.name] { change.cost = cost }
        }
    }

    /// The same plan with the saved training sets that were made from the feature views it changes and removes.
    /// - Parameter names: of the training sets, by view.
    public func touching(trainingSets names: [String: [String]]) -> Plan {
        changingViews { change in
            guard change.action == .changed || change.action == .removed else { return }
            change.touchedTrainingSets = names[change.name] ?? []
        }
    }

    private func changingViews(_ edit: (inout PlannedChange) -> Void) -> Plan {
        let edited = changes.map { change in
            guard change.kind == .featureView else { return change }
            var change = change
            edit(&change)
            return change
        }
        return Plan(
            projectName: projectName, baseRevision: baseRevision, changes: edited, refusals: refusals, next: next)
    }

    /// The same plan, refused for what was found wrong with it later on, such as by PostgreSQL.
    public func refused(for errors: [LarderError]) -> Plan {
        Plan(
            projectName: projectName, baseRevision: baseRevision, changes: changes, refusals: refusals + errors,
            next: nil)
    }
}
