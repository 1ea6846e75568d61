import Foundation
import PostgresClient
import TestSupport
import Testing

/// Training sets of a fixed past, made side by side while that past is being written over.
@Suite struct TrainingSetConcurrencyTests {
    @Test func `four training jobs beside an ingest and a materialization answer as they do alone`() async throws {
        try await Installation.run { larder in
            let world = try await VisitWorld(larder)
            try await larder.withServer { try await check(larder, world, $0.address) }
        }
    }

    private func check(_ larder: Installation, _ world: VisitWorld, _ address: String) async throws {
        let asOf = try await larder.query(
            """
            SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            """, as: String.self)
        func runs(_ kind: String, asOf: String?) -> [TimedRun] {
            TrainingJob.all.map { $0.run(address, asOf: asOf, out: "\(kind)-\($0.name)") }
        }

        var alone: [Data] = []
        for run in runs("alone", asOf: asOf) {
            try await TimedRun.all([run], larder)
            alone.append(try run.bytes(larder))
        }
        // From here on each answer would be another one if it did not keep to its time: some late rows are computed,
        // some wait for that, and some are on their way.
        try await larder.succeed("ingest", "visits", try world.lateRows(minute: 1, days: 2))
        try await larder.succeed("materialize", "--only", "offline")
        try await larder.succeed("ingest", "visits", try world.lateRows(minute: 2, days: VisitWorld.days / 2))
        let together = runs("together", asOf: asOf)
        let spans = try await TimedRun.all(
            together + [
                TimedRun("ingest", ["ingest", "visits", try world.lateRows(minute: 3, days: VisitWorld.days)]),
                TimedRun("materialize", ["materialize", "--only", "offline"]),
            ], larder)
        // Otherwise they were only one after the other.
        let lastStart = try #require(spans.map(\.start).max())
        let firstEnd = try #require(spans.map(\.end).min())
        #expect(lastStart < firstEnd, "not all six ran at one moment: \(spans)")
        for (run, bytes) in zip(together, alone) {
            #expect(try run.bytes(larder) == bytes, "differs from alone: \(run)")
        }

        let now = runs("now", asOf: nil)
        try await TimedRun.all(now, larder)
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

    func run(_ address: String, asOf: String?, out: String) -> TimedRun {
        guard let query else {
            let time = asOf.map { ["--as-of", $0] } ?? []
            return TimedRun(
                name,
                ["training-set", "create", "--spine", "spine.csv", "--service", service, "--out", out] + options + time,
                out: out)
        }
        let time = asOf.map { "&as_of=\($0)" } ?? ""
        let path = "/v1/projects/shop/training-sets?service=\(service)&\(query)\(time)"
        return TimedRun(
            name,
            [
                "curl", "--fail-with-body", "--silent", "--show-error", "--header", "Content-Type: text/csv",
                "--header",
                "Accept: \(type)", "--data-binary", "@spine.csv", "--output", out, address + path,
            ], out: out, isOther: true)
    }
}
