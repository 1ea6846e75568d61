import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import OnlineStore
import PostgresClient
import Synchronization
import Testing
import TextFormats

private let weather = """
    kind: project
    name: test
    ---
    kind: entity
    name: airport
    join_keys: [{name: origin, type: string}]
    ---
    kind: source
    name: weather
    type: table
    columns:
      - {name: origin, type: string}
      - {name: at, type: timestamp}
      - {name: temp, type: float64}
    timestamp: at
    ROW_KEY
    ---
    kind: feature_view
    name: airport_weather
    entities: [airport]
    source: weather
    ttl: 6h
    features:
      - {name: temp, type: float64, expect: {max: 140}}
      - {name: is_freezing, type: bool, expr: temp <= 32}
    """

private func weather(rowKey: Bool) -> String {
    weather.replacingOccurrences(of: "ROW_KEY", with: rowKey ? "row_key: [origin, at]" : "")
}

@Suite struct MaterializationTests {
    @Test func `rows committed since the last run are computed, and nothing twice`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n")
            let first = try await larder.materialize()
            #expect(first.first?.offline == MaterializationResult(rowsRead: 1, rowsWritten: 1, rowsWithdrawn: 0))
            let second = try await larder.materialize()
            #expect(second.first?.offline == MaterializationResult(rowsRead: 0, rowsWritten: 0, rowsWithdrawn: 0))
            // Late: older than what is there.
            try await larder.ingest("weather", "origin,at,temp\nJFK,2012-12-31T00:00:00Z,40\n")
            let third = try await larder.materialize()
            #expect(third.first?.offline == MaterializationResult(rowsRead: 1, rowsWritten: 1, rowsWithdrawn: 0))
            let full = try await larder.materialize(isFull: true)
            #expect(full.first?.offline == MaterializationResult(rowsRead: 2, rowsWritten: 0, rowsWithdrawn: 0))
        }
    }

    @Test func `a bounded run writes its range only and the next run completes it`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            try await larder.ingest(
                "weather",
                "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\nJFK,2013-01-02T00:00:00Z,31\nJFK,2013-01-03T00:00:00Z,32\n"
            )
            let bounds = EventTimeBounds(
                start: Timestamp("2013-01-02T00:00:00Z"), end: Timestamp("2013-01-02T00:00:00Z"))
            let bounded = try await larder.materialize(bounds: bounds)
            #expect(bounded.first?.offline == MaterializationResult(rowsRead: 1, rowsWritten: 1, rowsWithdrawn: 0))
            let rest = try await larder.materialize()
            #expect(rest.first?.offline == MaterializationResult(rowsRead: 3, rowsWritten: 2, rowsWithdrawn: 0))
        }
    }

    @Test func `a later row with the same row key withdraws the earlier one`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: true))
            try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n")
            try await larder.materialize()
            let again = try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,35\n")
            #expect(again.rowsReplaced == 1 && again.rowsOutdated == 0)
            let result = try await larder.materialize()
            #expect(result.first?.offline == MaterializationResult(rowsRead: 1, rowsWritten: 1, rowsWithdrawn: 1))
            let lines = try await larder.trainingSet(
                spine: "origin,event_timestamp\nJFK,2013-01-01T01:00:00Z\n", ["airport_weather:temp"])
            #expect(lines.last == "JFK,2013-01-01T01:00:00Z,35.0")
        }
    }

    @Test func `a file ingested twice counts once`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            let text = "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n"
            let first = try await larder.ingest("weather", text)
            let second = try await larder.ingest("weather", text)
            #expect(!first.wasThereBefore && second.wasThereBefore)
            let project = try await larder.project()
            let source = try project.source(named: "weather")
            let count = try await larder.value(
                "SELECT count(*) FROM larder_data.\(identifier: "source_\(source.id)")", as: Int64.self)
            #expect(count == 1)
        }
    }

    @Test func `a row that breaks an expectation fails the run and nothing is written`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            try await larder.ingest(
                "weather",
                "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n"
                    + "JFK,2013-01-02T00:00:00Z,141\n,2013-01-02T00:00:00Z,1\n"
            )
            let error = try await thrownError { try await larder.materialize() }
            #expect(error.code == .rowsRejected)
            #expect(Set(error.rows.map(\.code)) == ["above_maximum", "null_key"])
            let told = #"""
                feature view "airport_weather": 2 violations in 3 computed rows; nothing was written: column "origin" of \#
                source "weather", a join key, is null in 1 row (the first: origin = null, event time \#
                2013-01-02T00:00:00Z, ingested
                """#
            #expect(error.message.hasPrefix(told), "\(error)")
            #expect(error.hint?.contains("where: weather.origin IS NOT NULL; relax the feature") == true, "\(error)")
            #expect(error.hint?.contains("say generation: 2 with it") == true, "\(error)")
            let view = try await larder.project().featureView(named: "airport_weather")
            let count = try await larder.value(
                "SELECT count(*) FROM larder_data.\(identifier: "view_\(view.id)_g1")", as: Int64.self)
            #expect(count == 0)
        }
    }

    @Test func `a computed row whose key is longer than the index takes is named by the beginning of its key`()
        async throws
    {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            let long = String((0..<5_000).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
            try await larder.ingest(
                "weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n\(long),2013-01-02T00:00:00Z,1\n")
            let error = try await thrownError { try await larder.materialize() }
            #expect(error.code == .rowsRejected)
            #expect(error.rows.map(\.code) == ["key_too_long"] && error.rows.first?.feature == "origin", "\(error)")
            let message = try #require(error.rows.first).message
            #expect(
                message.hasPrefix("the keys of the row have 5000 bytes together, more than 2000 (origin = \"")
                    && message.contains(long.prefix(90)) && message.count < 300, "\(error)")
            #expect(
                error.hint?.hasPrefix("leave such rows out with where: octet_length(weather.origin) <= 2000; where:")
                    == true, "\(error)")
        }
    }

    @Test func `a where in a generation of its own leaves rows without a key out, and the old one is to be dropped`()
        async throws
    {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            try await larder.ingest(
                "weather", "origin,at,temp\n,2013-01-02T00:00:00Z,1\nJFK,2013-01-01T00:00:00Z,30\n")
            let alone = try await thrownError { try await larder.materialize() }
            #expect(alone.message.contains("1 violation in 2 computed rows") && alone.code == .rowsRejected)
            // The way out that the hint tells.
            let filtered = weather(rowKey: false).replacing(
                "ttl: 6h", with: "ttl: 6h\nwhere: weather.origin IS NOT NULL")
            let refused = try await thrownError { try await larder.apply(filtered) }
            #expect(refused.description.contains("say generation: 2"), "\(refused)")
            try await larder.apply(filtered.replacing("ttl: 6h", with: "ttl: 6h\ngeneration: 2"))
            let results = try await MaterializeViews(stores: larder.stores).run(
                .init(stages: [.offline]), in: try await larder.project())
            #expect(results.map { $0.offline?.rowsWritten } == [nil, 1])
            let old = try #require(results.failure)
            #expect(old.message.hasPrefix(#"generation 1 of feature view "airport_weather": 1 violation"#), "\(old)")
            #expect(old.hint?.contains("larder drop airport_weather --generation 1") == true, "\(old)")
        }
    }

    @Test func `each view that failed is told with its own reason, the first ten of many`() async throws {
        let views = (10..<22).map { number in
            """

            ---
            kind: feature_view
            name: hot\(number)
            entities: [airport]
            source: weather
            features: [{name: temp, type: float64, expect: {max: 40}}]
            """
        }
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false) + views.joined())
            let rows = (0..<30).map { "JFK,2013-01-01T00:00:\($0 < 10 ? "0" : "")\($0)Z,50\n" }
            try await larder.ingest("weather", "origin,at,temp\n\(rows.joined())")
            let error = try await thrownError { try await larder.materialize() }
            let names = (10..<20).map { "\"hot\($0)\"" }.joined(separator: ", ")
            #expect(
                error.message == "12 of 13 feature views could not be computed: \(names) and 2 more; the others were")
            #expect(error.code == .rowsRejected)
            #expect(
                error.errors.map(\.message)
                    == (10..<20).map {
                        "feature view \"hot\($0)\": 30 violations in 30 computed rows; nothing was written"
                    })
            #expect(error.errors.allSatisfy { $0.hint != nil && $0.rows.count == 10 && $0.violationCount == 30 })
        }
    }

    @Test func `of views side by side one that cannot be computed keeps no other from it, and stays as it was`()
        async throws
    {
        let others = ["first", "second", "third"]
        let views = others.map { name in
            """

            ---
            kind: feature_view
            name: \(name)
            entities: [airport]
            source: weather
            features: [{name: temp, type: float64}]
            """
        }
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false) + views.joined())
            try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n")
            try await larder.materialize(stages: [.offline, .online])
            try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T01:00:00Z,141\n")
            let told = Mutex<[String: Int64]>([:])
            let results = try await MaterializeViews(stores: larder.stores, parallelViews: 3).run(
                .init(), in: try await larder.project()
            ) { view, stage, rows in told.withLock { $0["\(stage.rawValue) \(view)"] = rows } }
            #expect(results.map(\.view) == ["airport_weather"] + others)
            #expect(results.map { $0.failure?.code } == [.rowsRejected, nil, nil, nil])
            #expect(results.map { $0.offline?.rowsWritten } == [nil, 1, 1, 1])
            let one = OnlineWriteCounts(written: 1)
            #expect(results.map(\.online) == [OnlineWriteCounts(), one, one, one])
            let rows = told.withLock { $0 }
            for name in others { #expect(rows["offline \(name)"] == 1 && rows["online \(name)"] == 1, "\(rows)") }
            let now = try instant("2013-01-01T02:00:00Z")
            for (view, temperature) in [("airport_weather", 30.0), ("first", 141), ("third", 141)] {
                let (value, _) = try await larder.online(
                    "\(view):temp", [.init(name: "origin", values: [.string("JFK")])], at: now)
                #expect(value == .float64(temperature), "\(view)")
            }
        }
    }

    @Test func `a view that is named twice is done once`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n")
            let results = try await larder.materialize(
                ["airport_weather", "airport_weather"], stages: [.offline, .online])
            #expect(results.map { $0.offline?.rowsWritten } == [1])
            #expect(results.map(\.online) == [OnlineWriteCounts(written: 1)])
        }
    }

    @Test func `a query source is diffed: what is gone is withdrawn, what changed is replaced`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                weather(rowKey: true) + """

                    ---
                    kind: source
                    name: daily
                    type: query
                    columns: [{name: origin, type: string}, {name: day, type: timestamp}, {name: mean_temp, type: float64}]
                    timestamp: day
                    query: |
                      SELECT origin, date_trunc('day', at, 'UTC') + '1 day' AS day, avg(temp) AS mean_temp
                      FROM weather GROUP BY 1, 2
                    ---
                    kind: feature_view
                    name: daily_weather
                    entities: [airport]
                    source: daily
                    features: [{name: mean_temp, type: float64}]
                    """)
            try await larder.ingest(
                "weather",
                "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\nJFK,2013-01-02T00:00:00Z,31\nEWR,2013-01-02T00:00:00Z,7\n"
            )
            let first = try await larder.materialize(["daily_weather"])
            #expect(first.first?.offline == MaterializationResult(rowsRead: 3, rowsWritten: 3, rowsWithdrawn: 0))
            // A correction of one day, and a tombstone, which takes the other's only row from the query's sight.
            try await larder.ingest(
                "weather",
                "origin,at,temp,__deleted\nJFK,2013-01-01T00:00:00Z,32,\nEWR,2013-01-02T00:00:00Z,,true\n")
            let second = try await larder.materialize(["daily_weather"])
            #expect(second.first?.offline == MaterializationResult(rowsRead: 2, rowsWritten: 1, rowsWithdrawn: 2))
        }
    }

    @Test func `a query that gives two rows for one place fails the run`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                weather(rowKey: false) + """

                    ---
                    kind: source
                    name: doubled
                    type: query
                    columns: [{name: origin, type: string}, {name: at, type: timestamp}, {name: temp, type: float64}]
                    timestamp: at
                    query: SELECT origin, at, temp FROM weather UNION ALL SELECT origin, at, temp FROM weather
                    ---
                    kind: feature_view
                    name: doubled_weather
                    entities: [airport]
                    source: doubled
                    features: [{name: temp, type: float64}]
                    """)
            try await larder.ingest("weather", "origin,at,temp\nJFK,2013-01-01T00:00:00Z,30\n")
            let error = try await thrownError { try await larder.materialize(["doubled_weather"]) }
            #expect(error.code == .duplicateSourceRows)
            #expect(error.message.contains("origin = \"JFK\""))
        }
    }

    @Test func `runs at once write every row once`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(weather(rowKey: false))
            let start: Int64 = 1_357_000_000_000_000
            let rows = (0..<500).map { minute in
                "JFK,\(Timestamp(microsecondsSince1970: start + Int64(minute) * 60_000_000)),\(minute % 100)"
            }
            try await larder.ingest("weather", "origin,at,temp\n" + rows.joined(separator: "\n") + "\n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { try await larder.materialize() } }
                try await group.waitForAll()
            }
            let view = try await larder.project().featureView(named: "airport_weather")
            let count = try await larder.value(
                "SELECT count(*) FROM larder_data.\(identifier: "view_\(view.id)_g1")", as: Int64.self)
            #expect(count == 500)
        }
    }
}
