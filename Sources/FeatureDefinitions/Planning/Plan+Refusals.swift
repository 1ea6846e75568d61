public import FeatureModel

extension Plan {
    /// The same plan, refused for what was found wrong with it later on, such as by PostgreSQL.
    public func refused(for errors: [LarderError]) -> Plan {
        Plan(
            projectName: projectName, baseRevision: baseRevision, changes: changes, refusals: refusals + errors,
            next: nil)
    }
}
