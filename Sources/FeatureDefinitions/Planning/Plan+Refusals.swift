public import FeatureModel

extension Plan {
    /// The same plan with what its changes of feature views will take, by view.
    public func pricing(_ costs: [String: ChangeCost]) -> Plan {
        let priced = changes.map { change in
            guard change.kind == .featureView, let cost = costs[change.name] else { return change }
            var change = change
            change.cost = cost
            return change
        }
        return Plan(
            projectName: projectName, baseRevision: baseRevision, changes: priced, refusals: refusals, next: next)
    }

    /// The same plan, refused for what was found wrong with it later on, such as by PostgreSQL.
    public func refused(for errors: [LarderError]) -> Plan {
        Plan(
            projectName: projectName, baseRevision: baseRevision, changes: changes, refusals: refusals + errors,
            next: nil)
    }
}
