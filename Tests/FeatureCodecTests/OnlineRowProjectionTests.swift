import FeatureCodec
import FeatureModel
import Testing

@Suite struct OnlineRowProjectionTests {
    private static func feature(_ id: Int32, _ type: ValueType, default value: Value? = nil) -> FeatureSchema {
        FeatureSchema(id: id, name: "feature_\(id)", type: type, isNullable: true, defaultValue: value)
    }

    /// Version 1 wrote narrow numbers; version 2 reads them wide, dropped feature 3, and has two new ones.
    private static let first = ViewSchema(
        version: 1, joinKeys: [], features: [feature(1, .int32), feature(2, .float32), feature(3, .string)])
    private static let second = ViewSchema(
        version: 2, joinKeys: [],
        features: [
            feature(5, .string), feature(4, .array(.int64), default: .array([.int64(9)])), feature(2, .float64),
            feature(1, .int64),
        ])
    private static let layouts = [
        first.version: OnlineRowLayout(schema: first), second.version: OnlineRowLayout(schema: second),
    ]

    private static func value(_ schema: ViewSchema, _ values: [Value]) throws -> [UInt8] {
        let columns = try zip(schema.features, values).map { try column($0.0.type, [$0.1]) }
        let layout = try #require(layouts[schema.version])
        let order = RowOrder(
            eventTime: Timestamp(microsecondsSince1970: 1), recordedTime: .negativeInfinity, sequence: 1,
            schemaVersion: schema.version)
        var out: [UInt8] = []
        try OnlineRowEncoder(layout: layout, columns: columns).encode(row: 0, order: order, into: &out)
        return out
    }

    private static func read(
        _ values: [[UInt8]], ids: [Int32], reader: ViewSchema = second
    ) throws -> (columns: [Column], statuses: [[FeatureStatus]]) {
        let projection = try OnlineRowProjection(reader: reader, featureIDs: ids, layouts: layouts)
        var columns = projection.features.map { Column(type: $0.type) }
        var statuses = [[FeatureStatus]](repeating: [], count: ids.count)
        for value in values {
            try withBody(of: value) { header, body in
                let plan = try #require(projection.position(ofVersion: header.order.schemaVersion))
                try projection.append(body, plan: plan, to: &columns, statuses: &statuses)
            }
        }
        return (columns, statuses)
    }

    @Test("features are found by id under the version they were written with, and widened")
    func widening() throws {
        let old = try Self.value(Self.first, [.int32(-5), .float32(0.1), .string("gone")])
        let new = try Self.value(Self.second, [.string("x"), .array([]), .float64(0.1), .int64(1 << 40)])
        let (columns, statuses) = try Self.read([old, new, old], ids: [1, 2])
        #expect(columns[0] == (try column(.int64, [.int64(-5), .int64(1 << 40), .int64(-5)])))
        #expect(columns[1][0] == .float64(Double(Float(0.1))) && columns[1][1] == .float64(0.1))
        #expect(statuses == [[.present, .present, .present], [.present, .present, .present]])
    }

    @Test("what the writer's version did not have is its default or null, and DEFAULTED")
    func filledIn() throws {
        let old = try Self.value(Self.first, [.null, .float32(1), .string("")])
        let (columns, statuses) = try Self.read([old], ids: [4, 5, 1])
        #expect(columns.map { $0[0] } == [.array([.int64(9)]), .null, .null])
        #expect(statuses == [[.defaulted], [.defaulted], [.nullValue]])
    }

    @Test("a feature may be asked for twice, and none at all")
    func repetition() throws {
        let new = try Self.value(Self.second, [.string("x"), .null, .null, .null])
        let (columns, statuses) = try Self.read([new], ids: [5, 5])
        #expect(columns.map { $0[0] } == [.string("x"), .string("x")])
        #expect(statuses == [[.present], [.present]])
        #expect(try Self.read([new], ids: []).columns.isEmpty)
    }

    @Test("a malformed body adds nothing, and an unknown version has no plan")
    func refusedBodies() throws {
        let projection = try OnlineRowProjection(
            reader: Self.second, featureIDs: [1], layouts: [2: OnlineRowLayout(schema: Self.second)])
        let value = try Self.value(Self.second, [.string("x"), .null, .null, .int64(1)])
        var columns = [Column(type: .int64)]
        var statuses: [[FeatureStatus]] = [[]]
        #expect(throws: CodecError.wrongLength) {
            try withBody(of: value + [0]) { _, body in
                try projection.append(body, plan: 0, to: &columns, statuses: &statuses)
            }
        }
        #expect(columns[0].count == 0 && statuses == [[]])
        #expect(projection.position(ofVersion: 1) == nil && projection.position(ofVersion: 2) == 0)
        #expect(projection.plans.map(\.sources) == [[.stored(3)]])
    }

    @Test("a narrower reader or a feature of no reader is refused when the projection is made")
    func refusals() {
        #expect(throws: LarderError.self) { try Self.read([], ids: [99]) }
        #expect(throws: LarderError.self) { try Self.read([], ids: [1], reader: Self.first) }
    }
}
