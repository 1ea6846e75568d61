import FeatureCodec
import FeatureModel
import Testing

@Suite struct OnlineRowTests {
    private static let scalars: [ScalarType] = [
        .bool, .int32, .int64, .float32, .float64, .string, .bytes, .timestamp, .date,
    ]

    private static func schema(_ version: Int32, _ types: [ValueType]) -> ViewSchema {
        ViewSchema(
            version: version, joinKeys: [],
            features: types.enumerated().map { index, type in
                FeatureSchema(
                    id: Int32(index + 1), name: "feature_\(index)", type: type, isNullable: true, defaultValue: nil)
            })
    }

    private static let everyType = schema(
        7, scalars.map { .scalar($0) } + scalars.map { .array($0) } + [.vector(dimension: 3)])

    private struct Row {
        let schema: ViewSchema
        let order: RowOrder
        /// Nil for a tombstone.
        let values: [Value]?
    }

    private static func order(_ eventTime: Int64, _ recorded: Int64, _ sequence: Int64, _ version: Int32) -> RowOrder {
        RowOrder(
            eventTime: Timestamp(microsecondsSince1970: eventTime),
            recordedTime: Timestamp(microsecondsSince1970: recorded), sequence: sequence, schemaVersion: version)
    }

    private static let order7 = order(1_357_016_400_000_000, .min, 77, 7)

    private static func time(_ microseconds: Int64) -> Value {
        .timestamp(Timestamp(microsecondsSince1970: microseconds))
    }

    private static func day(_ days: Int32) -> Value { .date(CalendarDate(daysSince1970: days)) }

    /// In both formats.
    private static let golden: [String: Row] = [
        "every_type": Row(
            schema: everyType, order: order7,
            values: [
                .bool(true), .int32(-2), .int64(3_000_000_000), .float32(0.5), .float64(-0.0), .string("Zürich"),
                .bytes([0, 0xFF]), time(1_357_016_400_000_001), day(15_706),
                .array([.bool(true), .bool(false)]), .array([.int32(-1), .int32(2)]), .array([.int64(.min)]),
                .array([.float32(1.5)]), .array([.float64(0.1), .float64(1e300)]),
                .array([.string("a"), .string(""), .string("bc")]), .array([.bytes([0])]), .array([time(-1)]),
                .array([day(0), day(-1)]), .vector([1, -2, 0.25]),
            ]),
        "all_null": Row(schema: everyType, order: order7, values: Array(repeating: .null, count: 19)),
        "edges": Row(
            schema: everyType, order: order7,
            values: [
                .bool(false), .int32(.min), .int64(.max), .float32(.nan), .float64(.nan), .string(""), .bytes([]),
                time(.min), day(.max), .array([]), .array([]), .array([]), .array([.float32(-.infinity)]),
                .array([.float64(.infinity)]), .array([]), .array([.bytes([]), .bytes([])]), .array([]), .array([]),
                .null,
            ]),
        "tombstone": Row(schema: everyType, order: order7, values: nil),
        "no_features": Row(schema: schema(1, []), order: order(0, 0, 1, 1), values: []),
        "eight_bools": Row(
            schema: schema(2, Array(repeating: .bool, count: 8)), order: order(0, 0, 1, 2),
            values: [
                .bool(true), .null, .bool(true), .bool(true), .bool(false), .bool(false), .bool(true), .null,
            ]),
    ]

    /// In format 2 only: its header has many lengths.
    private static let headers: [String: Row] = [
        "shortest": Row(schema: schema(1, []), order: order(.min, .min, 1, 1), values: []),
        "recorded_tombstone": Row(
            schema: schema(1, []), order: order(1_357_016_400_000_000, 1_357_016_401_000_000, 1, 1), values: nil),
        "long_sequence": Row(
            schema: schema(3, []), order: order(1_357_016_400_000_000, .min, 1_234_567_890_123, 3), values: []),
        "sign_byte": Row(schema: schema(128, []), order: order(1_357_016_400_000_000, .min, 128, 128), values: []),
        "version_300": Row(
            schema: schema(300, []), order: order(1_357_016_400_000_000, .min, 65_536, 300), values: []),
        "negative": Row(schema: schema(-4, []), order: order(-1, -2, -3, -4), values: []),
        "long_negative": Row(schema: schema(-32_769, []), order: order(-1, -2, -129, -32_769), values: []),
        "longest": Row(schema: schema(.max, []), order: order(.max, .max, .max, .max), values: []),
        "least": Row(schema: schema(.min, []), order: order(.min, .min + 1, .min, .min), values: []),
    ]

    private static func encode(_ row: Row) throws -> [UInt8] {
        var out: [UInt8] = []
        guard let values = row.values else {
            OnlineRowHeader(order: row.order, isTombstone: true).append(to: &out)
            return out
        }
        let columns = try zip(row.schema.features, values).map { try column($0.0.type, [.null, $0.1]) }
        let encoder = OnlineRowEncoder(layout: OnlineRowLayout(schema: row.schema), columns: columns)
        try encoder.encode(row: 1, order: row.order, into: &out)
        return out
    }

    private static func decode(_ bytes: [UInt8], _ schema: ViewSchema) throws -> Row {
        try withBody(of: bytes) { header, body in
            guard !header.isTombstone else { return Row(schema: schema, order: header.order, values: nil) }
            let reader = try OnlineRowReader(body, layout: OnlineRowLayout(schema: schema))
            let values = schema.features.indices.map { reader.value($0, in: body) }
            return Row(schema: schema, order: header.order, values: values)
        }
    }

    private static func expectDecodes(_ bytes: [UInt8], to row: Row, _ name: String) throws {
        let decoded = try decode(bytes, row.schema)
        #expect(decoded.values == row.values, "\(name)")
        #expect(decoded.order == row.order, "\(name)")
    }

    @Test("golden vectors of format 2 encode and decode")
    func goldenVectorsHold() throws {
        let vectors = try goldenVectors("online-rows-2.txt")
        let rows = Self.golden.merging(Self.headers) { first, _ in first }
        #expect(Set(vectors.keys) == Set(rows.keys))
        for (name, row) in rows {
            let bytes = try #require(vectors[name])
            #expect(try Self.encode(row) == bytes, "\(name)")
            try Self.expectDecodes(bytes, to: row, name)
            let header = try withSpan(bytes) { try OnlineRowHeader(of: $0) }
            #expect(header == OnlineRowHeader(order: row.order, isTombstone: row.values == nil), "\(name)")
        }
    }

    @Test("golden vectors of format 1, which nothing writes any more, decode")
    func firstFormatDecodes() throws {
        let vectors = try goldenVectors("online-rows.txt")
        #expect(Set(vectors.keys) == Set(Self.golden.keys))
        for (name, row) in Self.golden {
            let bytes = try #require(vectors[name])
            try Self.expectDecodes(bytes, to: row, name)
            let header = try withSpan(bytes) { try OnlineRowHeader(of: $0) }
            #expect(header.isTombstone == (row.values == nil) && header.byteCount == 30, "\(name)")
            // The body is the same, and the tests' own format 1 is what it was.
            #expect(try inFirstFormat(Self.encode(row)) == bytes, "\(name)")
        }
    }

    @Test("rows of random schemas come back as they went in, whatever null rows hold underneath")
    func roundTrip() throws {
        for seed in UInt64(1)...300 {
            var random = SeededGenerator(state: seed)
            let choices = Self.everyType.features.map(\.type)
            let types = (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in
                choices.randomElement(using: &random)
            }
            let schema = Self.schema(3, types)
            let columns = try types.map { type in try column(type, (0..<4).map { _ in .random(of: type, &random) }) }
            let encoder = OnlineRowEncoder(layout: OnlineRowLayout(schema: schema), columns: columns)
            for row in 0..<4 {
                var bytes: [UInt8] = []
                try encoder.encode(row: row, order: Self.order(1, 2, 3, 3), into: &bytes)
                #expect(try Self.decode(bytes, schema).values == columns.map { $0[row] }, "seed \(seed) row \(row)")
            }
        }
    }

    @Test("typed reads give what was stored")
    func typedReads() throws {
        let bytes = try #require(try goldenVectors("online-rows-2.txt")["every_type"])
        try withBody(of: bytes) { _, body in
            let reader = try OnlineRowReader(body, layout: OnlineRowLayout(schema: Self.everyType))
            #expect(reader.bool(0, in: body) && reader.int32(1, in: body) == -2)
            #expect(reader.int64(2, in: body) == 3_000_000_000 && reader.float32(3, in: body) == 0.5)
            #expect(reader.float64(4, in: body).bitPattern == (-0.0).bitPattern)
            let name = reader.withBytes(5, in: body) { run in
                unsafe run.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
            }
            #expect(name == "Zürich")
            #expect(reader.int64(7, in: body) == 1_357_016_400_000_001 && reader.int32(8, in: body) == 15_706)
        }
    }
}

// Bytes that nobody should have written.
extension OnlineRowTests {
    @Test("a value cut short or with bytes after it is refused")
    func wrongLength() throws {
        for (name, row) in Self.golden {
            let encoded = try Self.encode(row)
            for bytes in [encoded, try inFirstFormat(encoded)] {
                for length in 0..<bytes.count {
                    #expect(throws: CodecError.self, "\(name) cut to \(length)") {
                        try Self.decode(Array(bytes.prefix(length)), row.schema)
                    }
                }
                #expect(throws: CodecError.self, "\(name)") { try Self.decode(bytes + [0], row.schema) }
            }
        }
    }

    @Test("an unknown format and an unknown flag are told apart")
    func unknown() throws {
        let row = try #require(Self.golden["eight_bools"])
        let bytes = try Self.encode(row)
        #expect(throws: CodecError.unknownFormat(0)) { try Self.decode([0] + bytes.dropFirst(), row.schema) }
        #expect(throws: CodecError.unknownFormat(3)) { try Self.decode([3] + bytes.dropFirst(), row.schema) }
        #expect(throws: CodecError.unknownFlags(0x82)) { try Self.decode([2, 0x82] + bytes.dropFirst(2), row.schema) }
        let former = try inFirstFormat(bytes)
        #expect(throws: CodecError.unknownFlags(2)) { try Self.decode([1, 2] + former.dropFirst(2), row.schema) }
    }

    @Test("unused bits of the null bitmap must be zero")
    func unusedBits() throws {
        var bytes = try #require(try goldenVectors("online-rows-2.txt")["every_type"])
        bytes[OnlineRowHeader(order: Self.order7, isTombstone: false).byteCount + 2] |= 0x80
        #expect(throws: CodecError.malformed) { try Self.decode(bytes, Self.everyType) }
    }

    @Test("a changed byte gives an error or some row, and never a trap")
    func flippedBytes() throws {
        for (name, row) in Self.golden {
            let encoded = try Self.encode(row)
            for bytes in [encoded, try inFirstFormat(encoded)] {
                var refused = 0
                for index in bytes.indices {
                    for change: UInt8 in [0x01, 0x80, 0xFF] {
                        var changed = bytes
                        changed[index] ^= change
                        do { _ = try Self.decode(changed, row.schema) } catch is CodecError { refused += 1 }
                    }
                }
                #expect(refused > 0, "\(name)")
            }
        }
        let everyType = try #require(try goldenVectors("online-rows-2.txt")["every_type"])
        let headerByteCount = OnlineRowHeader(order: Self.order7, isTombstone: false).byteCount
        for seed in UInt64(1)...2_000 {
            var random = SeededGenerator(state: seed)
            var bytes = everyType
            for _ in 0..<4 {
                let index = Int.random(in: headerByteCount..<bytes.count, using: &random)
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            do { _ = try Self.decode(bytes, Self.everyType) } catch is CodecError {}
        }
    }
}
