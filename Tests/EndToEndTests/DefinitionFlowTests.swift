import Foundation
import PostgresClient
import Testing

/// plan, apply, list, describe.
@Suite struct DefinitionFlowTests {
    @Test func `a plan tells by its status whether there is something to do`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            let plan = try await larder.larder("plan", "--detailed-exit-code")
            #expect(plan.status == 2)
            #expect(plan.output.contains("+ feature_view \"last_visit\""))
            #expect(try await larder.larder("plan").status == 0)
            let json = try await larder.json("plan")
            #expect(json["is_no_op"] as? Bool == false)
            try await larder.succeed("apply", "--yes")
            let done = try await larder.larder("plan", "--detailed-exit-code")
            #expect(done.status == 0)
            #expect(done.output.hasPrefix("Nothing to do"))
            #expect(try await larder.larder("plan", "nowhere", "--detailed-exit-code").status == 1)
            #expect(try await larder.larder("plan", "--detailed-exit-codes").status == 64)
        }
    }

    @Test func `nothing is applied without a person or --yes`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            let before = try await larder.fingerprint()
            let outcome = try await larder.larder("apply", input: "y\n")
            #expect(outcome.status == 1)
            #expect(outcome.output.contains("+ project \"shop\""))
            #expect(outcome.errors.contains("--yes"))
            #expect(try await larder.fingerprint() == before)
        }
    }

    @Test func `a person is asked, and what is not yes is no`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            for (answer, revisions) in [("n\n", 0), ("\n", 0), ("y\n", 1)] as [(String, Int64)] {
                let outcome = try await Program.runOnTerminal(
                    "apply", environment: larder.environment, typing: answer, directory: larder.folder)
                #expect(outcome.output.contains("Apply this to project \"shop\"? [y/N]"), "\(outcome)")
                #expect(outcome.status == (revisions == 0 ? 1 : 0))
                #expect(try await larder.query("SELECT count(*) FROM larder.revision", as: Int64.self) == revisions)
            }
        }
    }

    @Test func `an apply makes a revision, and applying the same again makes none`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            #expect(try await larder.succeed("apply", "--yes").contains("is at revision 1."))
            let again = try await larder.json("apply", "--yes")
            #expect(again["applied"] as? Bool == false)
            #expect(again["revision"] as? Int == 1)
            try larder.write(Shop.definitions.replacing("Who buys", with: "Whoever buys"))
            let changed = try await larder.json("apply", "--yes")
            #expect(changed["applied"] as? Bool == true)
            #expect(changed["revision"] as? Int == 2)
        }
    }

    @Test func `an object goes only with --allow-removals`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let withoutService = try #require(
                Shop.definitions.components(separatedBy: "---\nkind: feature_service").first)
            try larder.write(withoutService)
            let refused = try await larder.larder("apply", "--yes")
            #expect(refused.status == 1)
            #expect(refused.errors.contains("--allow-removals"))
            #expect(
                try await larder.succeed("apply", "--yes", "--allow-removals").contains(
                    "- feature_service \"checkout\""))
            #expect(try await larder.succeed("list", "feature-services").hasPrefix("There are no feature services"))
        }
    }

    @Test func `what is registered can be listed and described`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            let views = try await larder.succeed("list", "feature-views")
            #expect(views.split(separator: "\n").count == 2)
            #expect(views.contains("last_visit"))
            for kind in ["entities", "sources", "feature-services"] {
                #expect(try await larder.json("list", kind)["project"] as? String == "shop")
            }
            let view = try await larder.json("describe", "feature-views", "last_visit")
            #expect(view["ttl"] as? String == "6h")
            #expect(view["published"] as? Bool == false)
            let text = try await larder.succeed("describe", "feature-views", "last_visit", "--project", "shop")
            #expect(text.contains("amount >= 100"))
            let unknown = try await larder.larder("describe", "feature-views", "last_visits")
            #expect(unknown.status == 1)
            #expect(unknown.errors.contains("did you mean \"last_visit\"?"))
            let project = try await larder.larder("list", "entities", "--project", "shops")
            #expect(project.errors.contains("did you mean \"shop\"?"))
        }
    }

    @Test func `of several projects one has to be named`() async throws {
        try await Installation.run { larder in
            try larder.write(Shop.definitions)
            try await larder.succeed("apply", "--yes")
            try larder.write(Shop.definitions.replacing("name: shop", with: "name: store"))
            try await larder.succeed("apply", "--yes")
            let outcome = try await larder.larder("list", "entities")
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("--project with one of shop, store"))
            #expect(try await larder.json("list", "entities", "--project", "store")["project"] as? String == "store")
            let mismatch = try await larder.larder("plan", "--project", "shop")
            #expect(mismatch.errors.contains("are of project \"store\""))
        }
    }
}
