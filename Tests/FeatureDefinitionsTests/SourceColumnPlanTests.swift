import FeatureDefinitions
import FeatureModel
import Testing

/// Changes of a source's columns, judged like those of features.
@Suite struct SourceColumnPlanTests {
    private static let base = ClimateTree().columns

    private static func tree(_ columns: [String], _ tail: String = "timestamp: at") -> ClimateTree {
        ClimateTree(features: ["{name: temp, type: float64}"], columns: columns, sourceTail: tail)
    }

    @Test func `a column is added, removed and comes back under a new id`() throws {
        var registry = try RegistryModel.applied(Self.tree(Self.base))
        let fewer = Self.tree(Array(Self.base.dropLast()))
        let refused = try registry.plan(fewer, allowRemovals: false)
        #expect(
            told(refused) == [
                "source.yaml:1:1 source \"weather\", columns.count: the column is no longer in the definition"
            ])
        #expect(refused.refusals.map(\.code) == [.removalNotAllowed])
        let plan = try registry.apply(fewer)
        #expect(plan.lines.prefix(2) == ["~ source \"weather\" (version 1 -> 2)", "    - column \"count\" int32"])
        var source = try #require(try registry.project?.source(named: "weather"))
        #expect(source.visibleColumns.map(\.name) == ["origin", "at", "temp", "count"])
        try registry.apply(Self.tree(Array(Self.base.dropLast()) + ["{name: count, type: string}"]))
        source = try #require(try registry.project?.source(named: "weather"))
        #expect(source.versions.map { $0.columns.map(\.id) } == [[1, 2, 3, 4], [1, 2, 3], [1, 2, 3, 5]])
        #expect(source.visibleColumns.map(\.id) == [1, 2, 3, 5])
        #expect(source.nextColumnID == 6)
    }

    @Test(
        arguments: [
            ("{name: count, type: int64}", Compatibility.backward, []),
            ("{name: count, type: int64}", .none, []),
            ("{name: count, type: int64}", .forward, ["columns.count.type"]),
            ("{name: count, type: int64}", .fullTransitive, ["columns.count.type"]),
            ("{name: count, type: float64}", .none, ["columns.count.type"]),
            ("{name: count, type: float64}", .full, ["columns.count.type", "columns.count.type"]),
            ("{name: count, type: int32, nullable: false}", .backward, ["columns.count.nullable"]),
            ("{name: count, type: int32, nullable: false}", .none, ["columns.count.nullable"]),
        ] as [(String, Compatibility, [String])])
    func `a column is retyped only as the mode allows`(
        _ column: String, _ mode: Compatibility, _ paths: [String]
    ) throws {
        let tail = "timestamp: at\ncompatibility: \(mode.rawValue)"
        let registry = try RegistryModel.applied(Self.tree(Self.base, tail))
        let plan = try registry.plan(Self.tree(Array(Self.base.dropLast()) + [column], tail))
        let told = plan.refusals.map {
            String($0.message.replacing("source \"weather\", ", with: "").prefix { $0 != ":" })
        }
        #expect(told == paths)
        #expect(plan.refusals.allSatisfy { $0.location?.description == "source.yaml:8:5" })
        #expect(
            plan.refusals.allSatisfy {
                $0.hint?.hasSuffix("define a new source under another name, and a new view that reads it") == true
            })
        guard let source = try plan.next?.source(named: "weather") else { return }
        #expect(source.versions.map { $0.columns.map(\.id) } == [[1, 2, 3, 4], [1, 2, 3, 4]])
        #expect(source.nextColumnID == 5)
    }

    @Test func `not null becomes nullable where old readers are not asked`() throws {
        let strict = Array(Self.base.dropLast()) + ["{name: count, type: int32, nullable: false}"]
        let backward = "timestamp: at\ncompatibility: backward"
        let registry = try RegistryModel.applied(Self.tree(strict, backward))
        let plan = try registry.plan(Self.tree(Self.base, backward))
        #expect(plan.lines.contains("    column \"count\": nullable changed from false to true"))
        let full = try registry.plan(Self.tree(Self.base))
        #expect(
            told(full) == [
                "source.yaml:8:5 source \"weather\", columns.count.nullable: column \"count\" is nullable, version 1 allows "
                    + "no nulls and could not read them"
            ])
        let removed = try registry.plan(Self.tree(Array(Self.base.dropLast())))
        #expect(told(removed).count == 1 && told(removed)[0].contains("columns.count: column \"count\" is gone"))
    }

    @Test func `what a row is known by is a key, and its type stays`() throws {
        let tail = "timestamp: at\nrow_key: [origin, count]\ncompatibility: none"
        let registry = try RegistryModel.applied(Self.tree(Self.base, tail))
        let wide = Array(Self.base.dropLast()) + ["{name: count, type: int64}"]
        let plan = try registry.plan(Self.tree(wide, tail))
        #expect(told(plan).count == 1)
        #expect(told(plan).first?.hasPrefix("source.yaml:1:1 source \"weather\", keys: the keys are ") == true)
        let row = "timestamp: at\nrow_key: [origin]\ncompatibility: none"
        #expect(
            told(try registry.plan(Self.tree(Self.base, row))) == [
                "source.yaml:1:1 source \"weather\": row_key changed from [origin, count] to [origin]"
            ])
    }

    @Test func `nothing is stored of the columns of a query, so they may change`() throws {
        func tree(_ type: String) -> ClimateTree {
            ClimateTree(
                head: "entities: [place]\nsource: asked",
                features: ["{name: warm, type: bool, expr: temp IS NOT NULL}"],
                others: """
                    kind: source
                    name: asked
                    type: query
                    query: SELECT origin, temp FROM weather
                    columns: [{name: origin, type: string}, {name: temp, type: \(type)}]
                    """)
        }
        let registry = try RegistryModel.applied(tree("float64"))
        let plan = try registry.plan(tree("string"))
        #expect(plan.lines.contains("    column \"temp\": type changed from float64 to string"))
        #expect(plan.refusals.isEmpty)
    }
}
