import FeatureDefinitions
import FeatureModel
import Testing
import TextFormats

@testable import FeatureService

/// No value of a column may get lost without a word, whatever Feast's clients send beside it.
@Suite("Columns of Feast's data frames")
struct FeastColumnTests {
    private static let source = RegisteredSource(
        id: 21, name: "stream", kind: .push, timestampColumn: "at", createdTimestampColumn: "seen",
        versions: [
            version(1, ["user_id", "at", "seen", "gone"]), version(2, ["user_id", "at", "seen", "score", "spare"]),
        ], nextColumnID: 99)

    private static func version(_ number: Int32, _ names: [String]) -> SourceVersion {
        SourceVersion(
            version: number,
            columns: names.enumerated().map { index, name in
                SourceColumn(id: number * 10 + Int32(index), name: name, type: .int64, isNullable: true)
            }, keys: [])
    }

    /// A view whose one feature has each of the names in turn, one a version.
    private static func view(
        _ id: Int64, _ name: String, _ featureNames: [String], retired: Set<Int32> = []
    ) -> RegisteredFeatureView {
        let versions = featureNames.enumerated().map { index, featureName in
            let number = Int32(index + 1)
            let feature = RegisteredFeature(
                schema: FeatureSchema(id: 1, name: featureName, type: .int64, isNullable: true, defaultValue: nil),
                aliases: Array(featureNames[..<index]))
            return ViewVersion(
                version: number, state: retired.contains(number) ? .retired : .active, generation: 1,
                features: [feature], shapeHash: "", computationHash: "")
        }
        return RegisteredFeatureView(
            id: id, name: name, currentGeneration: 1,
            generations: [
                GenerationState(
                    number: 1, computationHash: "", entityIDs: [11], entityNames: ["user"],
                    joinKeys: [JoinKey(name: "user_id", type: .int64)], sourceID: 21, sourceName: "stream")
            ], versions: versions, nextFeatureID: 2)
    }

    private static let renamed = view(1, "scores", ["score", "points"])

    /// The rows that go to the first of the views of one push, and what the writer is told.
    private func write(
        _ frame: String, into views: [RegisteredFeatureView] = [Self.renamed]
    ) throws -> (rows: String, warnings: [String]) {
        let project = RegisteredProject(
            id: 1, name: "shop", revision: 1, sources: [Self.source], featureViews: views)
        let targets = try views.map { try PushTarget.choose($0, nil, in: project).0 }
        let written = try FeastDataFrame(try JSONValue.parse(Array(frame.utf8))).rows(for: targets[0], among: targets)
        return (String(decoding: written.payload.bytes, as: UTF8.self), written.warnings)
    }

    private func refusal(
        _ frame: String, into views: [RegisteredFeatureView] = [Self.renamed]
    ) -> LarderError? {
        let error = #expect(throws: LarderError.self) { _ = try write(frame, into: views) }
        return error
    }

    // MARK: Names

    @Test("the former name of a feature is refused with the new one, whether or not the new one is sent too")
    func formerName() throws {
        for frame in [#"{"user_id":[1],"score":[5]}"#, #"{"user_id":[1],"points":[5],"score":[6]}"#] {
            let error = refusal(frame)
            #expect(error?.code == .columnUnknown)
            #expect(
                error?.message
                    == #"version 2 of feature view "scores" has no field "score": the feature is called "points" now"#)
            #expect(error?.hint == #"send the column as "points""#)
        }
        let retired = Self.view(1, "scores", ["score", "points"], retired: [1])
        #expect(refusal(#"{"user_id":[1],"score":[5]}"#, into: [retired])?.code == .columnUnknown)
        #expect(try write(#"{"user_id":[1],"points":[5]}"#).rows == #"[{"user_id":1,"points":5}]"#)
    }

    @Test("a former name that another view of the push has now is that view's, once it cannot be meant for both")
    func nameOfAnotherView() throws {
        let other = Self.view(2, "others", ["score"])
        let frame = #"{"user_id":[1],"score":[5]}"#
        #expect(refusal(frame, into: [Self.renamed, other])?.code == .columnUnknown)
        let both = try write(#"{"user_id":[1],"score":[5],"points":[6]}"#, into: [Self.renamed, other])
        #expect(both.rows == #"[{"user_id":1,"points":6}]"# && both.warnings.isEmpty)
        let retired = Self.view(1, "scores", ["score", "points"], retired: [1])
        let later = try write(frame, into: [retired, other])
        #expect(later.rows == #"[{"user_id":1}]"# && later.warnings.isEmpty)
    }

    @Test("a column that only the source has is left out with a warning, one that it no longer has is refused")
    func columnsOfTheSource() throws {
        let spare = try write(#"{"user_id":[1],"points":[5],"spare":[7]}"#)
        #expect(spare.rows == #"[{"user_id":1,"points":5}]"#)
        #expect(
            spare.warnings == [
                #"column "spare" of source "stream" is no field of feature view "scores": its values were left out"#
            ])
        #expect(refusal(#"{"user_id":[1],"points":[5],"gone":[7]}"#)?.code == .columnUnknown)
    }

    // MARK: Times

    @Test("a time under the source's name and under Feast's is one where both say the same, or one says nothing")
    func timesUnderBothNames() throws {
        let sent =
            #"{"at":["2026-01-01T01:00:00+01:00",null,null],"#
            + #""event_timestamp":["2026-01-01 00:00","2026-01-02 00:00",null],"#
            + #""created":[null,null,null],"seen":["2026-01-03T00:00:00Z",null,null]}"#
        #expect(
            try write(sent).rows
                == #"[{"at":"2026-01-01T01:00:00+01:00","seen":"2026-01-03T00:00:00Z"},"#
                + #"{"at":"2026-01-02 00:00Z","seen":null},{"at":null,"seen":null}]"#)
    }

    @Test("where the two say different times the write is refused with both and the row")
    func differentTimes() throws {
        let error = refusal(
            #"{"at":["2026-01-01T00:00:00Z","2026-01-01T00:00:00Z"],"#
                + #""event_timestamp":["2026-01-01T00:00:00","2026-01-02T00:00:00"]}"#)
        #expect(error?.code == .requestInvalid)
        #expect(
            error?.message == #"columns "at" and "event_timestamp" of "df" are one time and differ in row 2: "#
                + #""2026-01-01T00:00:00Z" and "2026-01-02T00:00:00Z""#)
        #expect(refusal(#"{"seen":["x"],"created":["2026-01-02T00:00:00"]}"#)?.code == .requestInvalid)
    }
}
