import FeatureDefinitions
import FeatureModel
import Testing

@Suite struct DefinitionSyntaxTests {
    @Test func tinyFilesAreRead() {
        for text in ["", " ", "#", "---", "--- \n---\n", "a", "a: b", "~", "[]", "{}", "\"\"", "a: 1\nb: 2"] {
            #expect(!mistakes(in: text).isEmpty, "\(text)")
        }
    }

    @Test func emptyDocumentsAreLeftOut() throws {
        let project = try DefinitionLoader.load(files: [("f.yaml", "---\n---\nkind: project\nname: p\n---\n# end\n")])
        #expect(project.name == "p")
        #expect(project.location.line == 3)
    }

    @Test func `a byte order mark is skipped and moves no place`() throws {
        let project = try DefinitionLoader.load(files: [("f.yaml", "\u{FEFF}kind: project\nname: p\n")])
        #expect(project.name == "p")
        #expect(project.location == SourceLocation(file: "f.yaml", line: 1, column: 1))
        let errors = mistakes(in: "\u{FEFF}{kind: project, nam: p}\n---\nkind: entity\nnam: e\njoin_keys: []")
        #expect(errors.compactMap { $0.location.map { "\($0.line):\($0.column)" } } == ["1:17", "4:1"], "\(errors)")
    }

    @Test func nestingBeyondTheLimitIsRefused() {
        let flow = String(repeating: "[", count: 900) + String(repeating: "]", count: 900)
        #expect(mistakes(in: "a: \(flow)").first?.code == .limitExceeded)
        let block = (0..<900).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n")
        #expect(mistakes(in: block).first?.code == .limitExceeded)
        let bottomless = String(repeating: "[", count: 100_000)
        #expect(mistakes(in: bottomless).first?.code == .definitionSyntax)
    }

    @Test func aliasesThatMultiplyAreRefused() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "a\(level): &a\(level) [\((0..<9).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n"
        }
        #expect(mistakes(in: text).first?.code == .limitExceeded)
        var few = "a0: &a0 [\((0..<1_000).map { _ in "x" }.joined(separator: ","))]\n"
        for level in 1...5 { few += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        #expect(mistakes(in: few).first?.message == "the file holds more than 100000 values")
        let large = few + "# " + String(repeating: "x", count: 100_000)
        #expect(mistakes(in: large).first?.message == "the file is too large for its 15 aliases")
    }

    @Test func starsOfSQLAreNoAliases() {
        let stars = (0..<40).map { "x *y\($0)" }.joined(separator: " + ")
        let errors = mistakes(in: singleFeature("type: int64, description: \"\(stars)\""))
        #expect(errors.isEmpty)
    }

    @Test func aFileBeyondTheSizeLimitIsRefused() {
        let text = "kind: project\nname: p\n# " + String(repeating: "x", count: DefinitionLimits.maximumFileBytes)
        #expect(mistakes(in: text).first?.code == .limitExceeded)
    }

    @Test func tooManyFilesAreRefused() {
        let files = (0...DefinitionLimits.maximumFiles).map { (path: "\($0).yaml", text: "") }
        let error = #expect(throws: LarderError.self) { try DefinitionLoader.load(files: files) }
        #expect(error?.code == .limitExceeded)
    }

    @Test func controlCharactersOfAFileDoNotReachMessages() {
        let errors = mistakes(in: "kind: \"\\e[31mred\\r\\n\"")
        #expect(errors.first?.message.unicodeScalars.allSatisfy { $0.value >= 32 } == true)
    }

    @Test func duplicateKeysAreRefusedAtAnyDepth() {
        let errors = mistakes(in: singleFeature("type: int64, expect: {min: 1, min: 2}"))
        #expect(errors.map(\.message) == ["the key \"min\" is given more than once"])
        #expect(errors.first?.code == .definitionSyntax)
    }

    @Test(arguments: 0..<16)
    func garbageNeverCrashesAndAlwaysHasAPlace(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let whole = FlightsTree.files.map(\.text).joined(separator: "\n---\n")
        let fragments = [
            "kind:", "name:", "- ", "{", "}", "[", "]", ": ", "\n", "  ", "'", "\"", "|", ">", "&a ", "*a", "!!", "%",
            "@",
            "#", "\t", "\u{0}", "\u{FFFF}", "é", "---", "...", "? ", "features", "join_keys", "expr", "null", "1e999",
        ]
        for round in 0..<50 {
            var characters = Array(whole.unicodeScalars)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let start = Int.random(in: 0..<characters.count, using: &generator)
                let end = min(characters.count, start + Int.random(in: 0...12, using: &generator))
                let insert = Bool.random(using: &generator) ? fragments.randomElement(using: &generator) ?? "" : ""
                characters.replaceSubrange(start..<end, with: insert.unicodeScalars)
            }
            let text = String(String.UnicodeScalarView(characters))
            for error in mistakes(in: text) {
                #expect(error.location != nil && !error.message.isEmpty, "seed \(seed), round \(round): \(error)")
            }
        }
    }

    @Test(arguments: 0..<8)
    func randomTokensNeverCrash(_ seed: UInt64) {
        var generator = SeededGenerator(seed: 1_000 + seed)
        let tokens = [
            "kind", "project", "source", ":", " ", "\n", "\n  ", "- ", "{", "}", "[", "]", ",", "&x ", "*x", "\"", "'",
            "|\n", "? ", "---\n", "a", "1", "~", "<<", "!t ", "#c\n",
        ]
        for _ in 0..<200 {
            let count = Int.random(in: 1...40, using: &generator)
            _ = mistakes(in: (0..<count).map { _ in tokens.randomElement(using: &generator) ?? "" }.joined())
        }
    }
}
