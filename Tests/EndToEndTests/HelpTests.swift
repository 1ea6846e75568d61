import Foundation
import Testing

/// What the program says of itself, and how it takes mistakes on the command line.
@Suite struct HelpTests {
    @Test func `every command explains itself and is in the documentation with all its options`() async throws {
        let documentation = try String(
            contentsOf: Program.checkout.appending(path: "docs/cli.md"), encoding: .utf8)
        var pending: [[String]] = [[]]
        var found = 0
        while let command = pending.popLast() {
            let help = try await Program.run(command + ["--help"])
            #expect(help.status == 0)
            #expect(help.errors.isEmpty)
            let subcommands = Self.subcommands(in: help.output)
            pending += subcommands.map { command + [$0] }
            guard subcommands.isEmpty else { continue }
            found += 1
            let name = (["larder"] + command).joined(separator: " ")
            let section = try #require(
                documentation.components(separatedBy: "\n## ").first { $0.hasPrefix("`\(name)`\n") },
                "docs/cli.md has no section ## `\(name)`")
            for option in Self.options(in: help.output) where !Self.explainedOnce.contains(option) {
                #expect(section.contains(option), "\(option) of \(name)")
            }
        }
        #expect(found >= 10)
        for option in Self.explainedOnce { #expect(documentation.contains("`\(option)")) }
    }

    private static let explainedOnce = ["--project", "--output", "--verbose", "--version", "--help"]

    /// The names below the headings that end in `SUBCOMMANDS:`.
    private static func subcommands(in help: String) -> [String] {
        var names: [String] = []
        var isInside = false
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasSuffix("SUBCOMMANDS:") {
                isInside = true
            } else if line.isEmpty {
                isInside = false
            } else if isInside, let name = line.wholeMatch(of: #/  ([a-z][a-z\-]*)( .*)?/#) {
                names.append(String(name.1))
            }
        }
        return names
    }

    private static func options(in help: String) -> Set<String> {
        let listed = help.components(separatedBy: "\nOPTIONS:\n").last ?? ""
        return Set(listed.matches(of: /(?m)^  (?:-[a-z], )?(--[a-z\-]+)/).map { String($0.1) })
    }

    @Test func `without a command the program shows its help`() async throws {
        let bare = try await Program.run([])
        #expect(bare.status == 0)
        #expect(bare.output.contains("USAGE: larder <subcommand>"))
    }

    @Test func `the version is one line`() async throws {
        let version = try await Program.run(["--version"])
        #expect(version.status == 0)
        #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: [
        ["frobnicate"], ["plan", "--detailed"], ["list", "nothing"], ["list"], ["ingest", "visits"],
        ["materialize", "--start", "2024-01-01"], ["materialize", "--only", "both"],
        ["materialize", "--start", "2024-01-02T00:00:00Z", "--end", "2024-01-01T00:00:00Z"],
        ["get-online-features", "--keys", "a=1"],
        ["get-online-features", "--service", "a", "--features", "b:c"],
        ["get-online-features", "--service", "a", "--keys", "a"],
        ["get-online-features", "--service", "a", "--keys", "a=1,a=2"],
        ["get-online-features", "--service", "a", "--keys", "a=1", "--keys", "b=2"],
        ["training-set", "create", "--spine", "a.csv", "--out", "b.csv"],
        ["training-set", "create", "--spine", "a.csv", "--out", "b.csv", "--service", "s", "--known-by", "rumour"],
        ["training-set", "create", "--out", "b.csv", "--service", "s", "--keys", "a"],
        ["training-set", "create", "--out", "b.csv", "--service", "s", "--keys", "a=1", "--keys", "b=2"],
        ["serve", "--port", "70000"], ["serve", "--clock-fixed", "noon"], ["plan", "--output", "xml"],
    ])
    func `a mistake on the command line ends with status 64`(_ arguments: [String]) async throws {
        let outcome = try await Program.run(arguments)
        #expect(outcome.status == 64, "\(outcome)")
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("Error: "))
    }

    @Test func `a file whose format nothing tells is a usage error with the option that tells it`() async throws {
        try await Installation.run(isMigrated: false) { larder in
            let outcome = try await larder.larder("ingest", "visits", "visits.txt")
            #expect(outcome.status == 64)
            #expect(outcome.errors.contains("--format"))
            let spine = try await larder.larder(
                "training-set", "create", "--spine", "-", "--out", "a.csv", "--service", "s")
            #expect(spine.status == 64)
            #expect(spine.errors.contains("--spine-format"))
        }
    }
}
