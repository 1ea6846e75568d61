import FeatureModel
import Testing

@Suite struct CompatibilityModeTests {
    /// What each mode asks, spelled out once more.
    static let modes: [(mode: Compatibility, backward: Bool, forward: Bool, transitive: Bool)] = [
        (.backward, true, false, false), (.backwardTransitive, true, false, true),
        (.forward, false, true, false), (.forwardTransitive, false, true, true),
        (.full, true, true, false), (.fullTransitive, true, true, true),
        (.none, false, false, false),
    ]

    @Test func `each mode asks its directions of the latest version or of all`() {
        #expect(Self.modes.map(\.mode) == Compatibility.allCases)
        for row in Self.modes {
            #expect(row.mode.asksBackward == row.backward, "\(row.mode)")
            #expect(row.mode.asksForward == row.forward, "\(row.mode)")
            #expect(row.mode.isTransitive == row.transitive, "\(row.mode)")
        }
    }

    @Test func `modes are spelled in snake case`() {
        #expect(
            Compatibility.allCases.map(\.rawValue) == [
                "backward", "backward_transitive", "forward", "forward_transitive", "full", "full_transitive", "none",
            ])
    }
}

@Suite struct CompatibilityTableTests {
    private typealias Rule = CompatibilityViolation.Rule
    private typealias Direction = CompatibilityViolation.Direction

    private static func field(
        _ name: String, _ type: ValueType, id: Int32, nullable: Bool = true, default value: Value? = nil
    ) -> FeatureSchema {
        SchemaChange.field(name, type, id: id, nullable: nullable, default: value)
    }

    private static func shape(_ version: Int32, _ fields: FeatureSchema...) -> SchemaShape {
        SchemaShape(version: version, keys: SchemaChange.keys, fields: fields)
    }

    @Test("every change in every mode breaks what the table says", arguments: SchemaChange.table)
    func cells(change: SchemaChange) {
        for row in CompatibilityModeTests.modes {
            let violations = SchemaCompatibility.violations(of: change.newer, against: [change.older], mode: row.mode)
            var expected: [(Rule, Direction)] = []
            if row.backward, let rule = change.backward { expected.append((rule, .backward)) }
            if row.forward, let rule = change.forward { expected.append((rule, .forward)) }
            #expect(violations.map(\.rule) == expected.map(\.0), "\(row.mode)")
            #expect(violations.map(\.direction) == expected.map(\.1), "\(row.mode)")
            for violation in violations {
                #expect(violation.path == change.path && violation.older == 1 && violation.newer == 2, "\(row.mode)")
                let name = change.path.split(separator: ".").dropFirst().first ?? "keys"
                #expect(violation.message.contains(name) && violation.message.contains("version 1"))
                #expect(!violation.message.hasSuffix("."), "\(violation.message)")
            }
        }
        #expect(SchemaCompatibility.canRead(change.newer, rowsOf: change.older) == (change.backward == nil))
        #expect(SchemaCompatibility.canRead(change.older, rowsOf: change.newer) == (change.forward == nil))
    }

    @Test func `of all pairs of types only int32 to int64 and float32 to float64 are read`() {
        let types =
            ScalarType.allCases.map { ValueType.scalar($0) } + ScalarType.allCases.map { .array($0) }
            + [.vector(dimension: 1), .vector(dimension: 2)]
        let widenings: [[ValueType]] = [[.int32, .int64], [.float32, .float64]]
        for stored in types {
            for wanted in types {
                let writer = Self.shape(1, Self.field("x", stored, id: 1))
                let obstacle = SchemaCompatibility.obstacle(reading: Self.field("x", wanted, id: 1), from: writer)
                let isRead = stored == wanted || widenings.contains([stored, wanted])
                #expect(obstacle == (isRead ? nil : .type), "\(stored) as \(wanted)")
            }
        }
    }

    @Test func `a float32 default is the same default only as the float64 it widens to`() {
        let older = Self.shape(1, Self.field("x", .float32, id: 1, default: .float32(0.1)))
        let exact = Self.shape(2, Self.field("x", .float64, id: 1, default: .float64(Double(Float(0.1)))))
        let decimal = Self.shape(2, Self.field("x", .float64, id: 1, default: .float64(0.1)))
        #expect(SchemaCompatibility.canRead(exact, rowsOf: older))
        let violations = SchemaCompatibility.violations(of: decimal, against: [older], mode: .backward)
        #expect(violations.map(\.path) == ["features.x.default"])
        #expect(
            violations.first?.message
                == "feature \"x\" has default 0.1, version 1 has default 0.10000000149011612: "
                + "rows without it would read differently under the two")
    }

    @Test func `a retype tells of a default only when it comes or goes`() {
        func rules(_ older: Value?, _ newer: Value?) -> [Rule] {
            SchemaCompatibility.violations(
                of: Self.shape(2, Self.field("x", .string, id: 1, default: newer)),
                against: [Self.shape(1, Self.field("x", .int32, id: 1, default: older))], mode: .backward
            ).map(\.rule)
        }
        #expect(rules(.int32(1), .string("1")) == [.type])
        #expect(rules(nil, nil) == [.type])
        #expect(rules(.int32(1), nil) == [.type, .defaultValue])
        #expect(rules(nil, .string("1")) == [.type, .defaultValue])
    }
}

// Several versions, several violations.
extension CompatibilityTableTests {
    private struct Chain {
        let name: String
        let versions: [SchemaShape]
        /// The older versions that the last one is at odds with, by mode; no entry for none.
        let broken: [Compatibility: [Int32]]
    }

    private static let chains: [Chain] = [
        Chain(
            name: "widened in the middle",
            versions: [
                shape(1, field("x", .float32, id: 1)), shape(2, field("x", .float64, id: 1)),
                shape(3, field("x", .float64, id: 1)),
            ], broken: [.forwardTransitive: [1], .fullTransitive: [1]]),
        Chain(
            name: "narrowed back to what it was first",
            versions: [
                shape(1, field("x", .int32, id: 1)), shape(2, field("x", .int64, id: 1)),
                shape(3, field("x", .int32, id: 1)),
            ], broken: [.backward: [2], .backwardTransitive: [2], .full: [2], .fullTransitive: [2]]),
        Chain(
            name: "added not null in the middle",
            versions: [
                shape(1), shape(2, field("x", .bool, id: 1, nullable: false)),
                shape(3, field("x", .bool, id: 1, nullable: false)),
            ], broken: [.backwardTransitive: [1], .fullTransitive: [1]]),
        Chain(
            name: "a not null feature gone in the middle",
            versions: [shape(1, field("x", .bool, id: 1, nullable: false)), shape(2), shape(3)],
            broken: [.forwardTransitive: [1], .fullTransitive: [1]]),
        Chain(
            name: "another default after a version without the feature",
            versions: [
                shape(1, field("x", .int32, id: 1, default: .int32(1))), shape(2),
                shape(3, field("x", .int32, id: 1, default: .int32(2))),
            ],
            broken: [.backwardTransitive: [1], .forwardTransitive: [1], .fullTransitive: [1, 1]]),
        Chain(
            name: "nullable, then not null twice",
            versions: [
                shape(1, field("x", .date, id: 1)), shape(2, field("x", .date, id: 1, nullable: false)),
                shape(3, field("x", .date, id: 1, nullable: false)),
            ], broken: [.backwardTransitive: [1], .fullTransitive: [1]]),
        Chain(
            name: "renamed twice",
            versions: [
                shape(1, field("x", .date, id: 1)), shape(2, field("y", .date, id: 1)),
                shape(3, field("x", .date, id: 1)),
            ], broken: [:]),
    ]

    @Test func `plain modes compare with the latest version, transitive ones with all`() throws {
        for chain in Self.chains {
            let new = try #require(chain.versions.last)
            for mode in Compatibility.allCases {
                let violations = SchemaCompatibility.violations(
                    of: new, against: Array(chain.versions.dropLast()), mode: mode)
                #expect(violations.map(\.older) == (chain.broken[mode] ?? []), "\(chain.name), \(mode)")
            }
        }
    }

    @Test func `without an existing version nothing is violated`() {
        for mode in Compatibility.allCases {
            #expect(SchemaCompatibility.violations(of: Self.chains[2].versions[2], against: [], mode: mode).isEmpty)
        }
    }

    private static let crowdOfOld = [
        SchemaShape(
            version: 4, keys: [],
            fields: [
                field("needed", .string, id: 2, nullable: false), field("wind", .float32, id: 5, default: .float32(1)),
                field("swap", .int64, id: 7),
            ]),
        SchemaShape(
            version: 6, keys: SchemaChange.keys,
            fields: [field("wind", .float64, id: 5, default: .float64(2)), field("swap", .int32, id: 7)]),
    ]
    private static let crowded = SchemaShape(
        version: 9, keys: SchemaChange.keys,
        fields: [
            field("swap", .int32, id: 7, nullable: false), field("extra", .bool, id: 9, nullable: false),
            field("gust", .float64, id: 5, default: .float64(2)), field("needed", .string, id: 8),
        ])

    @Test func `all violations are told at once, in order`() {
        let violations = SchemaCompatibility.violations(
            of: Self.crowded, against: Self.crowdOfOld, mode: .fullTransitive, noun: "columns")
        let lines = violations.map { "\($0.older) \($0.direction) \($0.rule.rawValue) \($0.path)" }
        #expect(
            lines == [
                "4 backward keys keys",
                "4 forward keys keys",
                "4 forward removed columns.needed",
                "4 forward type columns.gust.type",
                "4 backward default columns.gust.default",
                "4 forward default columns.gust.default",
                "4 backward type columns.swap.type",
                "4 backward nullability columns.swap.nullable",
                "4 backward added columns.extra",
                "6 backward nullability columns.swap.nullable",
                "6 backward added columns.extra",
            ])
        #expect(violations.allSatisfy { $0.newer == 9 })
    }

    @Test func `the order of a definition does not change the order of violations`() {
        let expected = SchemaCompatibility.violations(
            of: Self.crowded, against: Self.crowdOfOld, mode: .fullTransitive)
        var random = SeededGenerator(state: 11)
        for _ in 0..<50 {
            func shuffled(_ shape: SchemaShape) -> SchemaShape {
                SchemaShape(
                    version: shape.version, keys: shape.keys.shuffled(using: &random),
                    fields: shape.fields.shuffled(using: &random))
            }
            let violations = SchemaCompatibility.violations(
                of: shuffled(Self.crowded), against: Self.crowdOfOld.map(shuffled), mode: .fullTransitive)
            #expect(violations == expected)
        }
    }

    @Test func `messages name the field and what could not be read`() {
        let messages = SchemaCompatibility.violations(
            of: Self.crowded, against: Self.crowdOfOld, mode: .fullTransitive
        ).filter { $0.older == 4 }.map(\.message)
        #expect(
            messages == [
                #"the keys are "station_id" string, version 4 has none: its rows would be read as those of other keys"#,
                #"the keys are "station_id" string, version 4 has none and would read new rows as those of other keys"#,
                #"feature "needed" is gone, and version 4 could not read rows without it: there it is "#
                    + "neither nullable nor has a default",
                #"feature "gust" is float64, version 4 has float32 and could not read it"#,
                #"feature "gust" has default 2.0, version 4 has default 1.0: rows without it would read differently "#
                    + "under the two",
                #"feature "gust" has default 2.0, version 4 has default 1.0: rows without it would read differently "#
                    + "under the two",
                #"feature "swap" is int32 and could not read rows of version 4, which has int64"#,
                #"feature "swap" is not nullable and could not read the nulls that version 4 allows"#,
                #"feature "extra" is neither nullable nor has a default, and rows of version 4 do not have it"#,
            ])
    }

    @Test func `a long default is told by its beginning`() {
        let long = Self.shape(
            2, Self.field("x", .array(.int32), id: 1, default: .array(Array(repeating: .int32(1), count: 5_000))))
        let older = Self.shape(1, Self.field("x", .array(.int32), id: 1))
        let message = SchemaCompatibility.violations(of: long, against: [older], mode: .full, noun: "columns").first?
            .message
        #expect(message?.hasPrefix(#"column "x" has default [1, 1, 1"#) == true)
        #expect(message?.contains("..., version 1 has no default:") == true && (message?.count ?? 0) < 200)
    }
}
