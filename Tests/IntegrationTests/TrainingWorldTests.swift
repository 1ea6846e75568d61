import FeatureDefinitions
import FeatureModel
import FeatureService
import PointInTime
import PostgresClient
import Registry
import Testing

@testable import OfflineStore

/// Random worlds of the oracle, written to offline tables and joined from there.
@Suite struct TrainingWorldTests {
    private static let worldCount = 120

    private struct Disagreement: Error, CustomStringConvertible {
        let description: String
    }

    /// What the worlds were made for and has to have come up.
    private struct Tally {
        var statuses: [AsOfStatus: Int] = [:]
        var keyTypes: Set<ValueType> = []
        var widenedKeys = 0
        var withdrawnRows = 0
        var awkwardKeys = 0
        /// Worlds by what there is in their tables.
        var contents: [HistoryContent: Int] = [:]
    }

    @Test(arguments: JoinStrategy.allCases, [1, 3])
    func `offline tables joined to a spine agree with the oracle, row by row`(
        strategy: JoinStrategy, parts: Int
    ) async throws {
        try await LarderFixture.run { larder in
            var tally = Tally()
            try await larder.stores.owner.withConnection { owner in
                try await larder.stores.writer.withConnection { writer in
                    try await owner.execute(
                        "INSERT INTO larder.project (id, name, revision, created_at) VALUES (1, 'worlds', 0, now())")
                    try await OfflineTableDefinition.createSchema(projectID: 1, projectName: "worlds", on: owner)
                    for seed in 1...UInt64(Self.worldCount) {
                        let world = OfflineWorld(seed: seed)
                        try await world.write(owner: owner, writer: writer)
                        try await check(world, strategy: strategy, parts: parts, reader: writer, &tally)
                    }
                }
            }
            for status in AsOfStatus.allCases { #expect(tally.statuses[status, default: 0] > 15, "\(status)") }
            #expect(tally.keyTypes == [.int32, .int64, .string, .bytes, .date, .bool])
            #expect(tally.widenedKeys > 5 && tally.withdrawnRows > 100 && tally.awkwardKeys > 50)
            for (hasTombstones, hasWithdrawnRows) in [(false, false), (false, true), (true, false), (true, true)] {
                let content = HistoryContent(hasTombstones: hasTombstones, hasWithdrawnRows: hasWithdrawnRows)
                #expect(tally.contents[content, default: 0] > 3, "\(content)")
            }
        }
    }

    private func check(
        _ world: OfflineWorld, strategy: JoinStrategy, parts: Int, reader: PostgresConnection, _ tally: inout Tally
    ) async throws {
        let types = zip(world.joinKeys, world.spineKeyTypes).map { JoinKey(name: $0.name, type: $1) }
        let spine = try SpineIndex(
            joinKeys: types, keyColumns: world.spineKeyColumns(), timestamps: world.spineTimestamps)
        let history = ViewHistory(table: world.table, schema: world.schema, rule: world.rule)
        try await reader.transaction(isolation: .repeatableRead) { reader in
            // With all conditions, and without those that nothing in the world needs.
            let simplified = try await history.simplified(on: reader)
            guard simplified.content == world.content else {
                throw Disagreement(description: "seed \(world.seed) has \(world.content), not \(simplified.content)")
            }
            var join = PartJoin(on: reader)
            for history in [history, simplified] {
                var result = AsOfResult(spine: spine, featureTypes: world.featureTypes)
                for groups in spine.groupRanges(count: parts) {
                    let done = try await join.join(history, to: spine, spineNumber: 0, groups: groups, by: strategy)
                    result.add(done.part, of: spine)
                }
                try Self.compare(result, world, "\(strategy) in \(parts) parts, \(history.content)", &tally)
            }
        }
        tally.contents[world.content, default: 0] += 1
        tally.keyTypes.formUnion(world.joinKeys.map(\.type))
        if types.map(\.type) != world.joinKeys.map(\.type) { tally.widenedKeys += 1 }
        tally.withdrawnRows += world.decoys.count
        tally.awkwardKeys += world.awkwardKeyCount
    }

    private static func compare(
        _ result: AsOfResult, _ world: OfflineWorld, _ way: String, _ tally: inout Tally
    ) throws {
        let columns = world.featureTypes.indices.map { result.column($0) }
        for row in world.spineKeys.indices {
            let expected = NaiveOracle.answer(
                keys: world.spineKeys[row], at: world.spineTimestamps[row], history: world.history, rule: world.rule,
                featureCount: world.featureTypes.count)
            let status = result.statusOfRow[row]
            let time = status == .found || status == .outsideMaxAge ? result.eventTimeOfRow[row] : nil
            let values = columns.map { $0[row] }
            guard status == expected.status, values == expected.features, time == expected.eventTime else {
                throw Disagreement(
                    description: """
                        seed \(world.seed), \(way), spine row \(row), \(world.rule): keys \(world.spineKeys[row]) at \
                        \(world.spineTimestamps[row]) gave \(status) \(values), the oracle says \(expected)
                        """)
            }
            tally.statuses[status, default: 0] += 1
        }
    }
}

/// A random world in an offline table of its own, among withdrawn rows that must not count.
private struct OfflineWorld {
    /// String keys that array text, SQL text or a locale would mistake for something else.
    private static let awkward = [
        "NULL", "null", "{a,b}", "a\"b", "a\\b", "o'clock", " ", "a b", "\n", "\t,", "B", "b", "Z", "ä", "_", "-",
        "\\N", "{}",
        "''", "$1", "%s", "\u{FEFF}x",
    ]

    let seed: UInt64
    let joinKeys: [JoinKey]
    let rule: JoinRule
    let spineKeys: [[Value]]
    let spineKeyTypes: [ValueType]
    let spineTimestamps: [Int64]
    let history: [OracleRow]
    let decoys: [OracleRow]
    let schema: ViewSchema
    let table: OfflineTable
    private let view: RegisteredFeatureView

    init(seed: UInt64) {
        let world = RandomWorld(seed: seed)
        var random = SplitMix64(seed: seed)
        let texts = Set((world.spineKeys + world.history.map(\.keys)).joined().compactMap(\.utf8))
        let replacements = Dictionary(
            uniqueKeysWithValues: zip(
                texts.sorted { $0.lexicographicallyPrecedes($1) }, Self.awkward.shuffled(using: &random)))
        // Half of the worlds keep the look-alikes they were made with.
        func key(_ value: Value) -> Value {
            guard seed.isMultiple(of: 2), let text = value.utf8 else { return value }
            return replacements[text].map(Value.string) ?? value
        }
        self.seed = seed
        joinKeys = world.joinKeys
        rule = world.rule
        spineKeys = world.spineKeys.map { $0.map(key) }
        spineKeyTypes = world.spineKeyTypes
        spineTimestamps = world.spineTimestamps
        // Some worlds have no tombstones, some no withdrawn rows, and some neither.
        let mayHaveTombstones = !seed.isMultiple(of: 3)
        let mayHaveDecoys = !seed.isMultiple(of: 4)
        history = world.history.map { row in
            var row = row
            row.keys = row.keys.map(key)
            row.features = row.features.map(\.withoutNUL)
            row.isTombstone = row.isTombstone && mayHaveTombstones
            return row
        }
        decoys = history.filter { _ in Bool.random(using: &random) && mayHaveDecoys }.map { row in
            var decoy = row
            decoy.sequence += 1_000
            decoy.isTombstone = Bool.random(using: &random) && mayHaveTombstones
            return decoy
        }
        schema = ViewSchema(
            version: 1, joinKeys: joinKeys,
            features: world.featureTypes.enumerated().map { index, type in
                FeatureSchema(
                    id: Int32(index + 1), name: "feature_\(index)", type: type, isNullable: true, defaultValue: nil)
            })
        let features = schema.features.map { RegisteredFeature(schema: $0) }
        // All of one shape: here the version only orders rows.
        let versions = Set(history.map(\.schemaVersion)).union([1]).sorted()
        view = RegisteredFeatureView(
            id: Int64(seed), name: "world_\(seed)", currentGeneration: 1,
            generations: [
                GenerationState(
                    number: 1, computationHash: "", entityIDs: [], entityNames: [], joinKeys: joinKeys, sourceID: 0,
                    sourceName: "raw")
            ],
            versions: versions.map { version in
                ViewVersion(
                    version: version, generation: 1, features: features, shapeHash: "", computationHash: "")
            },
            nextFeatureID: 9)
        table = OfflineTable(view: view, generation: 1)
    }

    var featureTypes: [ValueType] { schema.features.map(\.type) }

    /// What its table has.
    var content: HistoryContent {
        HistoryContent(
            hasTombstones: (history + decoys).contains(where: \.isTombstone), hasWithdrawnRows: !decoys.isEmpty)
    }

    /// Integer keys may come in the other width.
    func spineKeyColumns() -> [Column] {
        spineKeyTypes.indices.map { index in
            var column = Column(type: spineKeyTypes[index])
            for keys in spineKeys {
                switch (keys[index], spineKeyTypes[index]) {
                case (.int64(let value), .int32): column.append(int32: Int32(value))
                case (.int32(let value), .int64): column.append(int64: Int64(value))
                case (let value, _): column.append(value)
                }
            }
            return column
        }
    }

    var awkwardKeyCount: Int {
        history.flatMap(\.keys).compactMap(\.utf8).count { text in Self.awkward.contains { $0.utf8.elementsEqual(text) }
        }
    }

    func write(owner: PostgresConnection, writer: PostgresConnection) async throws {
        try await owner.transaction(isolation: .readCommitted) { owner in
            try await OfflineTableDefinition(view: view, generation: view.generations[0], projectID: 1).create(
                on: owner)
        }
        try await copy(history, writeID: 1, on: writer)
        try await copy(decoys, writeID: 2, on: writer)
        try await writer.execute("UPDATE \(query: table.table) SET withdrawn_by = 7 WHERE write_id = 2")
    }

    private func copy(_ rows: [OracleRow], writeID: Int64, on connection: PostgresConnection) async throws {
        let keys = schema.joinKeys.indices.map(OfflineTable.keyColumn)
        let features = schema.features.map(table.column)
        let system: [PostgresQuery] = [
            "event_timestamp", "recorded_timestamp", "sequence", "schema_version", "write_id", "ingested_at",
            "is_deleted",
        ]
        var encoder = PostgresCopyEncoder()
        for row in rows {
            encoder.beginRow(fieldCount: keys.count + system.count + features.count)
            for (value, key) in zip(row.keys, schema.joinKeys) { try append(value, as: key.storedType, to: &encoder) }
            try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: row.eventTime))
            try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: row.recordedTime))
            encoder.append(int64: row.sequence)
            encoder.append(int32: row.schemaVersion)
            encoder.append(int64: writeID)
            try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: row.arrival))
            encoder.append(bool: row.isTombstone)
            for (value, feature) in zip(row.features, schema.features) {
                try append(value, as: feature.type, to: &encoder)
            }
        }
        encoder.finish()
        let columns = (keys + system + features).joined(separator: ", ")
        let copy = try await connection.beginCopyIn(
            "COPY \(query: table.table) (\(query: columns)) FROM STDIN (FORMAT binary)")
        try await copy.write(encoder.take())
        _ = try await copy.finish()
    }

    private func append(_ value: Value, as type: ValueType, to encoder: inout PostgresCopyEncoder) throws {
        var column = Column(type: type)
        if case .int32(let narrow) = value, type == .int64 {
            column.append(int64: Int64(narrow))
        } else {
            column.append(value)
        }
        try encoder.append([column], row: 0)
    }
}

extension Value {
    fileprivate var utf8: [UInt8]? {
        if case .string(let text) = self { Array(text.utf8) } else { nil }
    }

    /// No text of PostgreSQL's holds a NUL.
    fileprivate var withoutNUL: Value {
        switch self {
        case .string(let text): .string(String(decoding: text.utf8.map { $0 == 0 ? 0x30 : $0 }, as: UTF8.self))
        case .array(let elements): .array(elements.map(\.withoutNUL))
        default: self
        }
    }
}
