import FeatureCodec
import FeatureModel
import Testing

/// Fields that are found once against the reader that looks each one up, over random schemas, versions and rows.
@Suite struct OnlineFieldTests {
    private static let types: [ValueType] =
        ScalarType.allCases.map { .scalar($0) } + ScalarType.allCases.map { .array($0) }
        + [.vector(dimension: 1), .vector(dimension: 4)]

    /// What a field finds in a value, in the type of the reader.
    /// - Parameter list: how an array or a vector is read.
    private static func value(_ field: OnlineField, in body: RawSpan, list: () -> Value) -> Value {
        switch field.kind {
        case .filledIn: .null
        case .bool: .bool(field.bool(in: body))
        case .int32: .int32(field.int32(in: body))
        case .widenedInt32: .int64(Int64(field.int32(in: body)))
        case .int64: .int64(field.int64(in: body))
        case .float32: .float32(field.float32(in: body))
        case .widenedFloat32: .float64(Double(field.float32(in: body)))
        case .float64: .float64(field.float64(in: body))
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: field.int64(in: body)))
        case .date: .date(CalendarDate(daysSince1970: field.int32(in: body)))
        case .string: .string(String(decoding: bytes(field, in: body), as: UTF8.self))
        case .bytes: .bytes(bytes(field, in: body))
        case .list: list()
        }
    }

    private static func bytes(_ field: OnlineField, in body: RawSpan) -> [UInt8] {
        body.extracting(field.range(in: body)).withUnsafeBytes { Array($0) }
    }

    /// Compares all fields of a plan with the reader and with what the row says; counts the kinds that were not null.
    private static func expectRight(
        _ plan: OnlineRowProjection.Plan, _ features: [FeatureSchema], _ row: WrittenRow,
        _ kinds: inout [String: Int], _ context: Comment
    ) throws {
        #expect(plan.fields.count == features.count, context)
        for (index, feature) in features.enumerated() {
            let field = plan.fields[index]
            guard let position = position(plan.sources[index]) else {
                #expect(field.kind == .filledIn && row.values[feature.id] == nil, context)
                kinds["filledIn", default: 0] += 1
                continue
            }
            let (isNull, found, read) = try withBody(of: row.bytes) { (_, body) -> (Bool, Value, Value) in
                let reader = try OnlineRowReader(body, layout: plan.layout)
                let read = reader.value(position, in: body)
                // Fields of nulls are not to be read.
                guard !field.isNull(in: body) else { return (true, .null, read) }
                return (false, Self.value(field, in: body) { read }, read)
            }
            let expected = row.expectation(of: feature)
            #expect(isNull == read.isNull, context)
            #expect(isNull == (expected.status == .nullValue), context)
            guard !isNull else { continue }
            #expect(found.isExactly(read), context)
            #expect(found.isExactly(expected.value), context)
            #expect(found.fits(feature.type), context)
            kinds["\(field.kind)", default: 0] += 1
        }
    }

    private static func position(_ source: OnlineRowProjection.Source) -> Int? {
        switch source {
        case .stored(let position), .widenedToInt64(let position), .widenedToFloat64(let position): position
        case .filledIn: nil
        }
    }

    @Test func `a field reads what the reader reads, whichever version wrote the row`() throws {
        var kinds: [String: Int] = [:]
        for seed in UInt64(1)...3_000 {
            var editor = SchemaEditor(seed: seed)
            for (reader, writer) in CompatibilityPropertyTests.pairs(&editor) {
                let promised = reader.features.filter {
                    SchemaCompatibility.obstacle(reading: $0, from: writer.shape) == nil
                }
                let projection = try OnlineRowProjection(
                    reader: reader, featureIDs: promised.map(\.id),
                    layouts: [writer.version: OnlineRowLayout(schema: writer)])
                let plan = projection.plans[0]
                for _ in 0..<2 {
                    let row = try WrittenRow.random(under: writer, &editor.random)
                    try Self.expectRight(plan, promised, row, &kinds, "seed \(seed)")
                }
            }
        }
        #expect(kinds.count == 13 && kinds.values.allSatisfy { $0 > 100 }, "\(kinds)")
    }

    @Test func `rows of many features, nulls among them, are read at every place`() throws {
        var kinds: [String: Int] = [:]
        var random = SeededGenerator(state: 1)
        for round in 0..<300 {
            let features = (0..<Int32.random(in: 1...40, using: &random)).map { index in
                FeatureSchema(
                    id: index + 1, name: "feature_\(index)", type: Self.types.randomElement(using: &random) ?? .bool,
                    isNullable: true, defaultValue: nil)
            }
            let schema = ViewSchema(version: 3, joinKeys: [], features: features)
            // In another order than they are stored in, and one of them twice.
            let asked = (features + features.prefix(1)).shuffled(using: &random)
            let projection = try OnlineRowProjection(
                reader: schema, featureIDs: asked.map(\.id), layouts: [3: OnlineRowLayout(schema: schema)])
            let row = try WrittenRow.random(under: schema, &random)
            try Self.expectRight(projection.plans[0], asked, row, &kinds, "round \(round)")
        }
        #expect(kinds.count == 10 && kinds.values.allSatisfy { $0 > 100 }, "\(kinds)")
    }

    @Test func `the plan of a version is found by its position, oldest first`() throws {
        var editor = SchemaEditor(seed: 7)
        let first = editor.first()
        let second = editor.without(id: 0, first)
        let third = editor.without(id: 0, second)
        let layouts = Dictionary(
            uniqueKeysWithValues: [third, first, second].map { ($0.version, OnlineRowLayout(schema: $0)) })
        let projection = try OnlineRowProjection(
            reader: first, featureIDs: first.features.map(\.id), layouts: layouts)
        #expect(projection.plans.map(\.layout.schema.version) == [first, second, third].map(\.version))
        for (position, schema) in [first, second, third].enumerated() {
            #expect(projection.position(ofVersion: schema.version) == position)
        }
        #expect(projection.position(ofVersion: 99) == nil)
    }
}
