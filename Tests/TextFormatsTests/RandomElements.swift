import FeatureModel

@testable import TextFormats

/// Random elements of a JSON array: objects with members in changing orders, much that is wrong with some of them, and
/// whitespace of every kind between their tokens.
struct RandomElements {
    let fields: [Field]
    /// Of the fields; it stays for some elements.
    private var order: [Int]

    private static let others = ["7", "null", "true", "\"text\"", "[]", "[1,{\"a\":[]}]", "\"\\u00e9\\n\""]
    private static let wrongValues = [
        "null", "\"x\"", "1e3", "true", "[null]", "[1,{\"a\":[2]}]", "{\"a\":[1,{}]}", "\"2013-01-01T00:00:00\"",
        "9223372036854775808", "\"a\\u0000b\"", "[]", "\"\\ud83e\\udd89\"",
    ]
    static let whitespace = ["", "", " ", "\n", "\r\n\t", "  "].map { Array($0.utf8) }

    init(using generator: inout SeededGenerator) {
        fields = (0..<6).map { index in
            Field(name: "c\(index)", type: RandomBatch.allTypes.pick(&generator), isNullable: index.isMultiple(of: 2))
        }
        order = Array(fields.indices)
    }

    mutating func next(using generator: inout SeededGenerator) -> [UInt8] {
        if Self.isOneIn(20, &generator) { return Array(Self.others.pick(&generator).utf8) }
        if Self.isOneIn(10, &generator) { order.shuffle(using: &generator) }
        var members: [(name: String, value: String)] = []
        for index in order where !Self.isOneIn(12, &generator) {
            members.append((Self.name(fields[index].name, &generator), Self.value(fields[index].type, &generator)))
        }
        for name in ["\"extra\"", "\"un\\\"known\""] where Self.isOneIn(10, &generator) {
            let place = Int.random(in: 0...members.count, using: &generator)
            members.insert((name, Self.wrongValues.pick(&generator)), at: place)
        }
        if Self.isOneIn(10, &generator), let member = members.first { members.append(member) }
        var tokens = ["{"]
        for (index, member) in members.enumerated() {
            tokens += (index > 0 ? [","] : []) + [member.name, ":", member.value]
        }
        var text: [UInt8] = []
        for token in tokens { text += Array(token.utf8) + Self.whitespace.pick(&generator) }
        return text + [UInt8(ascii: "}")]
    }

    private static func isOneIn(_ count: Int, _ generator: inout SeededGenerator) -> Bool {
        Int.random(in: 0..<count, using: &generator) == 0
    }

    /// The name of a field, now and then with an escape.
    private static func name(_ name: String, _ generator: inout SeededGenerator) -> String {
        isOneIn(10, &generator) ? "\"\\u0063\(name.dropFirst())\"" : "\"\(name)\""
    }

    private static func value(_ type: ValueType, _ generator: inout SeededGenerator) -> String {
        if isOneIn(20, &generator) { return wrongValues.pick(&generator) }
        var text: [UInt8] = []
        JSONText.write(RandomBatch.value(type, using: &generator), into: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
