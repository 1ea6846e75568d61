import Foundation
import PostgresClient
import TestSupport
import Testing

/// Training sets of a fixed past, made side by side while that past is being written over.
@Suite struct TrainingSetConcurrencyTests {
    @Test func `four training jobs beside an ingest and a materialization answer as they do alone`() async throws {
        try await Installation.run { larder in
            let world = try await World(larder)
            let server = try RunningProgram(["serve", "--port", "0"], environment: larder.environment)
            do {
                try await check(larder, world, try await server.address())
            } catch {
                server.signal(SIGKILL)
                throw error
            }
            server.signal(SIGTERM)
            #expect(try await server.outcome(within: .seconds(30)).status == 0)
        }
    }

    private func check(_ larder: Installation, _ world: World, _ address: String) async throws {
        let asOf = try await larder.query(
            """
            SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            """, as: String.self)
        func runs(_ kind: String, asOf: String?) -> [Run] {
            TrainingJob.all.map { $0.run(address, asOf: asOf, out: "\(kind)-\($0.name)") }
        }

        var alone: [Data] = []
        for run in runs("alone", asOf: asOf) {
            try await Run.all([run], larder)
            alone.append(try run.bytes(larder))
        }
        // From here on each answer would be another one if it did not keep to its time: some late rows are computed,
        // some wait for that, and some are on their way.
        try await larder.succeed("ingest", "visits", try world.lateRows(minute: 1, days: 2))
        try await larder.succeed("materialize", "--only", "offline")
        try await larder.succeed("ingest", "visits", try world.lateRows(minute: 2, days: World.days / 2))
        let together = runs("together", asOf: asOf)
        let spans = try await Run.all(
            together + [
                Run("ingest", ["ingest", "visits", try world.lateRows(minute: 3, days: World.days)]),
                Run("materialize", ["materialize", "--only", "offline"]),
            ], larder)
        // Otherwise they were only one after the other.
        let lastStart = try #require(spans.map(\.start).max())
        let firstEnd = try #require(spans.map(\.end).min())
        #expect(lastStart < firstEnd, "not all six ran at one moment: \(spans)")
        for (run, bytes) in zip(together, alone) {
            #expect(try run.bytes(larder) == bytes, "differs from alone: \(run)")
        }

        let now = runs("now", asOf: nil)
        try await Run.all(now, larder)
        for (run, bytes) in zip(now, alone) {
            #expect(try run.bytes(larder) != bytes, "as_of makes no difference: \(run)")
        }
    }
}

/// One of the four: no two have the same service, format and options.
private struct TrainingJob {
    let name: String
    let service: String
    /// As the query of a request; nil for the command line.
    var query: String?
    var type = ""
    var options: [String] = []

    static let all = [
        TrainingJob(name: "newest.csv", service: "newest", options: ["--include-timestamps"]),
        TrainingJob(name: "sums.arrow", service: "sums", options: ["--full-feature-names", "--split", "a=0.5,b=0.5"]),
        TrainingJob(name: "pages.ndjson", service: "pages", query: "ttl=page_hours=none", type: "application/x-ndjson"),
        TrainingJob(
            name: "everything.arrows", service: "everything", query: "include_timestamps=true",
            type: "application/vnd.apache.arrow.stream"),
    ]

    func run(_ address: String, asOf: String?, out: String) -> Run {
        guard let query else {
            let time = asOf.map { ["--as-of", $0] } ?? []
            return Run(
                name,
                ["training-set", "create", "--spine", "spine.csv", "--service", service, "--out", out] + options + time,
                out: out)
        }
        let time = asOf.map { "&as_of=\($0)" } ?? ""
        let path = "/v1/projects/shop/training-sets?service=\(service)&\(query)\(time)"
        return Run(
            name,
            [
                "curl", "--fail-with-body", "--silent", "--show-error", "--header", "Content-Type: text/csv",
                "--header",
                "Accept: \(type)", "--data-binary", "@spine.csv", "--output", out, address + path,
            ], out: out, isOther: true)
    }
}

/// A process that has to end well, and what it writes.
private struct Run: CustomStringConvertible {
    let name: String
    let arguments: [String]
    let out: String
    /// Whether it is another program than the one under test.
    let isOther: Bool

    var description: String { "\(isOther ? "" : "larder ")\(arguments.joined(separator: " "))" }

    struct Span: CustomStringConvertible {
        let name: String
        let start: ContinuousClock.Instant
        let end: ContinuousClock.Instant

        var description: String { "\(name) \(end - start)" }
    }

    init(_ name: String, _ arguments: [String], out: String = "", isOther: Bool = false) {
        self.name = name
        self.arguments = arguments
        self.out = out
        self.isOther = isOther
    }

    func bytes(_ larder: Installation) throws -> Data {
        try Data(contentsOf: larder.folder.appending(path: out))
    }

    /// Runs them all at once.
    @discardableResult
    static func all(_ runs: [Run], _ larder: Installation) async throws -> [Span] {
        try await withThrowingTaskGroup(of: Span.self) { group in
            for run in runs {
                let start = ContinuousClock.now
                let process = try RunningProgram(
                    run.arguments, environment: larder.environment, directory: larder.folder,
                    launcher: run.isOther ? URL(filePath: "/usr/bin/env") : nil)
                group.addTask {
                    let outcome = try await process.outcome(within: .seconds(120))
                    let end = ContinuousClock.now
                    #expect(outcome.status == 0, "\(run): \(outcome)")
                    return Span(name: run.name, start: start, end: end)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

/// Visits of customers to pages, hour by hour, and three views of them: the rows themselves, and two sums that late rows
/// change, so that what was computed before is withdrawn.
private struct World {
    /// So many that everything takes long enough to overlap.
    private static let spineRows = 100_000
    private static let customers = 4_000
    static let days = 12
    private static let pages = 50

    private static let definitions = """
        kind: project
        name: shop
        ---
        kind: entity
        name: customer
        join_keys: [{name: customer_id, type: int64}]
        ---
        kind: entity
        name: page
        join_keys: [{name: page, type: string}]
        ---
        kind: source
        name: visits
        type: table
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: page, type: string, nullable: false}
          - {name: visited_at, type: timestamp}
          - {name: amount, type: int64}
        timestamp: visited_at
        ---
        kind: source
        name: customer_sums
        type: query
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: day_end, type: timestamp}
          - {name: total, type: int64}
        timestamp: day_end
        query: |
          SELECT customer_id, date_trunc('day', visited_at, 'UTC') + '24 hours' AS day_end, sum(amount)::bigint AS total
          FROM visits GROUP BY 1, 2
        ---
        kind: source
        name: page_sums
        type: query
        columns:
          - {name: page, type: string, nullable: false}
          - {name: hour_end, type: timestamp}
          - {name: visitors, type: int64}
        timestamp: hour_end
        query: |
          SELECT page, date_trunc('hour', visited_at, 'UTC') + '1 hour' AS hour_end, count(*) AS visitors
          FROM visits GROUP BY 1, 2
        ---
        kind: feature_view
        name: last_visit
        entities: [customer]
        source: visits
        ttl: 36h
        features:
          - {name: amount, type: int64}
          - {name: last_page, type: string, expr: page}
        ---
        kind: feature_view
        name: customer_days
        entities: [customer]
        source: customer_sums
        features: [{name: total, type: int64}]
        ---
        kind: feature_view
        name: page_hours
        entities: [page]
        source: page_sums
        ttl: 12h
        features: [{name: visitors, type: int64}]
        ---
        kind: feature_service
        name: newest
        features: [last_visit:*]
        ---
        kind: feature_service
        name: sums
        features: [customer_days:total, last_visit:amount]
        ---
        kind: feature_service
        name: pages
        features: [page_hours:*]
        ---
        kind: feature_service
        name: everything
        features: [last_visit:*, customer_days:*, page_hours:*]

        """

    private let larder: Installation

    /// Everything is there but the late rows.
    init(_ larder: Installation) async throws {
        self.larder = larder
        try larder.write(Self.definitions)
        try await larder.succeed("apply", "--yes")
        // Some of the spine's customers never came, and its times lie between the visits.
        let spine = (0..<Self.spineRows).map { row in
            let customer = row * 7_919 % (Self.customers + 40)
            return "\(customer),p\(row % Self.pages),\(Self.time(row * 31, hour: row * 17, minute: 30)),\(row)"
        }
        try write("customer_id,page,event_timestamp,label", spine, to: "spine.csv")
        try await larder.succeed("ingest", "visits", try visits("visits.csv", days: Self.days, minute: 0))
        try await larder.succeed("materialize", "--only", "offline")
    }

    /// The name of a file of rows that lie between those at the full hour and the spine's times, so that they change the
    /// answers for those days.
    func lateRows(minute: Int, days: Int) throws -> String {
        try visits("late\(minute).csv", days: days, minute: minute)
    }

    /// Every customer visits a page on each day.
    private func visits(_ name: String, days: Int, minute: Int) throws -> String {
        let rows = (0..<days).flatMap { day in
            (0..<Self.customers).map { customer in
                let page = "p\((customer + day) % Self.pages)"
                return "\(customer),\(page),\(Self.time(day, hour: customer, minute: minute)),\(customer + minute)"
            }
        }
        try write("customer_id,page,visited_at,amount", rows, to: name)
        return name
    }

    private func write(_ header: String, _ rows: [String], to name: String) throws {
        try Data("\(header)\n\(rows.joined(separator: "\n"))\n".utf8).write(to: larder.folder.appending(path: name))
    }

    private static func time(_ day: Int, hour: Int, minute: Int) -> String {
        func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "2024-05-\(digits(1 + day % days))T\(digits(hour % 24)):\(digits(minute)):00Z"
    }
}
