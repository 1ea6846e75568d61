import Foundation
import PostgresClient
import TestSupport
import Testing

/// Several people apply different changes of one project at the same moment.
@Suite struct ConcurrentApplyTests {
    private static let views = Array(0..<8)

    /// Eight views of two features each; a tree of its own swaps the features of one of them, which is a new version.
    private static func tree(swapping swapped: Int?) -> String {
        let shared = """
            kind: project
            name: shop
            ---
            kind: source
            name: readings
            type: table
            columns: [{name: measured_at, type: timestamp}, {name: a, type: float64}, {name: b, type: float64}]
            timestamp: measured_at
            """
        let documents = views.map { view in
            let names = view == swapped ? ["b", "a"] : ["a", "b"]
            let features = names.map { "{name: \($0), type: float64}" }.joined(separator: ", ")
            return "kind: feature_view\nname: view\(view)\nsource: readings\nfeatures: [\(features)]"
        }
        return ([shared] + documents).joined(separator: "\n---\n") + "\n"
    }

    private static func write(_ tree: String, to name: String, in installation: Installation) throws -> String {
        let directory = installation.folder.appending(path: name)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Data(tree.utf8).write(to: directory.appending(path: "shop.yaml"))
        return directory.path()
    }

    @Test func `of applies at once one wins, and the others are told which revision they lost to`() async throws {
        try await Installation.run { installation in
            let base = try Self.write(Self.tree(swapping: nil), to: "base", in: installation)
            try await installation.succeed("apply", base, "--yes")
            var trees: [Int: String] = [:]
            for view in Self.views {
                trees[view] = try Self.write(Self.tree(swapping: view), to: "tree\(view)", in: installation)
            }
            var winners: [[Int]] = []
            while !trees.isEmpty {
                let outcomes = try await Self.race(trees, in: installation)
                let won = outcomes.filter { $0.value.status == 0 }.keys.sorted()
                try #require(!won.isEmpty, "nobody won: \(outcomes)")
                if winners.isEmpty {
                    #expect(won.count < Self.views.count, "two waited for each other, and one had to lose")
                }
                for (view, outcome) in outcomes where outcome.status != 0 {
                    let message = outcome.output + outcome.errors
                    #expect(outcome.status == 1 && message.contains("revision_conflict"), "tree\(view): \(outcome)")
                    #expect(message.contains(/is at revision [0-9]+/), "tree\(view): \(outcome)")
                }
                for view in won { trees[view] = nil }
                winners.append(won)
            }
            try await Self.check(winners, in: installation)
        }
    }

    /// Starts an apply of each tree while the project is held, and lets go when at least two wait for it.
    private static func race(
        _ trees: [Int: String], in installation: Installation
    ) async throws -> [Int: Program.Outcome] {
        let holder = try await PostgresConnection.connect(installation.database, logger: .silent)
        var running: [Int: RunningProgram] = [:]
        try await holder.transaction(isolation: .readCommitted) { holder in
            try await holder.execute("SELECT FROM larder.project FOR UPDATE")
            for (view, tree) in trees {
                running[view] = try RunningProgram(
                    ["apply", tree, "--yes"], environment: installation.environment, directory: installation.folder)
            }
            let awaited = min(2, trees.count)
            for _ in 0..<2_000 {
                let waiting = try await installation.query(
                    """
                    SELECT count(*) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'
                    """, as: Int64.self)
                if waiting >= awaited { return }
                try await Task.sleep(for: .milliseconds(10))
            }
        }
        await holder.close()
        var outcomes: [Int: Program.Outcome] = [:]
        for (view, program) in running { outcomes[view] = try await program.outcome(within: .seconds(120)) }
        return outcomes
    }

    /// Every revision is exactly one of the trees, whole, and the audit has those that won and no other.
    private static func check(_ winners: [[Int]], in installation: Installation) async throws {
        let history = try await installation.query(
            """
            SELECT string_agg(revision || ':' || coalesce(swapped, ''), ' ' ORDER BY revision)
            FROM larder.revision r CROSS JOIN LATERAL (
                SELECT string_agg(substr(v->>'name', 5), ',' ORDER BY v->>'name')
                       FILTER (WHERE v->'versions'->-1->'features'->0->>'name' = 'b') AS swapped
                FROM json_array_elements(r.contents->'project'->'featureViews') v) views
            """, as: String.self)
        let revisions = history.split(separator: " ").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
        #expect(revisions.map { Int($0[0]) } == Array(1...Self.views.count + 1), "\(history)")
        #expect(revisions.first?[1] == "", "\(history)")
        // Each round's winners, in the order in which they came.
        var rest = revisions.dropFirst().map { Int($0[1]) ?? -1 }[...]
        for won in winners {
            #expect(rest.prefix(won.count).sorted() == won, "\(history), winners \(winners)")
            rest = rest.dropFirst(won.count)
        }
        let audit = try await installation.query(
            """
            SELECT string_agg(revision_before || '>' || revision_after, ' ' ORDER BY revision_after)
            FROM larder.apply_audit
            """, as: String.self)
        #expect(audit == (0...Self.views.count).map { "\($0)>\($0 + 1)" }.joined(separator: " "))
        // The tables are those of the last revision: its readable views show the features in its order.
        let last = revisions.last.map { String($0[1]) } ?? ""
        let shown = try await installation.query(
            """
            SELECT string_agg(substr(c.relname, 5), ',' ORDER BY c.relname) FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname LIKE 'larder\\_features\\_%'
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'a'
            JOIN pg_attribute b ON b.attrelid = c.oid AND b.attname = 'b' AND b.attnum < a.attnum
            """, as: String.self)
        #expect(shown == last)
    }

    @Test func `of first applies at once one makes the project, and the others lose or have nothing to do`()
        async throws
    {
        try await Installation.run { installation in
            let tree = try Self.write(Self.tree(swapping: nil), to: "base", in: installation)
            let running = try (0..<5).map { _ in
                try RunningProgram(
                    ["apply", tree, "--yes"], environment: installation.environment, directory: installation.folder)
            }
            for program in running {
                let outcome = try await program.outcome(within: .seconds(120))
                let isConflict = (outcome.output + outcome.errors).contains("revision_conflict")
                #expect(outcome.status == 0 || (outcome.status == 1 && isConflict), "\(outcome)")
            }
            let made = try await installation.query(
                """
                SELECT concat_ws(' ', (SELECT count(*) FROM larder.project), (SELECT count(*) FROM larder.revision),
                    (SELECT count(*) FROM larder.apply_audit), (SELECT count(*) FROM larder.generation),
                    (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'larder\\_features\\_%'))
                """, as: String.self)
            #expect(made == "1 1 1 8 1")
        }
    }
}
