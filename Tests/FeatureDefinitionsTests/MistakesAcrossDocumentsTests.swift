import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct MistakesAcrossDocumentsTests {
    private static let twoViews = """
        kind: project
        name: p
        ---
        kind: entity
        name: a
        join_keys: [{name: k, type: string}]
        ---
        kind: entity
        name: b
        join_keys: [{name: k, type: int64}]
        ---
        kind: source
        name: sa
        type: push
        columns: [{name: k, type: string}, {name: x, type: int64}]
        ---
        kind: source
        name: sb
        type: push
        columns: [{name: k, type: int64}, {name: x, type: int64}]
        ---
        kind: feature_view
        name: va
        entities: [a]
        source: sa
        features: [{name: x, type: int64}]
        ---
        kind: feature_view
        name: vb
        entities: [b]
        source: sb
        features: [{name: x, type: int64}]

        """

    private static func service(_ features: String) -> String {
        twoViews + "---\nkind: feature_service\nname: s\nfeatures: \(features)"
    }

    @Test func equalOutputNamesAreAnErrorNamingBoth() throws {
        let errors = mistakes(in: Self.service("[va:x, {view: vb, join_keys: {k: bk}}]"))
        #expect(errors.map(\.message) == ["feature_service \"s\": \"va:x\" and \"vb:x\" would both be named \"x\""])
        #expect(errors.first?.location == SourceLocation(file: "f.yaml", line: 36, column: 18))
        #expect(errors.first?.hint == "use {view: ..., as: ...}, whose features are named as__feature")
    }

    @Test func anAliasMakesEqualNamesDistinct() {
        #expect(mistakes(in: Self.service("[va:x, {view: vb, as: other, join_keys: {k: bk}}]")).isEmpty)
    }

    @Test func oneRequestKeyOfTwoTypesIsAnError() {
        let errors = mistakes(in: Self.service("[va:x, {view: vb, as: other}]"))
        #expect(
            errors.map(\.message) == [
                "feature_service \"s\": request key \"k\" is string for feature_view \"va\" and int64 for "
                    + "feature_view \"vb\""
            ])
        #expect(errors.first?.location?.line == 36)
    }

    @Test func twoJoinKeysMappedToOneRequestKeyAreAnError() {
        let text = Self.twoViews.replacing(
            "join_keys: [{name: k, type: string}]", with: "join_keys: [{name: k, type: string}, {name: x, type: int64}]"
        )
        let service = "---\nkind: feature_service\nname: s\nfeatures: [{view: vb, join_keys: {k: same, x: same}}]"
        let messages = mistakes(in: text + service).map(\.message)
        #expect(
            messages.contains(
                "feature_service \"s\", reference: join keys \"k\" and \"x\" both read the request key \"same\""))
    }

    @Test func entitiesOfOneViewMayShareAKeyOnlyWithOneType() {
        let conflicting = Self.twoViews.replacing("entities: [a]", with: "entities: [a, b]")
        #expect(
            mistakes(in: conflicting).map(\.message) == [
                "feature_view \"va\": join key \"k\" is string in entity \"a\" and int64 in entity \"b\""
            ])
        let shared = conflicting.replacing(
            "int64}]\n---\nkind: source\nname: sa", with: "string}]\n---\nkind: source\nname: sa"
        )
        .replacing("[{name: k, type: int64}, {name: x", with: "[{name: k, type: string}, {name: x")
        #expect(mistakes(in: shared).isEmpty)
    }

    @Test func `what a pushed feature lacks is not said to be had from an expression`() {
        let features = "source: sa\nfeatures: [{name: x, type: int64}]"
        let missing = mistakes(in: Self.twoViews.replacing(features, with: features.replacing("x,", with: "amount,")))
        #expect(missing.map(\.hint) == ["add the column to the source"], "\(missing)")
        let retyped = mistakes(in: Self.twoViews.replacing(features, with: features.replacing("int64", with: "string")))
        #expect(retyped.map(\.hint) == ["declare the feature as int64"], "\(retyped)")
    }

    @Test func versionedReferencesAreNotJudgedByTheDefinedFeatures() {
        #expect(mistakes(in: Self.service("[va@3:gone]")).isEmpty)
    }

    @Test func allMistakesOfAllFilesAreToldAtOnceInOrder() throws {
        let files = [
            (path: "b.yaml", text: "kind: entity\nname: e\njoin_keys: [{name: k, type: sting}]\ncolor: red"),
            (path: "a.yaml", text: "kind: project\nname: P\n---\nkind: source\nname: s\ntype: pull"),
        ]
        let error = #expect(throws: LarderError.self) { try DefinitionLoader.load(files: files) }
        #expect(error?.code == .definitionInvalid)
        #expect(error?.message == "the definitions have 5 mistakes")
        #expect(
            error?.errors.compactMap { $0.location?.description }
                == ["a.yaml:2:7", "a.yaml:4:1", "a.yaml:6:7", "b.yaml:3:29", "b.yaml:4:1"])
        #expect(error?.errors.allSatisfy { $0.hint?.isEmpty == false } == true)
    }

    @Test func aFileThatIsNoYamlIsToldAloneWithItsPlaceAndHidesNothingElse() {
        let files = [
            (path: "a.yaml", text: FlightsTree.project), (path: "b.yaml", text: "kind: source\nname: [s"),
            (path: "c.yaml", text: FlightsTree.views), (path: "d.yaml", text: "kind: entity\nname: e\ncolor: red"),
        ]
        let error = #expect(throws: LarderError.self) { try DefinitionLoader.load(files: files) }
        #expect(error?.errors.map { $0.location?.file } == ["b.yaml", "d.yaml", "d.yaml"])
        #expect(error?.errors.first?.code == .definitionSyntax)
    }

    @Test func syntaxMistakesAloneHaveTheirOwnCode() {
        let error = #expect(throws: LarderError.self) { try DefinitionLoader.load(files: [("a.yaml", "a: [")]) }
        #expect(error?.code == .definitionSyntax)
        #expect(error?.message == "the definitions have a mistake")
    }

    @Test func columnsOfPlacesCountCharactersNotBytes() {
        let errors = mistakes(in: "kind: project\nname: p\n---\n{kind: project, description: \"äöü\", nam: x}")
        #expect(errors.first?.location == SourceLocation(file: "f.yaml", line: 4, column: 37))
    }
}
