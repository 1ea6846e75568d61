import FeatureModel
import Foundation
import Testing

@Suite struct MaxAgeTests {
    @Test("exactly ttl old is fresh, exactly ttl and grace old is still outside the maximum age")
    func edges() {
        let ttl: Int64 = 3_600_000_000
        let grace = MaxAge.graceMicroseconds
        #expect(grace == 604_800_000_000)
        let now = Timestamp(microsecondsSince1970: 1_357_016_400_000_000)
        for (age, verdict) in [
            (-1, .fresh), (0, .fresh), (ttl - 1, .fresh), (ttl, .fresh), (ttl + 1, .outsideMaxAge),
            (ttl + grace - 1, .outsideMaxAge), (ttl + grace, .outsideMaxAge), (ttl + grace + 1, .notFound),
        ] as [(Int64, MaxAge.Verdict)] {
            let judged = MaxAge.judge(eventTime: now.advanced(byMicroseconds: -age), at: now, ttlMicroseconds: ttl)
            #expect(judged == verdict, "\(age)")
        }
    }

    @Test("without a ttl nothing is ever too old, and a ttl of nothing means now")
    func extremes() {
        let now = Timestamp(microsecondsSince1970: 5)
        #expect(MaxAge.judge(eventTime: .negativeInfinity, at: now, ttlMicroseconds: nil) == .fresh)
        #expect(MaxAge.judge(eventTime: now, at: now, ttlMicroseconds: 0) == .fresh)
        #expect(
            MaxAge.judge(eventTime: now.advanced(byMicroseconds: -1), at: now, ttlMicroseconds: 0) == .outsideMaxAge)
        #expect(MaxAge.judge(eventTime: .negativeInfinity, at: now, ttlMicroseconds: 1) == .notFound)
        // A ttl longer than time itself.
        #expect(MaxAge.judge(eventTime: .earliest, at: now, ttlMicroseconds: .max) == .fresh)
    }
}

@Suite struct RowOrderTests {
    @Test("rows compare by event time, then recorded time, sequence and schema version")
    func lexicographic() {
        var random = SeededGenerator(state: 2)
        let parts = (0..<120).map { _ in (0..<4).map { _ in Int64.random(in: -1...1, using: &random) } }
        func order(_ part: [Int64]) -> RowOrder {
            RowOrder(
                eventTime: Timestamp(microsecondsSince1970: part[0]),
                recordedTime: Timestamp(microsecondsSince1970: part[1]), sequence: part[2],
                schemaVersion: Int32(part[3]))
        }
        for left in parts {
            for right in parts {
                #expect((order(left) < order(right)) == left.lexicographicallyPrecedes(right), "\(left) \(right)")
                #expect((order(left) == order(right)) == (left == right), "\(left) \(right)")
            }
        }
    }
}

@Suite struct ErrorCodeTests {
    @Test("names are unique, in snake case, and carry a status of an error")
    func names() {
        #expect(Set(ErrorCode.all.map(\.name)).count == ErrorCode.all.count)
        for code in ErrorCode.all {
            #expect(code.name.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }, "\(code)")
            #expect((400...599).contains(code.httpStatus), "\(code)")
        }
    }

    @Test("every code that is declared stands in the list of all, once")
    func complete() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/FeatureModel/ErrorCode.swift")
        let declared = try String(contentsOf: file, encoding: .utf8).matches(of: /= ErrorCode\("([a-z_]+)"/)
            .map { String($0.1) }
        #expect(declared.count > 40 && declared.sorted() == ErrorCode.all.map(\.name).sorted())
    }
}

@Suite struct LarderErrorTests {
    @Test("an error reads as place, message, code, hint and the single failures behind it")
    func description() {
        let inner = LarderError(
            .definitionSyntax, "bad", location: SourceLocation(file: "a.yaml", line: 3, column: 5))
        let row = RowViolation(row: 2, line: 4, feature: "temp", code: "wrong_type", message: "is text")
        let error = LarderError(
            .definitionInvalid, "view \"v\" is wrong", hint: "mend it", errors: [inner], rows: [row])
        #expect(
            error.description == """
                view "v" is wrong [definition_invalid]
                  hint: mend it
                a.yaml:3:5: bad [definition_syntax]
                  row 2 (line 4), temp: is text [wrong_type]
                """)
    }
}

@Suite struct ViewSchemaTests {
    @Test("join keys stand in the order of their names' bytes, features as defined")
    func order() {
        let keys = ["b", "a_", "a1", "a"].map { JoinKey(name: $0, type: .int64) }
        let features = [2, 1].map { id in
            FeatureSchema(id: id, name: "f\(id)", type: .bool, isNullable: true, defaultValue: nil)
        }
        let schema = ViewSchema(version: 1, joinKeys: keys, features: features)
        #expect(schema.joinKeys.map(\.name) == ["a", "a1", "a_", "b"])
        #expect(schema.features.map(\.id) == [2, 1])
        #expect(schema.feature(id: 1)?.name == "f1" && schema.feature(named: "f2")?.id == 2)
        #expect(schema.feature(id: 3) == nil)
    }
}
