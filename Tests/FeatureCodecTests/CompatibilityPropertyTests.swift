import FeatureCodec
import FeatureModel
import Testing

/// The verdicts of `SchemaCompatibility` against bytes: what it promises is read right, what it refuses would have been
/// misread.
@Suite struct CompatibilityPropertyTests {
    typealias Rule = CompatibilityViolation.Rule
    typealias Direction = CompatibilityViolation.Direction

    /// Two versions of a view, each the reader of the other's rows once.
    static func pairs(_ editor: inout SchemaEditor) -> [(reader: ViewSchema, writer: ViewSchema)] {
        let first = editor.first()
        var last = editor.next(after: first)
        for _ in 0..<Int.random(in: 0...1, using: &editor.random) { last = editor.next(after: last) }
        return [(last, first), (first, last)]
    }

    /// Reads the fields off a row's bytes and compares with what the row says they are.
    static func expectRight(
        _ fields: [FeatureSchema], of reader: ViewSchema, _ row: WrittenRow, _ context: Comment
    ) throws {
        let readings = try row.read(fields.map(\.id), by: reader)
        for (field, reading) in zip(fields, readings) {
            let expected = row.expectation(of: field)
            #expect(reading.status == expected.status, context)
            #expect(reading.value.isExactly(expected.value), context)
            #expect(reading.value.fits(field.type), context)
            #expect(field.isNullable || !reading.value.isNull, context)
        }
    }

    @Test func `what a reader is promised decodes from the writer's bytes to the right values`() throws {
        var wholeVersions = 0
        var sources: [String: Int] = [:]
        for seed in UInt64(1)...3_000 {
            var editor = SchemaEditor(seed: seed)
            for (reader, writer) in Self.pairs(&editor) {
                let promised = reader.features.filter {
                    SchemaCompatibility.obstacle(reading: $0, from: writer.shape) == nil
                }
                let canRead = SchemaCompatibility.canRead(reader.shape, rowsOf: writer.shape)
                let haveSameKeys = reader.shape.keys == writer.shape.keys
                #expect(canRead == (haveSameKeys && promised.count == reader.features.count), "seed \(seed)")
                if canRead, reader.features != writer.features { wholeVersions += 1 }
                for _ in 0..<3 {
                    let row = try WrittenRow.random(under: writer, &editor.random)
                    try Self.expectRight(promised, of: reader, row, "seed \(seed)")
                }
                for field in promised { sources[Self.kind(of: field, writer), default: 0] += 1 }
            }
        }
        #expect(wholeVersions > 500 && sources.count == 4 && sources.values.allSatisfy { $0 > 100 }, "\(sources)")
    }

    private static func kind(of field: FeatureSchema, _ writer: ViewSchema) -> String {
        guard let stored = writer.feature(id: field.id) else { return "filled in" }
        return stored.type == field.type ? "stored" : "widened to \(field.type)"
    }

    @Test func `a promised field reads the same under both versions off rows of a third that lacks it`() throws {
        var compared = 0
        for seed in UInt64(1)...1_000 {
            var editor = SchemaEditor(seed: seed)
            for (reader, writer) in Self.pairs(&editor) {
                for field in reader.features where writer.feature(id: field.id) != nil {
                    guard SchemaCompatibility.obstacle(reading: field, from: writer.shape) == nil else { continue }
                    let third = editor.without(id: field.id, writer)
                    let row = try WrittenRow.random(under: third, &editor.random)
                    let byReader = try row.read([field.id], by: reader)[0].value
                    let byWriter = try row.read([field.id], by: writer)[0].value
                    #expect(byReader.isExactly(byWriter), "seed \(seed), id \(field.id)")
                    compared += 1
                }
            }
        }
        #expect(compared > 1_000)
    }
}

// Refusals.
extension CompatibilityPropertyTests {
    @Test func `what a reader is refused would have been misread`() throws {
        var witnesses: [Rule: Int] = [:]
        for seed in UInt64(1)...3_000 {
            var editor = SchemaEditor(seed: seed)
            for (reader, writer) in Self.pairs(&editor) {
                for field in reader.features {
                    guard let rule = SchemaCompatibility.obstacle(reading: field, from: writer.shape) else { continue }
                    try Self.expectMisread(field, rule, reader, writer, &editor, "seed \(seed), id \(field.id)")
                    witnesses[rule, default: 0] += 1
                }
            }
        }
        #expect(Set(witnesses.keys) == [.added, .type, .nullability, .defaultValue])
        #expect(witnesses.values.allSatisfy { $0 > 100 }, "\(witnesses)")
    }

    /// Writes the row that the reader would get wrong.
    private static func expectMisread(
        _ field: FeatureSchema, _ rule: Rule, _ reader: ViewSchema, _ writer: ViewSchema, _ editor: inout SchemaEditor,
        _ context: Comment
    ) throws {
        let row = try WrittenRow.random(under: writer, &editor.random)
        switch rule {
        case .type:
            let stored = try #require(writer.feature(id: field.id)).type
            let telling = try row.with(witness(of: stored), for: field.id)
            #expect(throws: LarderError.self, context) { try telling.read([field.id], by: reader) }
            // An int32 has its place in a float64, but nothing that reads rows puts it there.
            if stored != .int32 || field.type != .float64 {
                #expect(exactly(witness(of: stored), as: field.type) == nil, context)
            }
        case .nullability:
            let read = try row.with(.null, for: field.id).read([field.id], by: reader)[0]
            #expect(read.value.isNull && !field.isNullable, context)
        case .added:
            let read = try row.read([field.id], by: reader)[0]
            #expect(read.status == .defaulted && read.value.isNull && !field.isNullable, context)
        case .defaultValue:
            let third = editor.without(id: field.id, writer)
            let gap = try WrittenRow.random(under: third, &editor.random)
            let byReader = try gap.read([field.id], by: reader)[0].value
            let byWriter = try gap.read([field.id], by: writer)[0].value
            #expect(!byReader.isExactly(byWriter) && !byWriter.isExactly(byReader), context)
        case .keys, .removed:
            Issue.record("\(rule) is no reason for a field")
        }
    }

    /// A value that no other type holds, but for an int32 in a float64.
    private static func witness(of type: ValueType) -> Value {
        switch type {
        case .scalar(let scalar): witness(of: scalar)
        case .array(let element): .array([witness(of: element)])
        case .vector(let dimension): .vector(Array(repeating: 0.5, count: dimension))
        }
    }

    private static func witness(of type: ScalarType) -> Value {
        switch type {
        case .bool: .bool(true)
        case .int32: .int32(.max)
        case .int64: .int64(.max)
        case .float32: .float32(0.5)
        case .float64: .float64(0.1)
        case .string: .string("text")
        case .bytes: .bytes([0xFF])
        case .timestamp: .timestamp(Timestamp(microsecondsSince1970: 1))
        case .date: .date(CalendarDate(daysSince1970: 1))
        }
    }
}

// Modes and chains.
extension CompatibilityPropertyTests {
    @Test func `the verdict of a mode is what its readers can do`() {
        var verdicts: [Bool: Int] = [:]
        for seed in UInt64(1)...2_000 {
            var editor = SchemaEditor(seed: seed)
            var chain = [editor.first()]
            for _ in 0..<Int.random(in: 1...4, using: &editor.random) { chain.append(editor.next(after: chain[0])) }
            let new = chain.removeLast().shape
            let existing = chain.map(\.shape)
            for mode in Compatibility.allCases {
                let violations = SchemaCompatibility.violations(of: new, against: existing, mode: mode)
                var isFine = true
                var expected: [String: Set<Rule>] = [:]
                for older in mode.isTransitive ? existing[...] : existing.suffix(1) {
                    if mode.asksBackward {
                        isFine = isFine && SchemaCompatibility.canRead(new, rowsOf: older)
                        expected.merge(Self.obstacles(new, older, .backward)) { $1 }
                    }
                    if mode.asksForward {
                        isFine = isFine && SchemaCompatibility.canRead(older, rowsOf: new)
                        expected.merge(Self.obstacles(new, older, .forward)) { $1 }
                    }
                }
                let told = Dictionary(grouping: violations) { violation in
                    let parts = violation.path.split(separator: ".")
                    return "\(violation.older) \(violation.direction) \(parts[min(1, parts.count - 1)])"
                }.mapValues { Set($0.map(\.rule)) }
                #expect(violations.isEmpty == isFine, "seed \(seed), \(mode)")
                #expect(Set(told.keys) == Set(expected.keys), "seed \(seed), \(mode)")
                #expect(expected.allSatisfy { told[$0.key]?.isSuperset(of: $0.value) == true }, "seed \(seed), \(mode)")
                verdicts[isFine, default: 0] += 1
            }
        }
        #expect(verdicts.count == 2 && verdicts.values.allSatisfy { $0 > 2_000 }, "\(verdicts)")
    }

    /// The first obstacle of every field, by version, direction and name in the newer version.
    private static func obstacles(
        _ new: SchemaShape, _ older: SchemaShape, _ direction: Direction
    ) -> [String: Set<Rule>] {
        let (reader, writer) = direction == .backward ? (new, older) : (older, new)
        var found: [String: Set<Rule>] = [:]
        if reader.keys != writer.keys { found["\(older.version) \(direction) keys"] = [.keys] }
        for field in reader.fields {
            guard let rule = SchemaCompatibility.obstacle(reading: field, from: writer) else { continue }
            let name = new.field(id: field.id)?.name ?? field.name
            found["\(older.version) \(direction) \(name)", default: []]
                .insert(direction == .forward && rule == .added ? .removed : rule)
        }
        return found
    }

    @Test("a chain of versions that a mode accepts stays readable as the mode says", arguments: Compatibility.allCases)
    func chains(mode: Compatibility) throws {
        var readings = 0
        for seed in UInt64(1)...150 {
            var editor = SchemaEditor(seed: seed)
            let chain = Self.acceptedChain(mode, &editor)
            for newer in chain.indices.dropFirst() {
                for older in mode.isTransitive ? 0..<newer : newer - 1..<newer {
                    var pairs: [(ViewSchema, ViewSchema)] = []
                    if mode.asksBackward { pairs.append((chain[newer], chain[older])) }
                    if mode.asksForward { pairs.append((chain[older], chain[newer])) }
                    for (reader, writer) in pairs {
                        let row = try WrittenRow.random(under: writer, &editor.random)
                        try Self.expectRight(reader.features, of: reader, row, "seed \(seed), \(mode)")
                        readings += 1
                    }
                }
            }
            if mode.isTransitive { try Self.expectOneAnswer(chain, &editor, "seed \(seed), \(mode)") }
        }
        #expect(mode == .none ? readings == 0 : readings > 400, "\(readings)")
    }

    /// Up to five versions, each the first of random proposals that the mode lets pass.
    private static func acceptedChain(_ mode: Compatibility, _ editor: inout SchemaEditor) -> [ViewSchema] {
        var chain = [editor.first()]
        for _ in 0..<60 where chain.count < 5 {
            let proposal = editor.next(after: chain[chain.count - 1])
            let existing = chain.map(\.shape)
            if SchemaCompatibility.violations(of: proposal.shape, against: existing, mode: mode).isEmpty {
                chain.append(proposal)
            }
        }
        return chain
    }

    /// Rows without a feature read the same under every version that has it.
    private static func expectOneAnswer(
        _ chain: [ViewSchema], _ editor: inout SchemaEditor, _ context: Comment
    ) throws {
        for writer in chain {
            let row = try WrittenRow.random(under: writer, &editor.random)
            for id in Set(chain.flatMap { $0.features.map(\.id) }) where writer.feature(id: id) == nil {
                let answers = try chain.filter { $0.feature(id: id) != nil }.map { try row.read([id], by: $0)[0].value }
                for answer in answers.dropFirst() {
                    #expect(answer.isExactly(answers[0]) || answers[0].isExactly(answer), context)
                }
            }
        }
    }
}
