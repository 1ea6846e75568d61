import NIOCore
import Testing

@testable import RedisClient

struct ReplyParserTests {
    private func parse(
        _ text: String, sliceBytes: Int = .max, _ parser: ReplyParser? = ReplyParser()
    ) throws -> [RedisReply] {
        try parse(Array(text.utf8), sliceBytes: sliceBytes, parser)
    }

    private func parse(
        _ bytes: [UInt8], sliceBytes: Int = .max, _ parser: ReplyParser? = ReplyParser()
    ) throws -> [RedisReply] {
        let parser = try #require(parser)
        var replies: [RedisReply] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            try parser.feed(ByteBuffer(bytes: rest.prefix(sliceBytes))) { replies.append($0) }
            rest = rest.dropFirst(sliceBytes)
        }
        return replies
    }

    private static func bulk(_ text: String) -> RedisReply { .bulk(ByteBuffer(string: text)) }

    private static let stream =
        "+OK\r\n-WRONGTYPE no\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n$5\r\na\r\n\0b\r\n*0\r\n"
        + "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n$-1\r\n-ERR inner\r\n:9223372036854775807\r\n"

    private static let replies: [RedisReply] = [
        .status("OK"), .error(RedisServerError("WRONGTYPE no")), .integer(-42), .null, .null, bulk(""),
        bulk("a\r\n\0b"), .array([]),
        .array([.integer(1), .array([bulk("x"), .null]), .error(RedisServerError("ERR inner"))]),
        .integer(.max),
    ]

    @Test func everyKindOfReplyIsRead() throws {
        #expect(try parse(Self.stream) == Self.replies)
    }

    @Test(arguments: 1...40) func repliesAreTheSameHoweverTheBytesAreCut(sliceBytes: Int) throws {
        #expect(try parse(Self.stream, sliceBytes: sliceBytes) == Self.replies)
    }

    @Test(arguments: [1_000, 300_000, 3_000_000]) func aLargeBulkStringArrivesWhole(byteCount: Int) throws {
        let value = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let wire = Array("$\(byteCount)\r\n".utf8) + value + Array("\r\n:7\r\n".utf8)
        let replies = try parse(wire, sliceBytes: 65_536)
        #expect(replies.count == 2)
        #expect(replies.first?.bytes == value)
        #expect(replies.last == .integer(7))
    }

    @Test func bulkStringsOfOneReplyStayWhatTheyWereWhenLaterRepliesCome() throws {
        let parser = ReplyParser()
        let first = try parse("*2\r\n$3\r\nabc\r\n$3\r\ndef\r\n", parser)
        _ = try parse("*2\r\n$3\r\nXXX\r\n$3\r\nYYY\r\n", parser)
        #expect(first == [.array([Self.bulk("abc"), Self.bulk("def")])])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "$abc\r\n", ":12x\r\n", ":\r\n", "$-2\r\n", "*-5\r\n", "\0\0\0\0",
        "*9999999999999\r\n", "$99999999999999999999\r\n", "!3\r\nabc\r\n",
    ])
    func whatIsNotRESP2IsAProtocolViolation(text: String) throws {
        let error = #expect(throws: RedisError.self) { try parse(text) }
        #expect(error?.code == .protocolViolation)
    }

    @Test func repliesBeforeTheGarbageAreDeliveredAndNothingAfterIt() throws {
        let parser = try #require(ReplyParser())
        var replies: [RedisReply] = []
        #expect(throws: RedisError.self) {
            try parser.feed(ByteBuffer(string: "+OK\r\nnonsense\r\n")) { replies.append($0) }
        }
        #expect(throws: RedisError.self) {
            try parser.feed(ByteBuffer(string: "+AGAIN\r\n")) { replies.append($0) }
        }
        #expect(replies == [.status("OK")])
    }

    @Test func garbageInsideANestedReplyFreesItAndFails() throws {
        let error = #expect(throws: RedisError.self) { try parse("*2\r\n*2\r\n$1\r\nx\r\n?") }
        #expect(error?.code == .protocolViolation)
    }

    @Test func nestingIsLimitedToSevenArraysAndDeeperIsAnError() throws {
        let seven = String(repeating: "*1\r\n", count: 7) + ":1\r\n"
        #expect(try parse(seven).count == 1)
        let deep = String(repeating: "*1\r\n", count: 9) + ":1\r\n"
        let error = #expect(throws: RedisError.self) { try parse(deep) }
        #expect(error?.code == .protocolViolation)
    }

    @Test func anArrayThatPromisesTooManyElementsIsRefusedBeforeMemoryIsTaken() throws {
        let error = #expect(throws: RedisError.self) { try parse("*2147483647\r\n") }
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("too many elements") == true)
    }

    @Test func nestedArraysCannotExceedTheElementLimitTogether() throws {
        let parser = ReplyParser(maximumReplyElements: 6)
        let error = #expect(throws: RedisError.self) {
            try parse("*2\r\n*3\r\n:1\r\n:2\r\n:3\r\n*3\r\n:1\r\n:2\r\n:3\r\n", parser)
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test func aReplyLargerThanTheLimitIsRefusedAndManySmallOnesAreNot() throws {
        let small = String(repeating: "$10\r\n0123456789\r\n", count: 1000)
        #expect(try parse(small, sliceBytes: 100, ReplyParser(maximumReplyBytes: 200)).count == 1000)
        let error = #expect(throws: RedisError.self) {
            try parse("$1000\r\n" + String(repeating: "x", count: 900), ReplyParser(maximumReplyBytes: 200))
        }
        #expect(error?.code == .protocolViolation)
    }

    @Test func randomBytesNeverCrash() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix64(state: seed)
        let alphabet = Array("+-:$*0123456789\r\n\0xOK".utf8)
        for round in 0..<5_000 {
            let bytes = (0..<Int.random(in: 1...60, using: &generator)).map { _ in
                alphabet[Int.random(in: alphabet.indices, using: &generator)]
            }
            do {
                _ = try parse(bytes, sliceBytes: Int.random(in: 1...60, using: &generator))
            } catch let error as RedisError {
                #expect(error.code == .protocolViolation, "seed \(seed) round \(round)")
            }
        }
    }

    @Test func mutatedRepliesEitherParseOrFailCleanly() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix64(state: seed)
        for round in 0..<5_000 {
            var bytes = Array(Self.stream.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
            }
            do {
                _ = try parse(bytes, sliceBytes: Int.random(in: 1...20, using: &generator))
            } catch let error as RedisError {
                #expect(error.code == .protocolViolation, "seed \(seed) round \(round)")
            }
        }
    }

    @Test func bytesThatAreNotUTF8InALineAreRepaired() throws {
        #expect(try parse([0x2B, 0xFF, 0x41, 0x0D, 0x0A]) == [.status("\u{FFFD}A")])
    }
}

/// A small generator that a printed seed repeats.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
