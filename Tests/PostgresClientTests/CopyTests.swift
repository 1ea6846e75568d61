import PostgresClient
import TestSupport
import Testing

@Suite struct CopyTests {
    private let columns =
        "i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, b bool, t text, x bytea, ts timestamptz, d date, a int8[]"
    private let copyIn: PostgresQuery = "COPY public.t FROM STDIN (FORMAT binary)"
    private let copyOut: PostgresQuery = "COPY (SELECT * FROM public.t ORDER BY i8) TO STDOUT (FORMAT binary)"

    private func withTable(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await withConnection { (connection) async throws in
            try await connection.execute("CREATE TABLE public.t (\(unescaped: columns))")
            try await body(connection)
        }
    }

    private func append(row number: Int, to encoder: inout PostgresCopyEncoder) throws {
        encoder.beginRow(fieldCount: 11)
        guard !number.isMultiple(of: 7) else {
            encoder.appendNull()
            encoder.appendNull()
            encoder.append(int64: Int64(number))
            for _ in 0..<8 { encoder.appendNull() }
            return
        }
        encoder.append(int16: Int16(truncatingIfNeeded: number))
        encoder.append(int32: Int32(number))
        encoder.append(int64: Int64(number))
        encoder.append(float: Float(number) / 2)
        encoder.append(double: Double(number) / 3)
        encoder.append(bool: number.isMultiple(of: 2))
        try encoder.append(string: "row \(number) ü")
        try encoder.append(bytes: [0, UInt8(truncatingIfNeeded: number)])
        try encoder.append(timestamp: PostgresTimestamp(microsecondsSince1970: Int64(number) - 5_000))
        try encoder.append(date: PostgresDate(daysSince1970: Int32(number)))
        try encoder.append([Int64](repeating: Int64(number), count: number % 3))
    }

    private func check(row number: Int, _ row: inout PostgresCopyRow) throws -> Bool {
        guard !number.isMultiple(of: 7) else {
            guard try row.nextInt16() == nil, try row.nextInt32() == nil else { return false }
            guard try row.nextInt64() == Int64(number) else { return false }
            return try row.nextFloat() == nil && row.nextDouble() == nil && row.nextBool() == nil
                && row.nextString() == nil && row.nextBytes() == nil && row.nextTimestamp() == nil
                && row.nextDate() == nil && row.next([Int64].self, columnType: .int8Array) == nil
        }
        return try row.nextInt16() == Int16(truncatingIfNeeded: number) && row.nextInt32() == Int32(number)
            && row.nextInt64() == Int64(number) && row.nextFloat() == Float(number) / 2
            && row.nextDouble() == Double(number) / 3 && row.nextBool() == number.isMultiple(of: 2)
            && row.nextString() == "row \(number) ü" && row.nextBytes() == [0, UInt8(truncatingIfNeeded: number)]
            && row.nextTimestamp()?.microsecondsSince1970 == Int64(number) - 5_000
            && row.nextDate()?.daysSince1970 == Int32(number)
            && row.next([Int64].self, columnType: .int8Array) == [Int64](repeating: Int64(number), count: number % 3)
    }

    @Test func millionsOfBytesGoInAndComeOutAsTheyWere() async throws {
        try await withTable { (connection) async throws in
            let total = 100_000
            var sent = 0
            let stored = try await connection.withCopyIn(copyIn) { (copy) async throws in
                #expect(copy.columnCount == 11)
                var encoder = PostgresCopyEncoder()
                for number in 0..<total {
                    try append(row: number, to: &encoder)
                    if encoder.byteCount > 300_000 {
                        sent += encoder.byteCount
                        try await copy.write(encoder.take())
                    }
                }
                encoder.finish()
                try await copy.write(encoder.take())
            }
            #expect(stored == total)
            #expect(sent > 10_000_000)
            var number = 0
            var wrong = 0
            var chunks = 0
            try await connection.withCopyOut(copyOut) { (copy) async throws in
                while let chunk = try await copy.next() {
                    chunks += 1
                    #expect(chunk.bytes.count < 300_000)
                    let before = number
                    try chunk.forEachRow { (row) in
                        if try !check(row: number, &row) { wrong += 1 }
                        number += 1
                    }
                    #expect(number - before == chunk.rowCount)
                }
            }
            #expect(number == total && wrong == 0 && chunks > 10)
            #expect(
                try await connection.query("SELECT sum(i4) FROM public.t").onlyValue(as: Int64.self)
                    == (0..<total).reduce(0) { $0 + ($1.isMultiple(of: 7) ? 0 : Int64($1)) })
        }
    }

    @Test func whatTheEncoderWritesIsWhatTheServerWrites() async throws {
        try await withTable { (connection) async throws in
            var encoder = PostgresCopyEncoder()
            for number in 0..<50 { try append(row: number, to: &encoder) }
            encoder.finish()
            _ = try await connection.withCopyIn(copyIn) { try await $0.write(encoder.bytes) }
            var received: [UInt8] = []
            try await connection.withCopyOut(copyOut) { (copy) async throws in
                while let chunk = try await copy.next() { received += chunk.bytes }
            }
            // The header of 19 bytes and the trailer of 2 are stripped.
            #expect(Array(encoder.bytes.dropFirst(19).dropLast(2)) == received)
        }
    }

    @Test func wholeRowsAreTheBytesOfTheirFieldsOneByOne() throws {
        let numbers: [Int32] = [.min, -1, 0, 1, 0x0102_0304, .max]
        let keys: [Int64] = [.max, 0x0102_0304_0506_0708, -1, 0, 1, .min]
        let times = ([.min, -1, 0, 946_684_800_000_000, 1_357_000_000_000_001, .max] as [Int64])
            .map(PostgresTimestamp.init(microsecondsSince1970:))
        var whole = PostgresCopyEncoder()
        var single = PostgresCopyEncoder()
        try whole.appendRows([.int32(numbers), .int64(keys), .timestamp(times)], count: numbers.count)
        for index in numbers.indices {
            single.beginRow(fieldCount: 3)
            single.append(int32: numbers[index])
            single.append(int64: keys[index])
            try single.append(timestamp: times[index])
        }
        #expect(whole.bytes == single.bytes)
        // Between other rows, after what was built has been taken.
        _ = whole.take()
        _ = single.take()
        for _ in 0..<2 {
            whole.beginRow(fieldCount: 1)
            whole.append(bool: true)
            single.beginRow(fieldCount: 1)
            single.append(bool: true)
            try whole.appendRows([.int64(keys)], count: keys.count)
            for key in keys {
                single.beginRow(fieldCount: 1)
                single.append(int64: key)
            }
            try whole.appendRows([.int32([])], count: 0)
        }
        whole.finish()
        single.finish()
        #expect(whole.bytes == single.bytes)
        let tooEarly = PostgresTimestamp(microsecondsSince1970: .min + 1)
        let before = whole.bytes
        #expect(throws: PostgresError.self) { try whole.appendRows([.int64([1]), .timestamp([tooEarly])], count: 1) }
        #expect(whole.bytes == before)
    }

    @Test func anEmptyResultHasNoChunk() async throws {
        try await withTable { (connection) async throws in
            try await connection.withCopyOut(copyOut) { (copy) async throws in
                #expect(try await copy.next() == nil)
                #expect(try await copy.next() == nil)
            }
            var encoder = PostgresCopyEncoder()
            encoder.finish()
            #expect(try await connection.withCopyIn(copyIn) { try await $0.write(encoder.bytes) } == 0)
        }
    }

    @Test func rowsLargerThanAChunkArriveWhole() async throws {
        try await withConnection { (connection) async throws in
            try await connection.withCopyOut(
                "COPY (SELECT repeat('x', 3000000) FROM generate_series(1, 3)) TO STDOUT (FORMAT binary)"
            ) { (copy) async throws in
                var lengths: [Int] = []
                while let chunk = try await copy.next() {
                    try chunk.forEachRow { lengths.append(try $0.nextString()?.utf8.count ?? 0) }
                }
                #expect(lengths == [3_000_000, 3_000_000, 3_000_000])
            }
        }
    }

    @Test func fieldsThatAreNotReadAreSkipped() async throws {
        try await withConnection { (connection) async throws in
            try await connection.withCopyOut(
                "COPY (SELECT n, 'text', NULL::int4, n * 2 FROM generate_series(1, 3) n) TO STDOUT (FORMAT binary)"
            ) { (copy) async throws in
                let chunk = try #require(try await copy.next())
                var first: [Int32?] = []
                try chunk.forEachRow { (row) in
                    #expect(row.fieldCount == 4)
                    first.append(try row.nextInt32())
                }
                #expect(first == [1, 2, 3])
                var cursor = chunk.makeCursor()
                #expect(try cursor.advance())
                #expect(throws: PostgresError.self) { try cursor.nextInt64() }
                try cursor.skip()
                try cursor.skip()
                try cursor.skip()
                #expect(throws: PostgresError.self) { try cursor.nextInt32() }
            }
        }
    }

    @Test func otherStatementsAreRefusedDuringACopy() async throws {
        try await withTable { (connection) async throws in
            let out = try await connection.beginCopyOut(
                "COPY (SELECT generate_series(1, 1000000)) TO STDOUT (FORMAT binary)")
            #expect(await postgresError { try await connection.query("SELECT 1") }?.code == .connectionBusy)
            #expect(await postgresError { _ = try await connection.beginCopyIn(copyIn) }?.code == .connectionBusy)
            #expect(try await out.next() != nil)
            await out.cancel()
            #expect(try await out.next() == nil)
            let copy = try await connection.beginCopyIn(copyIn)
            #expect(await postgresError { try await connection.query("SELECT 1") }?.code == .connectionBusy)
            await copy.fail("no more")
            #expect(await postgresError { try await copy.write([1]) }?.code == .invalidQuery)
            #expect(try await connection.query("SELECT count(*) FROM public.t").onlyValue(as: Int.self) == 0)
        }
    }

    @Test func abandoningACopyStoresNothingAndLeavesTheConnectionUsable() async throws {
        struct Abandoned: Error {}
        try await withTable { (connection) async throws in
            await #expect(throws: Abandoned.self) {
                _ = try await connection.withCopyIn(copyIn) { (copy) async throws in
                    var encoder = PostgresCopyEncoder()
                    for number in 0..<1_000 { try append(row: number, to: &encoder) }
                    try await copy.write(encoder.take())
                    throw Abandoned()
                }
            }
            await #expect(throws: Abandoned.self) {
                try await connection.withCopyOut("COPY (SELECT generate_series(1, 10000000)) TO STDOUT (FORMAT binary)")
                { (copy) async throws in
                    _ = try await copy.next()
                    throw Abandoned()
                }
            }
            #expect(try await connection.query("SELECT count(*) FROM public.t").onlyValue(as: Int.self) == 0)
            #expect(!connection.isBroken)
        }
    }

    @Test func errorsInTheMiddleOfACopyAreReportedAndEndIt() async throws {
        try await withTable { (connection) async throws in
            try await connection.execute("ALTER TABLE public.t ADD CHECK (i8 <> 500)")
            let refused = await postgresError {
                _ = try await connection.withCopyIn(copyIn) { (copy) async throws in
                    var encoder = PostgresCopyEncoder()
                    for number in 0..<1_000 { try append(row: number, to: &encoder) }
                    encoder.finish()
                    try await copy.write(encoder.take())
                }
            }
            #expect(refused?.sqlState == .checkViolation)
            let malformed = await postgresError {
                _ = try await connection.withCopyIn(copyIn) { try await $0.write([1, 2, 3]) }
            }
            #expect(malformed?.sqlState == .badCopyFileFormat)
            var rows = 0
            let failed = await postgresError {
                try await connection.withCopyOut(
                    "COPY (SELECT 1 / (90000 - n) FROM generate_series(1, 100000) n) TO STDOUT (FORMAT binary)"
                ) { (copy) async throws in
                    while let chunk = try await copy.next() { rows += chunk.rowCount }
                }
            }
            #expect(failed?.sqlState == .divisionByZero)
            #expect(rows > 0 && rows < 90_000)
            #expect(try await connection.query("SELECT count(*) FROM public.t").onlyValue(as: Int.self) == 0)
        }
    }

    @Test func aCopyAndTheStatementAfterItAreOneTransaction() async throws {
        try await withTable { (connection) async throws in
            try await connection.execute("CREATE TABLE public.ledger (n int8 PRIMARY KEY)")
            func counts() async throws -> [Int] {
                [
                    try await connection.query("SELECT count(*) FROM public.t").onlyValue(as: Int.self),
                    try await connection.query("SELECT count(*) FROM public.ledger").onlyValue(as: Int.self),
                ]
            }
            var encoder = PostgresCopyEncoder()
            for number in 0..<10_000 { try append(row: number, to: &encoder) }
            encoder.finish()
            let stream = encoder.take()
            let affected = try await connection.copyIn(
                copyIn, stream, then: "INSERT INTO public.ledger VALUES (1), (2)")
            #expect(affected == 2)
            #expect(try await counts() == [10_000, 2])
            let transactions: PostgresQuery = """
                SELECT count(DISTINCT xmin::text)
                FROM (SELECT xmin FROM public.t UNION ALL SELECT xmin FROM public.ledger) u
                """
            #expect(try await connection.query(transactions).onlyValue(as: Int.self) == 1)
            let statement = await postgresError {
                try await connection.copyIn(copyIn, stream, then: "INSERT INTO public.ledger VALUES (1)")
            }
            #expect(statement?.sqlState == .uniqueViolation)
            let row = await postgresError {
                try await connection.copyIn(copyIn, [1, 2, 3], then: "INSERT INTO public.ledger VALUES (3)")
            }
            #expect(row?.sqlState == .badCopyFileFormat)
            let slow = await postgresError {
                try await connection.copyIn(
                    copyIn, stream, then: "SELECT pg_sleep(30)", timeout: .milliseconds(500))
            }
            #expect(slow?.code == .commitOutcomeUnknown)
            let parameter = await postgresError {
                try await connection.copyIn(copyIn, stream, then: "INSERT INTO public.ledger VALUES (\(Int64(3)))")
            }
            #expect(parameter?.code == .invalidQuery)
            let within = await postgresError {
                try await connection.transaction { (connection) async throws in
                    _ = try await connection.copyIn(copyIn, stream, then: "INSERT INTO public.ledger VALUES (3)")
                }
            }
            #expect(within?.code == .connectionBusy)
            #expect(try await counts() == [10_000, 2])
            #expect(!connection.isBroken)
        }
    }

    @Test func statementsThatAreNoBinaryCopyAreRefused() async throws {
        try await withTable { (connection) async throws in
            for query: PostgresQuery in [
                "SELECT 1", "COPY public.t TO STDOUT", copyIn, "COPY (SELECT \(1)) TO STDOUT (FORMAT binary)", "VACUUM",
            ] {
                #expect(
                    await postgresError { _ = try await connection.beginCopyOut(query) }?.code == .invalidQuery,
                    "\(query.sql)")
            }
            for query: PostgresQuery in ["COPY public.t FROM STDIN", copyOut] {
                #expect(await postgresError { _ = try await connection.beginCopyIn(query) }?.code == .invalidQuery)
            }
            #expect(
                await postgresError { _ = try await connection.beginCopyOut("COPY nope TO STDOUT") }?.sqlState
                    == .undefinedTable)
            for query in [copyIn, copyOut, "COPY public.t TO STDOUT"] {
                #expect(await postgresError { try await connection.query(query) }?.code == .invalidQuery)
            }
            #expect(try await connection.query("SELECT 1").count == 1)
        }
    }

    @Test func aCopyOfTheWrongKindLeavesAnswersWithTheirStatements() async throws {
        try await withTable { (connection) async throws in
            // The cancel request may reach the server before or after it has begun to read: often enough for both.
            for number in 0..<100 {
                let failure = await postgresError { _ = try await connection.beginCopyOut(copyIn) }
                #expect(failure?.code == .invalidQuery)
                #expect(try await connection.query("SELECT \(number)").onlyValue(as: Int.self) == number)
            }
        }
    }

    @Test func aSlowReaderMakesTheWriterWait() async throws {
        try await withDatabase { (configuration) async throws in
            let (proxy, proxied) = try FaultProxy.inFront(of: configuration)
            defer { proxy.stop() }
            try await connected(to: proxied) { (connection) async throws in
                try await connection.execute("CREATE TABLE public.t (a text)")
                let copy = try await connection.beginCopyIn(
                    "COPY public.t FROM STDIN (FORMAT binary)", timeout: .milliseconds(400))
                var encoder = PostgresCopyEncoder()
                for _ in 0..<20_000 {
                    encoder.beginRow(fieldCount: 1)
                    try encoder.append(string: String(repeating: "x", count: 1_000))
                }
                proxy.stall()
                // 20 MB do not fit into the socket's buffers: without back-pressure this would return.
                let failure = await postgresError { try await copy.write(encoder.take()) }
                #expect(failure?.code == .timeout)
                #expect(connection.isBroken)
            }
        }
    }
}
