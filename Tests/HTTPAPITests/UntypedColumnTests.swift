import FeatureDefinitions
import FeatureModel
import Foundation
import Testing
import TextFormats

@testable import FeatureService

/// What pyarrow makes of values that are all null, where nobody says the type.
@Suite("Arrow columns without a type")
struct UntypedColumnTests {
    private static func rows() throws -> FrameBatch {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../ArrowIPCTests/Fixtures/widths.arrows")
        let payload = RowPayload(format: .arrows, bytes: Array(try Data(contentsOf: file)))
        var reader = try payload.read(TextReadOptions(fields: []))
        return try #require(try reader.next())
    }

    private static let refusal = #"column "nulls" is of no type (Arrow's Null, pa.null() in pyarrow), "#
    private static let hint = "write the column as int32, also where it holds nothing but nulls"

    @Test("are refused by name in rows of a feature view, with the type to write them as")
    func featureView() throws {
        let read = try Self.rows()
        let features = read.batch.fields.enumerated().map { index, field in
            RegisteredFeature(
                schema: FeatureSchema(
                    id: Int32(index + 1), name: field.name, type: field.name == "nulls" ? .int32 : field.type,
                    isNullable: true, defaultValue: nil))
        }
        let generation = GenerationState(
            number: 1, computationHash: "", entityIDs: [], entityNames: [], joinKeys: [], sourceID: 21,
            sourceName: "stream")
        let version = ViewVersion(
            version: 1, generation: 1, features: features, shapeHash: "", computationHash: "")
        let view = RegisteredFeatureView(
            id: 1, name: "wide", currentGeneration: 1, generations: [generation], versions: [version],
            nextFeatureID: 99)
        let source = RegisteredSource(id: 21, name: "stream", kind: .push, versions: [], nextColumnID: 1)
        let shape = ViewRowShape(view: view, generation: generation, version: version, source: source)
        let error = #expect(throws: LarderError.self) { _ = try shape.rows(of: read, now: .positiveInfinity) }
        #expect(error?.code == .columnType)
        #expect(error?.message == #"\#(Self.refusal)feature view "wide" declares int32"#)
        #expect(error?.hint == Self.hint)
    }

    @Test("are refused by name in rows of a source, with the type to write them as")
    func source() throws {
        let read = try Self.rows()
        let version = SourceVersion(
            version: 1,
            columns: read.batch.fields.enumerated().map { index, field in
                SourceColumn(
                    id: Int32(index + 1), name: field.name, type: field.name == "nulls" ? .int32 : field.type,
                    isNullable: true)
            }, keys: [])
        let source = RegisteredSource(
            id: 21, name: "raw", kind: .table, versions: [version], nextColumnID: 99)
        let error = #expect(throws: LarderError.self) {
            var verdict = RowVerdict(.source("raw"))
            _ = try RawRowShape(source: source, version: version).rows(of: read, verdict: &verdict)
        }
        #expect(error?.message == #"\#(Self.refusal)source "raw" declares int32"#)
        #expect(error?.hint == Self.hint)
    }
}
