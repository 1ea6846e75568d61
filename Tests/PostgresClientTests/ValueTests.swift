import PostgresClient
import TestSupport
import Testing

/// What is bound comes back as it was, and the server saw the value that was meant.
@Suite struct ValueTests {
    private func roundTrip<T: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [T], on connection: PostgresConnection, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            let rows = try await connection.query("SELECT \(value), \(nil as T?)")
            #expect(try rows[0].decode(at: 0, as: T.self) == value, sourceLocation: sourceLocation)
            #expect(try rows[0].decode(at: 0, as: T?.self) == value, sourceLocation: sourceLocation)
            #expect(try rows[0].decode(at: 1, as: T?.self) == nil, sourceLocation: sourceLocation)
            let failure = await postgresError { _ = try rows[0].decode(at: 1, as: T.self) }
            #expect(failure?.code == .decoding, sourceLocation: sourceLocation)
        }
    }

    @Test func scalarsRoundTripAndNullsNeedAnOptional() async throws {
        try await withConnection { (connection) async throws in
            try await roundTrip([true, false], on: connection)
            try await roundTrip([Int16.min, -1, 0, .max], on: connection)
            try await roundTrip([Int32.min, -1, 0, .max], on: connection)
            try await roundTrip([Int64.min, -1, 0, .max], on: connection)
            try await roundTrip([Int.min, .max], on: connection)
            try await roundTrip([0.5 as Float, .infinity, -.infinity, .leastNonzeroMagnitude], on: connection)
            try await roundTrip([0.1, .infinity, -.infinity, .leastNonzeroMagnitude], on: connection)
            try await roundTrip(["", "a", "Grüße 🚀", "it's \\ \"quoted\"", "\u{FEFF}x"], on: connection)
            try await roundTrip([[], [0, 1, 255], Array(repeating: 7, count: 100_000)] as [[UInt8]], on: connection)
        }
    }

    @Test func floatsKeepNaNAndTheSignOfZero() async throws {
        try await withConnection { (connection) async throws in
            let rows = try await connection.query("SELECT \(Double.nan), \(-0.0), \(Float.nan), \(-0.0 as Float)")
            #expect(try rows[0].decode(at: 0, as: Double.self).isNaN)
            #expect(try rows[0].decode(at: 1, as: Double.self).sign == .minus)
            #expect(try rows[0].decode(at: 2, as: Float.self).isNaN)
            #expect(try rows[0].decode(at: 3, as: Float.self).sign == .minus)
        }
    }

    @Test func arraysRoundTripAlsoWhenEmpty() async throws {
        try await withConnection { (connection) async throws in
            try await roundTrip([[], [1], [.min, .max]] as [[Int16]], on: connection)
            try await roundTrip([[], [1], [.min, .max]] as [[Int32]], on: connection)
            try await roundTrip([[], [1], [.min, .max]] as [[Int64]], on: connection)
            try await roundTrip([[], [0.5, -.infinity]] as [[Double]], on: connection)
            try await roundTrip([[], [0.5, -.infinity]] as [[Float]], on: connection)
            try await roundTrip([[], [true, false]], on: connection)
            try await roundTrip([[], ["", "NULL", "a,b", "{\"}"]], on: connection)
            try await roundTrip([[], [[], [0], [1, 2]]] as [[[UInt8]]], on: connection)
            try await roundTrip(
                [[], [.infinity, .init(microsecondsSince1970: -1)]] as [[PostgresTimestamp]], on: connection)
            try await roundTrip(
                [[], [.negativeInfinity, .init(daysSince1970: 0)]] as [[PostgresDate]], on: connection)
        }
    }

    @Test func arraysWithNullsOrTwoDimensionsAreRefused() async throws {
        try await withConnection { (connection) async throws in
            let rows = try await connection.query("SELECT '{1,NULL}'::int8[], '{{1},{2}}'::int8[]")
            for index in 0..<2 {
                let failure = await postgresError { _ = try rows[0].decode(at: index, as: [Int64].self) }
                #expect(failure?.code == .decoding)
            }
        }
    }

    @Test(arguments: [
        ("-infinity", PostgresTimestamp.negativeInfinity), ("infinity", .infinity),
        ("1970-01-01 00:00:00+00", .init(microsecondsSince1970: 0)),
        ("1969-12-31 23:59:59.999999+00", .init(microsecondsSince1970: -1)),
        ("2000-01-01 00:00:00+00", .init(microsecondsSince1970: 946_684_800_000_000)),
        ("2013-02-28 23:59:59.5-05", .init(microsecondsSince1970: 1_362_113_999_500_000)),
        ("0044-03-15 12:00:00+00 BC", .init(microsecondsSince1970: -63_517_780_800_000_000)),
        ("4714-11-24 00:00:00+00 BC", .init(microsecondsSince1970: -210_866_803_200_000_000)),
    ])
    func timestampsMeanTheSameInstantToTheServer(text: String, value: PostgresTimestamp) async throws {
        try await withConnection { (connection) async throws in
            let rows = try await connection.query(
                """
                SELECT \(text)::timestamptz, \(value) = \(text)::timestamptz,
                    \(literal: value) = \(text)::timestamptz
                """)
            #expect(try rows[0].decode(at: 0, as: PostgresTimestamp.self) == value)
            #expect(try rows[0].decode(at: 1, as: Bool.self))
            #expect(try rows[0].decode(at: 2, as: Bool.self))
        }
    }

    @Test func datesMeanTheSameDayToTheServer() async throws {
        try await withConnection { (connection) async throws in
            for days: Int32 in [-2_440_588, -719_529, -719_163, -1, 0, 59, 60, 10_957, 11_016, 2_932_897] {
                let date = PostgresDate(daysSince1970: days)
                let rows = try await connection.query(
                    "SELECT \(date) = \(literal: date), '1970-01-01'::date + \(days), \(date)")
                #expect(try rows[0].decode(at: 0, as: Bool.self), "\(date)")
                #expect(try rows[0].decode(at: 1, as: PostgresDate.self) == date)
                #expect(try rows[0].decode(at: 2, as: PostgresDate.self) == date)
            }
        }
    }

    @Test func timestampsThatDoNotFitAreRefusedAndDoNotTrap() async throws {
        try await withConnection { (connection) async throws in
            let tooEarly = PostgresTimestamp(microsecondsSince1970: .min + 1)
            #expect(await postgresError { try await connection.query("SELECT \(tooEarly)") }?.code == .invalidQuery)
            // Representable here, but before the first year that PostgreSQL knows.
            let beforeTime = PostgresTimestamp(microsecondsSince1970: -300_000_000_000_000_000)
            #expect(await postgresError { try await connection.query("SELECT \(beforeTime)") }?.sqlState == "22008")
            let rows = try await connection.query("SELECT '294276-12-31'::timestamptz, '5874897-12-31'::date")
            #expect(
                await postgresError { _ = try rows[0].decode(at: 0, as: PostgresTimestamp.self) }?.code == .decoding)
            #expect(try rows[0].decode(at: 1, as: PostgresDate.self).daysSince1970 == 2_145_042_905)
        }
    }

    @Test func integersWidenButNeverNarrow() async throws {
        try await withConnection { (connection) async throws in
            let rows = try await connection.query(
                "SELECT 7::int2 AS small, 7::int4 AS medium, 7::int8 AS large, 1.5::float4")
            #expect(try rows[0].decode("small", as: Int32.self) == 7)
            #expect(try rows[0].decode("small", as: Int64.self) == 7)
            #expect(try rows[0].decode("medium", as: Int.self) == 7)
            #expect(try rows[0].decode(at: 3, as: Double.self) == 1.5)
            #expect(await postgresError { _ = try rows[0].decode("large", as: Int32.self) }?.code == .decoding)
            let failure = await postgresError { _ = try rows[0].decode("large", as: String.self) }
            #expect(failure?.columnName == "large")
            #expect(
                await postgresError { _ = try rows[0].decode("larg", as: Int.self) }?.hint?.contains("large") == true)
        }
    }

    @Test func jsonIsReadAsText() async throws {
        try await withConnection { (connection) async throws in
            let rows = try await connection.query(
                #"SELECT '{"a": 1}'::jsonb, '{"a":1}'::json, 'x'::name, 'y '::char(2)"#)
            let texts = try (0..<4).map { try rows[0].decode(at: $0, as: String.self) }
            #expect(texts == [#"{"a": 1}"#, #"{"a":1}"#, "x", "y "])
        }
    }

    @Test func textWithNULIsRefusedWhereverItStands() async throws {
        try await withConnection { (connection) async throws in
            let text = "a\0b"
            let queries: [PostgresQuery] = [
                "SELECT \(text)", "SELECT \(literal: text)", "SELECT 1 AS \(identifier: text)",
                "SELECT \(["ok", text])", "SELECT '\(unescaped: text)'",
            ]
            for query in queries {
                #expect(await postgresError { try await connection.query(query) }?.code == .invalidQuery)
            }
            #expect(await postgresError { try await connection.executeScript("SELECT 1\0") }?.code == .invalidQuery)
            #expect(try await connection.query("SELECT 1").onlyValue(as: Int.self) == 1)
        }
    }

    @Test func textThatIsNotUTF8IsAnError() async throws {
        try await withDatabase { (configuration) async throws in
            // Only a database without an encoding can hold such text.
            let name = "\(configuration.database ?? "")_ascii"
            try await connected(to: configuration) { (connection) async throws in
                try await connection.execute(
                    "CREATE DATABASE \(identifier: name) ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
                )
            }
            var ascii = configuration
            ascii.database = name
            try await connected(to: ascii) { (connection) async throws in
                // A server with no encoding does not convert, and checks what it sends only while it converts.
                let failure = await postgresError {
                    let rows = try await connection.query("SELECT E'a\\xFF'::text")
                    _ = try rows.onlyValue(as: String.self)
                }
                #expect(failure?.code == .decoding || failure?.sqlState == .characterNotInRepertoire)
            }
            try await connected(to: configuration) { (connection) async throws in
                try await connection.execute("DROP DATABASE \(identifier: name) WITH (FORCE)")
            }
        }
    }
}
