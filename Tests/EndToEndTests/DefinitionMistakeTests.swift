import Foundation
import Testing

/// A mistake in the definitions: what it replaces in the shop's, where it is, and what has to be said.
struct DefinitionMistake: Sendable, CustomTestStringConvertible {
    let name: String
    let original: String
    let mistaken: String
    /// The text that the place told begins with.
    let place: String
    let told: [String]

    var testDescription: String { name }

    static let all = [
        DefinitionMistake(
            name: "unknown key", original: "ttl: 6h", mistaken: "tll: 6h", place: "tll: 6h",
            told: ["\"tll\"", "did you mean \"ttl\"?"]),
        DefinitionMistake(
            name: "unknown type", original: "{name: page, type: string}\n  - {name: is_large",
            mistaken: "{name: page, type: strin}\n  - {name: is_large", place: "strin}",
            told: ["\"strin\"", "did you mean \"string\"?"]),
        DefinitionMistake(
            name: "duplicate name", original: "name: last_visit\n",
            mistaken:
                "name: last_visit\nentities: [customer]\nsource: visits\nfeatures: [{name: page, type: string}]\n---\nkind: feature_view\nname: last_visit\n",
            place: "last_visit\ndescription", told: ["\"last_visit\"", "shop.yaml:"]),
        DefinitionMistake(
            name: "missing source column",
            original: "{name: amount, type: float64}\n  - {name: page, type: string}\n  - {name: is",
            mistaken: "{name: amout, type: float64}\n  - {name: page, type: string}\n  - {name: is",
            place: "{name: amout", told: ["\"amout\"", "amount"]),
        DefinitionMistake(
            name: "view on an unknown entity", original: "entities: [customer]", mistaken: "entities: [custmer]",
            place: "custmer]", told: ["\"custmer\"", "did you mean \"customer\"?"]),
        DefinitionMistake(
            name: "bad duration", original: "ttl: 6h", mistaken: "ttl: six hours", place: "six hours",
            told: ["six hours", "6h"]),
        DefinitionMistake(
            name: "wrong SQL", original: "expr: amount >= 100", mistaken: "expr: amount >= >= 100",
            place: "{name: is_large", told: ["is_large", "[expression_invalid]"]),
        DefinitionMistake(
            name: "unknown column in SQL", original: "expr: amount >= 100", mistaken: "expr: amoun >= 100",
            place: "{name: is_large", told: ["amoun", "amount", "[expression_invalid]"]),
        DefinitionMistake(
            name: "not immutable", original: "{name: is_large, type: bool, expr: amount >= 100}",
            mistaken: "{name: hour, type: int32, expr: extract(hour from visited_at)::int}",
            place: "{name: hour",
            told: [
                "[expression_not_immutable]", "hint: write: extract(hour from visited_at AT TIME ZONE 'UTC')::int",
            ]),
        DefinitionMistake(
            name: "another table", original: "expr: amount >= 100",
            mistaken: "expr: amount >= (SELECT max(amount) FROM visits)", place: "{name: is_large",
            told: ["is_large", "query source", "[expression_invalid]"]),
        DefinitionMistake(
            name: "filter over a catalog", original: "ttl: 6h",
            mistaken: "ttl: 6h\nwhere: EXISTS (SELECT 1 FROM pg_catalog.pg_class)", place: "kind: feature_view",
            told: ["last_visit", "[expression_invalid]"]),
    ]
}

@Suite struct DefinitionMistakeTests {
    @Test(arguments: DefinitionMistake.all)
    func `a mistake names its place and the remedy, and nothing of it is applied`(
        _ mistake: DefinitionMistake
    ) async throws {
        let text = Shop.definitions.replacing(mistake.original, with: mistake.mistaken)
        try #require(text != Shop.definitions)
        let before = try #require(text.range(of: mistake.place)).lowerBound
        let line = text[..<before].count { $0 == "\n" } + 1
        let column = text[..<before].reversed().prefix { $0 != "\n" }.count + 1
        try await Installation.run { larder in
            try larder.write(text)
            let untouched = try await larder.fingerprint()
            for command in [["plan"], ["plan", "--detailed-exit-code"], ["apply", "--yes"]] {
                let outcome = try await larder.run(command)
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.errors.contains("feature-defs/shop.yaml:\(line):\(column): "), "\(outcome)")
                for part in mistake.told { #expect(outcome.errors.contains(part), "\(part) in \(outcome)") }
                #expect(outcome.errors.contains("hint: "))
            }
            #expect(try await larder.fingerprint() == untouched)

            // The same as a change to a project that is there.
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let applied = try await larder.fingerprint()
            try larder.write(text)
            #expect(try await larder.larder("apply", "--yes").status == 1)
            #expect(try await larder.fingerprint() == applied)
        }
    }

    @Test func `several mistakes are told at once`() async throws {
        try await Installation.run { larder in
            try larder.write(
                Shop.definitions.replacing("ttl: 6h", with: "tll: 6h").replacing("[customer]", with: "[custmer]"))
            let outcome = try await larder.larder("plan")
            #expect(outcome.errors.contains("2 mistakes"))
            #expect(outcome.errors.contains("\"tll\""))
            #expect(outcome.errors.contains("\"custmer\""))
        }
    }

    @Test func `a folder without definitions is told`() async throws {
        try await Installation.run { larder in
            let outcome = try await larder.larder("plan", "nowhere")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("\"nowhere\""))
            #expect(outcome.errors.contains("hint: "))
        }
    }
}
