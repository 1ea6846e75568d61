import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OfflineStore
import PostgresClient
import Testing

/// One view over one table source, and whatever else.
private func definitions(
    feature: String = "{name: out, type: float64, expr: temp}", filter: String = "", more: String = ""
) -> String {
    """
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
      - {name: day, type: date}
      - {name: station, type: int32}
    timestamp: at
    ---
    kind: feature_view
    name: airport_weather
    entities: [airport]
    source: weather
    \(filter.isEmpty ? "" : "where: \(filter)")
    features:
      - \(feature)
    \(more)
    """
}

private func query(
    _ sql: String, columns: String = "{name: origin, type: string}, {name: mean, type: float64}"
) -> String {
    """
    ---
    kind: source
    name: means
    type: query
    columns: [\(columns)]
    query: |
      \(sql)
    """
}

@Suite struct JudgeTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let feature: String
        let code: ErrorCode
        let words: [String]

        var testDescription: String { feature }

        init(_ type: String, _ expression: String, _ code: ErrorCode, _ words: [String]) {
            feature = "{name: out, type: \(type), expr: '\(expression.replacingOccurrences(of: "'", with: "''"))'}"
            self.code = code
            self.words = words
        }

        static let all: [Mistake] = [
            .init("float64", "tmep * 2", .expressionInvalid, ["tmep", "did you mean \"temp\""]),
            .init("float64", "temp +", .expressionInvalid, ["syntax error"]),
            .init("float64", "no_such_function(temp)", .expressionInvalid, ["no_such_function"]),
            .init(
                "int32", "extract(hour from at)", .expressionNotImmutable, ["extract(hour from at AT TIME ZONE 'UTC')"]),
            .init("bool", "at > now()", .expressionNotImmutable, ["not immutable"]),
            .init("bool", "at < current_date", .expressionNotImmutable, ["not immutable"]),
            .init("float64", "random() * temp", .expressionNotImmutable, ["not immutable"]),
            .init("string", "to_char(at, 'YYYY')", .expressionNotImmutable, ["not immutable"]),
            .init("bool", "current_user = origin", .expressionNotImmutable, ["not immutable"]),
            .init("float64", "(select max(temp) from weather)", .expressionInvalid, ["own row"]),
            .init("int64", "(select count(*) from larder.project)", .expressionInvalid, ["airport_weather"]),
            .init("float64", "avg(temp)", .expressionInvalid, ["own row"]),
            .init("float64", "max(temp) over ()", .expressionInvalid, ["own row"]),
            .init("int32", "unnest(ARRAY[1, 2])", .expressionInvalid, ["set-returning"]),
            .init("bool", "weather IS NULL", .expressionInvalid, ["whole-row"]),
            .init("int64", "__sequence", .expressionInvalid, ["__sequence"]),
            .init("float32", "temp", .expressionInvalid, ["float8", "float32"]),
            .init("int32", "station * 2::bigint", .expressionInvalid, ["int8", "int32"]),
            .init("float64", "temp::numeric", .expressionInvalid, ["numeric"]),
            .init("timestamp", "at AT TIME ZONE 'UTC'", .expressionInvalid, ["AT TIME ZONE"]),
            .init("string", "temp", .expressionInvalid, ["float8", "string"]),
        ]
    }

    private func expectNothing(_ larder: LarderFixture) async throws {
        #expect(try await larder.count("larder.project") == 0)
        let tables = try await larder.value(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'larder_data'", as: Int64.self)
        #expect(tables == 0)
    }

    @Test(arguments: Mistake.all)
    func `an expression that does not do is refused with its place and a way out`(_ mistake: Mistake) async throws {
        try await LarderFixture.run { larder in
            let yaml = definitions(feature: mistake.feature)
            let error = try await thrownError { try await larder.apply(yaml) }
            let single = error.errors.first ?? error
            #expect(single.code == mistake.code, "\(error)")
            for word in mistake.words { #expect(error.description.contains(word), "\(error)") }
            let line = yaml.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
                $0.contains("name: out")
            }
            #expect(single.location?.file == "test.yaml" && single.location?.line == line.map { $0 + 1 }, "\(error)")
            #expect(single.message.contains("\"out\"") && single.message.contains("\"airport_weather\""), "\(error)")
            #expect(single.hint != nil)
            try await expectNothing(larder)
        }
    }

    @Test func `a filter that does not do is refused like an expression`() async throws {
        try await LarderFixture.run { larder in
            for (filter, code) in [
                ("temp", ErrorCode.expressionInvalid), ("at > now()", .expressionNotImmutable),
                ("tmep > 1", .expressionInvalid),
            ] {
                let error = try await thrownError { try await larder.apply(definitions(filter: "'\(filter)'")) }
                #expect((error.errors.first ?? error).code == code, "\(error)")
                #expect(error.description.contains("where of feature view \"airport_weather\""), "\(error)")
            }
            try await expectNothing(larder)
        }
    }

    @Test func `all that is wrong is told at once`() async throws {
        try await LarderFixture.run { larder in
            let error = try await thrownError {
                try await larder.apply(
                    definitions(
                        feature:
                            "{name: first, type: float64, expr: tmep}\n  - {name: second, type: bool, expr: at > now()}",
                        filter: "'temp'", more: query("SELECT origin FROM weather")))
            }
            #expect(error.errors.count == 4, "\(error)")
        }
    }

    @Test(arguments: [
        ("SELECT origin FROM weather", ["mean"]),
        ("SELECT origin, avg(tmep) AS mean FROM weather GROUP BY 1", ["tmep"]),
        ("SELECT origin, avg(temp)::numeric AS mean FROM weather GROUP BY 1", ["numeric", "cast"]),
        ("SELECT name AS origin, 1.5::float8 AS mean FROM larder.project", ["permission denied"]),
        ("SELECT 'x' AS origin, 1::float8 AS mean FROM elsewhere", ["elsewhere"]),
        ("DELETE FROM weather RETURNING origin, temp AS mean", ["DELETE"]),
        ("WITH gone AS (DELETE FROM weather RETURNING *) SELECT origin, temp AS mean FROM gone", ["means"]),
    ])
    func `a query that does not do is refused with the reason`(sql: String, words: [String]) async throws {
        try await LarderFixture.run { larder in
            let error = try await thrownError { try await larder.apply(definitions(more: query(sql))) }
            for word in words + ["source \"means\""] { #expect(error.description.contains(word), "\(error)") }
            let location = (error.errors.first ?? error).location
            #expect(location?.file == "test.yaml", "\(error)")
            try await expectNothing(larder)
        }
    }

    @Test func `a query that ends in a comment, and names and columns that look like the layout's, compute`()
        async throws
    {
        try await LarderFixture.run { larder in
            try await larder.apply(
                """
                kind: project
                name: test
                ---
                kind: entity
                name: thing
                join_keys: [{name: k1, type: string}, {name: f1, type: int32}]
                ---
                kind: source
                name: t
                type: table
                columns:
                  - {name: k1, type: string}
                  - {name: f1, type: int32}
                  - {name: sequence, type: timestamp}
                  - {name: write_id, type: float64}
                  - {name: d, type: date}
                timestamp: sequence
                ---
                kind: source
                name: w
                type: query
                columns: [{name: k1, type: string}, {name: f1, type: int32}, {name: f2, type: int64}]
                query: |
                  SELECT k1, f1, count(*) AS f2 FROM t GROUP BY k1, f1 -- all of them
                ---
                kind: feature_view
                name: plain
                entities: [thing]
                source: t
                where: |
                  t.write_id > 0 -- no more
                features:
                  - {name: write_id, type: float64}
                  - {name: named, type: float64, expr: t.write_id * 2}
                  - {name: k2, type: string, expr: "k1 || '''' || \\"k1\\""}
                ---
                kind: feature_view
                name: counted
                entities: [thing]
                source: w
                features: [{name: f2, type: int64, expr: w.f2}]
                """)
            try await larder.ingest(
                "t", "k1,f1,sequence,write_id,d\na,1,2013-01-01T00:00:00Z,2.5,\na,1,2013-01-02T00:00:00Z,-1,\n")
            try await larder.materialize()
            try await larder.materialize(isFull: true)
            var options = TrainingSetOptions()
            options.timestampColumn = "time"
            let lines = try await larder.trainingSet(
                spine: "k1,f1,time\na,1,2013-01-03T00:00:00Z\n", ["plain:*", "counted:*"], options: options)
            #expect(lines == ["k1,f1,time,write_id,named,k2,f2", "a,1,2013-01-03T00:00:00Z,2.5,5.0,a'a,2"])
        }
    }

    @Test func `what fails only on some row says which view and source, and writes nothing`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(definitions(feature: "{name: out, type: int32, expr: 100 / station}"))
            try await larder.ingest(
                "weather", "origin,at,temp,day,station\nJFK,2013-01-01T00:00:00Z,1,,1\nJFK,2013-01-02T00:00:00Z,1,,0\n")
            let error = try await thrownError { try await larder.materialize() }
            #expect(error.code == .sourceQueryFailed)
            #expect(
                error.message == #"expr of feature "out" of feature view "airport_weather" failed: division by zero "#
                    + #"(origin = "JFK", event time 2013-01-02T00:00:00Z); nothing was written"#)
            #expect(error.hint?.contains("say generation: 2 with it") == true, "\(error)")
            #expect(try await larder.count(larder.offlineTable("airport_weather")) == 0)
            #expect(try await larder.count("larder.watermark") == 0)
        }
    }

    @Test func `the row that an expression fails at is found among many, and no value of it is told`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                definitions(
                    feature: """
                        {name: half, type: float64, expr: temp / 2}
                          - {name: out, type: int32, expr: "(station::text || repeat('-secret', (temp > 9)::int))::int"}
                          - {name: last, type: int32, expr: "100 / (station + 1)"}
                        """))
            // More records than the probe takes in one stride.
            let start: Int64 = 1_357_000_000_000_000
            let rows = (0..<30_000).map { number in
                let time = Timestamp(microsecondsSince1970: start + Int64(number) * 1_000_000)
                return "K\(number),\(time),\(number == 29_000 ? 10 : 1),,\(number)\n"
            }
            try await larder.ingest("weather", "origin,at,temp,day,station\n\(rows.joined())")
            let error = try await thrownError { try await larder.materialize() }
            let time = Timestamp(microsecondsSince1970: start + 29_000 * 1_000_000)
            #expect(
                error.message == #"expr of feature "out" of feature view "airport_weather" failed: invalid input "#
                    + #"syntax for type integer: "..." (origin = "K29000", event time \#(time)); nothing was written"#)
            #expect(!error.description.contains("secret"))
        }
    }

    @Test func `a where that fails is told apart from expressions, and from what its source computes`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(
                definitions(
                    filter: "100 / station > 0",
                    more: query("SELECT origin, 1 / (temp - 1) AS mean FROM weather") + """

                        ---
                        kind: feature_view
                        name: mean_weather
                        entities: [airport]
                        source: means
                        features: [{name: mean, type: float64}, {name: twice, type: float64, expr: mean * 2}]
                        """))
            try await larder.ingest("weather", "origin,at,temp,day,station\nJFK,2013-01-02T00:00:00Z,1,,0\n")
            let filter = try await thrownError { try await larder.materialize(["airport_weather"]) }
            #expect(
                filter.message == #"where of feature view "airport_weather" failed: division by zero "#
                    + #"(origin = "JFK", event time 2013-01-02T00:00:00Z); nothing was written"#)
            let source = try await thrownError { try await larder.materialize(["mean_weather"]) }
            #expect(source.message == #"source "means" of feature view "mean_weather" failed: division by zero"#)
        }
    }

    @Test func `an existing table is read in place, as the source login may`() async throws {
        try await LarderFixture.run { larder in
            try await larder.stores.owner.withConnection { connection in
                try await connection.executeScript(
                    """
                    CREATE SCHEMA shop;
                    CREATE TABLE shop.prices (origin varchar(10), price real, at timestamptz, n smallint);
                    INSERT INTO shop.prices VALUES ('JFK', 1.5, '2013-01-01Z', 7), ('EWR', 2.5, '2013-01-01Z', NULL);
                    """)
            }
            let yaml = definitions(
                more: """
                    ---
                    kind: source
                    name: prices
                    type: postgres
                    table: shop.prices
                    columns: [{name: origin, type: string}, {name: price, type: float64}, {name: at, type: timestamp}, {name: n, type: int32}]
                    timestamp: at
                    ---
                    kind: feature_view
                    name: price
                    entities: [airport]
                    source: prices
                    features: [{name: price, type: float64}, {name: n, type: int64}]
                    """)
            let denied = try await thrownError { try await larder.apply(yaml) }
            #expect(
                denied.description.contains("permission denied") && denied.description.contains("source \"prices\""),
                "\(denied)")
            let login = larder.stores.sourceLogin
            try await larder.stores.owner.withConnection { connection in
                try await connection.execute("GRANT USAGE ON SCHEMA shop TO \(identifier: login)")
                _ = try await connection.execute("GRANT SELECT ON shop.prices TO \(identifier: login)")
            }
            try await larder.apply(yaml)
            #expect(try await larder.materialize(["price"]).first?.offline?.rowsWritten == 2)
            _ = try await larder.stores.owner.withConnection { connection in
                try await connection.execute("UPDATE shop.prices SET price = 3 WHERE origin = 'JFK'")
            }
            #expect(
                try await larder.materialize(["price"]).first?.offline
                    == .init(rowsRead: 2, rowsWritten: 1, rowsWithdrawn: 1))
            let lines = try await larder.trainingSet(
                spine: "origin,event_timestamp\nJFK,2013-01-02T00:00:00Z\nEWR,2013-01-02T00:00:00Z\n", ["price:*"])
            #expect(lines.dropFirst() == ["JFK,2013-01-02T00:00:00Z,3.0,7", "EWR,2013-01-02T00:00:00Z,2.5,"])
        }
    }
}
