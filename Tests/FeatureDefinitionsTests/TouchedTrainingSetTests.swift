import FeatureDefinitions
import FeatureModel
import Foundation
import Testing

/// The saved training sets that a plan names beside its changes.
@Suite struct TouchedTrainingSetTests {
    private static func plan(_ edit: (inout ClimateTree) -> Void) throws -> Plan {
        var tree = ClimateTree()
        edit(&tree)
        return try RegistryModel.applied(ClimateTree()).plan(tree.definition())
    }

    @Test func `they stand below the change of their view, the first ten of them`() throws {
        let plain = try Self.plan { $0.head += "\ngeneration: 2" }
        let one = plain.touching(trainingSets: ["climate": ["churn"]])
        #expect(one.lines.contains("    training set made from it: \"churn\""))
        let names = (10...21).map { "set\($0)" }
        let many = plain.touching(trainingSets: ["climate": names])
        let shown = names.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")
        #expect(many.lines.contains("    training sets made from it: \(shown) and 2 more"))
        #expect(many.lines.count == plain.lines.count + 1)
        #expect(many.changes.first { $0.kind == .featureView }?.touchedTrainingSets == names)
        #expect(many.next == plain.next)
        let json = String(decoding: try JSONEncoder().encode(one), as: UTF8.self)
        #expect(json.contains(#""touched_training_sets":["churn"]"#))
    }

    @Test func `a view that stays as it is has none`() throws {
        let plan = try Self.plan { _ in }.touching(trainingSets: ["climate": ["churn"]])
        #expect(plan.isNoOp)
        #expect(plan.changes.allSatisfy { $0.touchedTrainingSets.isEmpty })
    }
}
