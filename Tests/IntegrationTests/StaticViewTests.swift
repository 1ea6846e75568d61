import FeatureModel
import FeatureService
import PostgresClient
import Testing

private let definitions = """
    \(Orders.head)
    kind: source
    name: customers
    type: table
    columns: [{name: customer_id, type: int64, nullable: false}, {name: tier, type: string}]
    row_key: [customer_id]
    ---
    kind: feature_view
    name: spending
    entities: [customer]
    source: orders
    features: [{name: amount, type: float64}]
    ---
    kind: feature_view
    name: profile
    entities: [customer]
    source: customers
    features: [{name: tier, type: string}]
    """

/// Views of sources without a timestamp, asked for their changes.
@Suite struct StaticViewTests {
    private func withData(_ body: (LarderFixture) async throws -> Void) async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions)
            try await larder.ingest("orders", "customer_id,at,amount\n1,2013-01-01T00:00:00Z,10\n")
            try await larder.ingest("customers", "customer_id,tier\n1,gold\n2,silver\n")
            try await larder.materialize()
            try await body(larder)
        }
    }

    /// All changes of 2013.
    private func changes() throws -> SpineSource {
        .changes(from: try instant("2013-01-01T00:00:00Z"), through: try instant("2014-01-01T00:00:00Z"))
    }

    @Test func `a static view alone has no changes in time, which is an error that names it`() async throws {
        try await withData { larder in
            let project = try await larder.project()
            let request = TrainingSetRequest(features: .references(["profile:tier"]))
            let made = await #expect(throws: LarderError.self) {
                _ = try await MakeTrainingSet(stores: larder.stores).run(
                    request, spine: try changes(), in: project, format: .csv, write: { _ in })
            }
            #expect(made?.code == .requestInvalid)
            #expect(made?.message.contains("\"profile\" is static: it has no changes in time") == true)
            let queued = await #expect(throws: LarderError.self) {
                _ = try await TrainingSetJobs(stores: larder.stores).enqueue(
                    request, spine: try changes(), format: .csv, contentType: "text/csv", in: project)
            }
            #expect(queued == made)
            #expect(try await larder.count("larder.job") == 0)
        }
    }

    @Test func `a static view stands beside the changes of another view`() async throws {
        try await withData { larder in
            var bytes: [UInt8] = []
            _ = try await MakeTrainingSet(stores: larder.stores).run(
                TrainingSetRequest(features: .references(["profile:tier", "spending:amount"])), spine: try changes(),
                in: try await larder.project(), format: .csv, write: { bytes += $0 })
            #expect(
                String(decoding: bytes, as: UTF8.self)
                    == "customer_id,event_timestamp,tier,amount\n1,2013-01-01T00:00:00Z,gold,10.0\n")
        }
    }
}
