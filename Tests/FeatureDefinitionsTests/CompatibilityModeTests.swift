import FeatureDefinitions
import FeatureModel
import Testing

/// Which changes each mode accepts in the generation that is there, and what is told of the others.
@Suite struct CompatibilityModeTests {
    private static let base = [
        "{name: temp, type: float64}", "{name: count, type: int32, nullable: false}",
        "{name: warm, type: bool, nullable: false, default: false, expr: temp > 20}",
        "{name: cold, type: bool, expr: temp < 0}",
    ]

    /// One change of the features above.
    struct Change: Sendable, CustomTestStringConvertible {
        let what: String
        var replace = ""
        let with: String
        /// The paths that are told, by mode; a mode that is not there accepts.
        let refused: [String: [String]]

        var testDescription: String { what }

        static func everywhere(_ paths: String...) -> [String: [String]] {
            Dictionary(uniqueKeysWithValues: ["none", "backward", "forward", "full"].map { ($0, paths) })
        }
    }

    /// Whatever the mode, a version that shares a generation must be able to read what is stored there.
    static let changes = [
        Change(what: "a new feature that may be null", with: "{name: new, type: int64, expr: count}", refused: [:]),
        Change(
            what: "a new feature with a default",
            with: "{name: new, type: int64, expr: count, nullable: false, default: 0}", refused: [:]),
        Change(
            what: "a new feature with neither", with: "{name: new, type: int64, expr: count, nullable: false}",
            refused: Change.everywhere("features.new")),
        Change(what: "a feature gone that may be null", replace: base[0], with: "", refused: [:]),
        Change(what: "a feature gone that has a default", replace: base[2], with: "", refused: [:]),
        Change(
            what: "a feature gone that has neither", replace: base[1], with: "",
            refused: ["forward": ["features.count"], "full": ["features.count"]]),
        Change(
            what: "int32 to int64", replace: base[1], with: "{name: count, type: int64, nullable: false}",
            refused: ["forward": ["features.count.type"], "full": ["features.count.type"]]),
        Change(
            what: "int32 to float64", replace: base[1], with: "{name: count, type: float64, nullable: false}",
            refused: [
                "none": ["features.count.type"], "backward": ["features.count.type"],
                "forward": ["features.count.type", "features.count.type"],
                "full": ["features.count.type", "features.count.type"],
            ]),
        Change(
            what: "float64 to float32", replace: base[0], with: "{name: temp, type: float32, expr: temp}",
            refused: Change.everywhere("features.temp.type")),
        Change(
            what: "not null to nullable", replace: base[1], with: "{name: count, type: int32}",
            refused: ["forward": ["features.count.nullable"], "full": ["features.count.nullable"]]),
        Change(
            what: "nullable to not null", replace: base[0], with: "{name: temp, type: float64, nullable: false}",
            refused: Change.everywhere("features.temp.nullable")),
        Change(
            what: "another default", replace: base[2],
            with: "{name: warm, type: bool, nullable: false, default: true, expr: temp > 20}",
            refused: [
                "backward": ["features.warm.default"], "forward": ["features.warm.default"],
                "full": ["features.warm.default"],
            ]),
        Change(
            what: "a rename", replace: base[0], with: "{name: heat, type: float64, expr: temp, renamed_from: temp}",
            refused: [:]),
    ]

    @Test(arguments: changes, Compatibility.allCases)
    func `each mode refuses what its readers could not read, at its place`(
        _ change: Change, _ mode: Compatibility
    ) throws {
        let head = ClimateTree().head + "\ncompatibility: \(mode.rawValue)"
        let registry = try RegistryModel.applied(ClimateTree(head: head, features: Self.base))
        var features = Self.base.map { $0 == change.replace ? change.with : $0 }.filter { !$0.isEmpty }
        if change.replace.isEmpty { features.append(change.with) }
        let plan = try registry.plan(ClimateTree(head: head, features: features))
        let name = mode.rawValue.replacing("_transitive", with: "")
        let paths = plan.refusals.map { refusal in
            refusal.message.replacing("feature_view \"climate\", ", with: "").prefix { $0 != ":" }
        }
        #expect(paths.map(String.init) == change.refused[name, default: []], "\(told(plan))")
        let isWholeFeature = features.firstIndex(of: change.with).map { "view.yaml:\(7 + $0):5" } ?? "view.yaml:1:1"
        #expect(plan.refusals.allSatisfy { $0.location?.description == isWholeFeature && $0.code == .changeRefused })
        #expect(plan.refusals.allSatisfy { $0.hint?.contains("say generation: 2 to fill") == true })
        if plan.refusals.isEmpty {
            #expect(try plan.next?.featureView(named: "climate").versions.map(\.generation) == [1, 1])
        }
        var raised = ClimateTree(head: head + "\ngeneration: 2", features: features)
        raised.service = []
        #expect(told(try registry.plan(raised)).isEmpty, "a new generation takes it")
    }

    @Test func `all violations are told at once, each with its place and path`() throws {
        let registry = try RegistryModel.applied(
            ClimateTree(head: ClimateTree().head + "\nwhere: count > 0", features: Self.base))
        let plan = try registry.plan(
            ClimateTree(
                head: ClimateTree().head + "\nwhere: count > 1",
                features: [
                    "{name: temp, type: string, nullable: false, expr: temp::text}",
                    "{name: new, type: int64, nullable: false, expr: count}",
                    "{name: cold, type: bool, expr: temp < 1}",
                ]), allowRemovals: false)
        #expect(
            told(plan) == [
                "view.yaml:1:1 feature_view \"climate\": where changed from count > 0 to count > 1",
                "view.yaml:7:5 feature_view \"climate\", features.temp.expr: expr changed from temp to temp::text",
                "view.yaml:9:5 feature_view \"climate\", features.cold.expr: expr changed from temp < 0 to temp < 1",
                "view.yaml:1:1 feature_view \"climate\", features.count: the feature is no longer in the definition",
                "view.yaml:1:1 feature_view \"climate\", features.warm: the feature is no longer in the definition",
                "view.yaml:7:5 feature_view \"climate\", features.temp.type: feature \"temp\" is string and could not read "
                    + "rows of version 1, which has float64",
                "view.yaml:7:5 feature_view \"climate\", features.temp.type: feature \"temp\" is string, version 1 has "
                    + "float64 and could not read it",
                "view.yaml:7:5 feature_view \"climate\", features.temp.nullable: feature \"temp\" is not nullable and could "
                    + "not read the nulls that version 1 allows",
                "view.yaml:1:1 feature_view \"climate\", features.count: feature \"count\" is gone, and version 1 could not "
                    + "read rows without it: there it is neither nullable nor has a default",
                "view.yaml:8:5 feature_view \"climate\", features.new: feature \"new\" is neither nullable nor has a "
                    + "default, and rows of version 1 do not have it",
            ])
    }

    @Test(arguments: [Compatibility.forward, .forwardTransitive])
    func `a plain mode asks of the latest version, a transitive one of all that are not retired`(
        _ mode: Compatibility
    ) throws {
        let head = ClimateTree().head + "\ncompatibility: "
        let wide = ["{name: temp, type: float64}", "{name: count, type: int64}"]
        var registry = try RegistryModel.applied(ClimateTree(head: head + "backward"))
        try registry.apply(ClimateTree(head: head + "backward", features: wide))
        let further = ClimateTree(
            head: head + mode.rawValue, features: wide + ["{name: cold, type: bool, expr: temp < 0}"])
        let before = told(try registry.plan(further))
        #expect(
            before
                == (mode.isTransitive
                    ? [
                        "view.yaml:8:5 feature_view \"climate\", features.count.type: feature \"count\" is int64, version 1 "
                            + "has int32 and could not read it"
                    ] : []))
        try registry.change(.retire(.climate(1)))
        #expect(told(try registry.plan(further)).isEmpty)
    }

    @Test func `sharing a generation asks also of retired versions, whatever the mode`() throws {
        let head = ClimateTree().head + "\ncompatibility: none"
        var registry = try RegistryModel.applied(ClimateTree(head: head))
        try registry.apply(
            ClimateTree(head: head, features: ["{name: temp, type: float64}", "{name: count, type: int64}"]))
        try registry.change(.retire(.climate(2)))
        let plan = try registry.plan(ClimateTree(head: head))
        #expect(
            told(plan) == [
                "view.yaml:8:5 feature_view \"climate\", features.count.type: feature \"count\" is int32 and could not read "
                    + "rows of version 2, which has int64"
            ])
    }
}

@Suite struct StrandedReaderTests {
    private static let head = ClimateTree().head + "\ncompatibility: backward"
    private static let wide = ClimateTree(
        head: head, features: ["{name: temp, type: float64}", "{name: count, type: int64}"])

    @Test func `a version that a pinned service could not read is refused with the service and the feature`() throws {
        let registry = try RegistryModel.applied(ClimateTree(head: Self.head, service: ["climate@1:*"]))
        var tree = Self.wide
        tree.service = ["climate@1:*"]
        let plan = try registry.plan(tree)
        #expect(
            told(plan) == [
                "service.yaml:1:1 feature_service \"model\" pins climate@1:count, which could not be read off rows of "
                    + "version 2"
            ])
        #expect(
            plan.refusals.first?.hint
                == "pin a later version in the service, or say generation: 2 to fill a new generation beside the one that "
                + "is read")
        tree.service = ["climate@1:temp"]
        #expect(told(try registry.plan(tree)).isEmpty, "what it reads is as it was")
        tree.service = ["climate:*"]
        let repinned = try registry.plan(tree)
        #expect(repinned.lines.contains("    pins climate@2 instead of @1"))
    }

    @Test func `a service that begins to pin a stranded version is refused`() throws {
        var registry = try RegistryModel.applied(ClimateTree(head: Self.head))
        try registry.apply(Self.wide)
        var tree = Self.wide
        tree.service = ["climate@1:count"]
        #expect(told(try registry.plan(tree)).count == 1)
        tree.service = ["climate@1:temp"]
        #expect(told(try registry.plan(tree)).isEmpty)
    }

    @Test func `a request for a stranded version is refused, feature by feature`() throws {
        var registry = try RegistryModel.applied(ClimateTree(head: Self.head))
        try registry.apply(Self.wide)
        #expect(registry.selected("climate@1:count") == ["schema_version_mismatch"])
        #expect(registry.selected("climate@1:*") == ["schema_version_mismatch"])
        #expect(registry.selected("climate@1:temp", "climate@2:count") == ["temp 1 1", "count 2 2"])
        let project = try #require(registry.project)
        let error = #expect(throws: LarderError.self) {
            try FeatureSelection.resolve(references: ["climate@1:count"], in: project)
        }
        #expect(
            error?.message == "feature \"count\" of version 1 of feature view \"climate\" cannot be read off rows that "
                + "version 2 writes")
        #expect(error?.hint == "ask for version 2, or a later one")
    }
}
