import FeatureDefinitions
import FeatureModel
import FeatureService

/// A project with features of every type, views of one key, of several and of none, and rows of two versions: fresh, too old,
/// gone, and full of nulls.
enum VariedProject {
    static var setup: Fixture.Setup {
        Fixture.Setup(project: project, rows: rows)
    }

    static func limitedSetup(_ limits: ServingLimits) -> Fixture.Setup {
        Fixture.Setup(project: project, rows: rows, limits: limits)
    }

    // MARK: Views

    /// Its second version reads rows of the first: two features widened, one renamed, one gone, and defaults of many types.
    static let scores = view(
        1, "scores", keys: [JoinKey(name: "id", type: .int64)], ttl: 6 * Fixture.hour,
        [
            [
                feature(1, "small", .int32), feature(2, "ratio", .float32), feature(3, "label", .string),
                feature(4, "gone", .bool),
            ],
            [
                feature(1, "small", .int64), feature(2, "ratio", .float64),
                feature(3, "title", .string, aliases: ["label"]), feature(5, "added", .int64, .int64(7)),
                feature(6, "extra", .float64), feature(7, "flag", .bool, .bool(true)),
                feature(8, "mood", .string, .string("né\"w\n")), feature(9, "rate", .float64, .float64(-0.0)),
                feature(10, "odd", .float32, .float32(.nan)),
                feature(11, "since", .timestamp, .timestamp(Fixture.noon)),
                feature(12, "born", .date, .date(CalendarDate(daysSince1970: 1))),
                feature(13, "raw", .bytes, .bytes([0, 255])),
                feature(14, "list", .array(.int64), .array([.int64(1), .int64(2)])),
                feature(15, "texts", .array(.string), .array([.string("a"), .string("\"")])),
                feature(16, "spot", .vector(dimension: 2)), feature(17, "few", .int32, .int32(-1)),
            ],
        ])

    /// Features of every type, and lists of them.
    static let facts = view(
        2, "facts", keys: [JoinKey(name: "user_id", type: .int64), JoinKey(name: "region", type: .string)],
        ttl: 12 * Fixture.hour, [factFeatures])

    private static var factFeatures: [RegisteredFeature] {
        var features: [RegisteredFeature] = []
        for (index, type) in ScalarType.allCases.enumerated() {
            features.append(feature(Int32(index + 1), "one_\(type)", .scalar(type)))
            features.append(feature(Int32(index + 21), "many_\(type)", .array(type)))
        }
        features.append(feature(41, "point", .vector(dimension: 3)))
        return features
    }

    static let site = view(
        3, "site", keys: [], ttl: nil, [[feature(1, "load", .float32), feature(2, "motto", .string)]])

    static let flags = view(
        4, "flags", keys: [JoinKey(name: "active", type: .bool), JoinKey(name: "code", type: .int32)],
        ttl: 6 * Fixture.hour, [[feature(1, "weight", .float64), feature(2, "hits", .int64)]])

    static let days = view(
        5, "days", keys: [JoinKey(name: "on_day", type: .date)], ttl: nil, [[feature(1, "visits", .int64)]])

    static let files = view(
        6, "files", keys: [JoinKey(name: "digest", type: .bytes)], ttl: nil, [[feature(1, "size", .int64)]])

    static let unpublished = view(
        7, "unpublished", keys: [JoinKey(name: "id", type: .int64)], ttl: nil, [[feature(1, "x", .int64)]])

    static let hidden = view(
        8, "hidden", keys: [JoinKey(name: "id", type: .int64)], ttl: nil, isOnline: false, [[feature(1, "y", .int64)]])

    private static func view(
        _ id: Int64, _ name: String, keys: [JoinKey], ttl: Int64?, isOnline: Bool = true,
        _ versions: [[RegisteredFeature]]
    ) -> RegisteredFeatureView {
        RegisteredFeatureView(
            id: id, name: name, ttlMicroseconds: ttl, isOnline: isOnline, currentGeneration: 1,
            generations: [
                GenerationState(
                    number: 1, computationHash: "", entityIDs: keys.isEmpty ? [] : [10 + id],
                    entityNames: keys.isEmpty ? [] : ["thing"], joinKeys: keys, sourceID: 21, sourceName: "raw")
            ],
            versions: versions.enumerated().map {
                ViewVersion(
                    version: Int32($0 + 1), generation: 1, features: $1, shapeHash: "", computationHash: "")
            }, nextFeatureID: 99)
    }

    private static func feature(
        _ id: Int32, _ name: String, _ type: ValueType, _ fill: Value? = nil, aliases: [String] = []
    ) -> RegisteredFeature {
        RegisteredFeature(
            schema: FeatureSchema(id: id, name: name, type: type, isNullable: true, defaultValue: fill),
            aliases: aliases)
    }

    // MARK: The project

    static let views = [scores, facts, site, flags, days, files, unpublished, hidden]

    static let project = RegisteredProject(
        id: 1, name: "shop", revision: 5,
        entities: views.filter { !$0.generations[0].joinKeys.isEmpty }.map {
            RegisteredEntity(id: 10 + $0.id, name: "thing_\($0.id)", joinKeys: $0.generations[0].joinKeys)
        },
        featureViews: views.sorted { $0.name < $1.name },
        featureServices: [
            RegisteredFeatureService(
                id: 31, name: "mix",
                references: [
                    reference(facts, 1, facts.versions[0].features.map(\.name)), reference(scores, 2, ["ratio"]),
                    reference(flags, 1, ["hits"]),
                ]),
            RegisteredFeatureService(
                id: 32, name: "pair",
                references: [
                    reference(scores, 2, ["small", "title"]),
                    reference(scores, 2, ["small", "title"], alias: "other", ["id": "other_id"]),
                    reference(site, 1, ["load"]),
                ]),
        ])

    private static func reference(
        _ view: RegisteredFeatureView, _ version: Int, _ names: [String], alias: String? = nil,
        _ keys: [String: String] = [:]
    ) -> ServiceReference {
        ServiceReference(
            viewID: view.id, viewName: view.name, alias: alias, version: Int32(version),
            featureIDs: names.compactMap { view.versions[version - 1].feature(named: $0)?.id }, featureNames: names,
            joinKeyMapping: keys)
    }

    // MARK: Rows

    /// The row of this score lies further ahead of the clock than a row may.
    static let aheadID: Int64 = 999
    static let scoreIDs: Range<Int64> = 0..<40
    static let userIDs: [Int64] = [1, 2, 9_007_199_254_740_993]
    static let regions = ["eu", "us", "Zürich", "日本 🛫", "", "a/b", "tab\u{7F}"]

    static let rows: [(RegisteredFeatureView, [Fixture.Row])] = {
        var generator = SeededGenerator(seed: 1)
        var scoreRows = scoreIDs.map { id in
            row(scores, [.int64(id)], age: age(id, ttl: 6 * Fixture.hour), version: 1 + Int(id % 2), &generator)
        }
        for index in scoreRows.indices where index % 10 == 3 { scoreRows[index].isTombstone = true }
        scoreRows.append(row(scores, [.int64(aheadID)], age: -60_000_001, version: 2, &generator))
        var factRows: [Fixture.Row] = []
        for (index, region) in regions.enumerated() {
            for user in userIDs {
                let rowAge = age(Int64(index), ttl: 12 * Fixture.hour)
                // By the names of the keys: region before user_id.
                factRows.append(row(facts, [.string(region), .int64(user)], age: rowAge, &generator))
            }
        }
        var flagRows: [Fixture.Row] = []
        for code in Int32(-1)...4 {
            for isActive in [true, false] {
                flagRows.append(row(flags, [.bool(isActive), .int32(code)], age: Int64(code + 1), &generator))
            }
        }
        return [
            (scores, scoreRows), (facts, factRows), (flags, flagRows),
            (site, [Fixture.Row(keys: [], age: nil, features: [.float32(0.1), .string("all \\ \"well\"")])]),
            (days, [row(days, [.date(CalendarDate(daysSince1970: 15_706))], age: nil, &generator)]),
            (files, [row(files, [.bytes([0, 255])], age: nil, &generator)]),
        ]
    }()

    private static func row(
        _ view: RegisteredFeatureView, _ keys: [Value], age: Int64?, version: Int = 1,
        _ generator: inout SeededGenerator
    ) -> Fixture.Row {
        let features = view.versions[version - 1].features.map { feature in
            generator.isOneIn(4) ? Value.null : RandomFeature.value(feature.type, &generator)
        }
        return Fixture.Row(keys: keys, age: age, features: features, version: Int32(version))
    }

    /// Each way that a row can stand to its ttl, and times that several rows share.
    private static func age(_ number: Int64, ttl: Int64) -> Int64 {
        switch number % 10 {
        case 0: 0
        case 1: ttl
        case 2: ttl + 1
        case 4: ttl + MaxAge.graceMicroseconds
        case 5: ttl + MaxAge.graceMicroseconds + 1
        // Ahead of the clock, but not too far.
        case 6: -60_000_000
        case 7: Fixture.hour
        default: Fixture.hour + 1_234_500 * number
        }
    }
}

/// Values of features that have a text.
enum RandomFeature {
    static func value(_ type: ValueType, _ generator: inout SeededGenerator) -> Value {
        switch type {
        case .scalar(let scalar): value(scalar, &generator)
        case .array(let element):
            .array((0..<Int.random(in: 0...3, using: &generator)).map { _ in value(element, &generator) })
        case .vector(let dimension):
            .vector((0..<dimension).map { _ in float(&generator) })
        }
    }

    private static func value(_ type: ScalarType, _ generator: inout SeededGenerator) -> Value {
        switch type {
        case .bool: .bool(generator.isOneIn(2))
        case .int32: .int32([0, -1, .min, .max, Int32(truncatingIfNeeded: generator.next())].pick(&generator))
        case .int64: .int64([0, -1, .min, .max, Int64(truncatingIfNeeded: generator.next())].pick(&generator))
        case .float32: .float32(float(&generator))
        case .float64:
            .float64(
                [
                    .nan, .infinity, -.infinity, -0.0, 39.02, 1e16, 1e-5, .leastNonzeroMagnitude,
                    Double(bitPattern: generator.next()),
                ].pick(&generator))
        case .string:
            .string(
                ["", "a", "quote \" and \\ slash / ", "line\nfeed\t\r\u{08}\u{0C}\u{01}\u{1F}", "naïve 日本 🛫", "\u{7F}"]
                    .pick(&generator))
        case .bytes:
            .bytes(
                (0..<Int.random(in: 0...7, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                })
        case .timestamp:
            .timestamp(
                Timestamp(
                    microsecondsSince1970: [
                        0, -1, 1_357_041_600_500_000, 1_357_041_600_000_001,
                        Int64.random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &generator),
                    ].pick(&generator)))
        case .date: .date(CalendarDate(daysSince1970: Int32.random(in: -719_162...2_932_896, using: &generator)))
        }
    }

    private static func float(_ generator: inout SeededGenerator) -> Float {
        [
            .nan, .infinity, -.infinity, -0.0, 0.1, 1e8, 1e-5, .leastNonzeroMagnitude,
            Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())),
        ].pick(&generator)
    }
}
