import NIOCore
import Testing

@testable import RedisClient

struct RedisCommandTests {
    private func text(_ command: RedisCommand) -> String { String(buffer: command.encoded) }

    @Test func aCommandIsAnArrayOfBulkStrings() {
        #expect(text(RedisCommand("PING")) == "*1\r\n$4\r\nPING\r\n")
        #expect(
            text(RedisCommand("SET", "key", .bytes([0x61, 0, 0x62])))
                == "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$3\r\na\0b\r\n"
        )
    }

    @Test func lengthsCountBytesAndNotCharacters() {
        #expect(text(RedisCommand("GET", "é")) == "*2\r\n$3\r\nGET\r\n$2\r\né\r\n")
    }

    @Test(arguments: [1, 9, 10, 99, 100, 9_999, 10_000, 99_999, 100_000, 1_234_567])
    func anArgumentSaysHowLongItIs(byteCount: Int) {
        let argument = String(repeating: "x", count: byteCount)
        let expected = "*3\r\n$1\r\nX\r\n$\(byteCount)\r\n\(argument)\r\n$1\r\ny\r\n"
        #expect(text(RedisCommand("X", .string(argument), "y")) == expected)
        #expect(text(RedisCommand("X", .bytes(Array(argument.utf8)), "y")) == expected)
    }

    @Test func anEmptyArgumentIsAnArgument() {
        #expect(text(RedisCommand("GET", "")) == "*2\r\n$3\r\nGET\r\n$0\r\n\r\n")
    }

    @Test(arguments: [0, 7, 10, -1, 99, 1_234_567, .max, .min] as [Int64])
    func integersAreDecimalDigits(value: Int64) {
        let digits = String(value)
        #expect(text(RedisCommand("X", .integer(value))) == "*2\r\n$1\r\nX\r\n$\(digits.utf8.count)\r\n\(digits)\r\n")
    }

    @Test(arguments: [0, 1, 8, 9, 10, 99, 1000, 12_345]) func theCountStandsInFrontHoweverManyArgumentsFollow(
        count: Int
    ) {
        let command = RedisCommand("MGET", (0..<count).map { .string("k\($0)") })
        let expected =
            "*\(count + 1)\r\n$4\r\nMGET\r\n" + (0..<count).map { "$\("k\($0)".utf8.count)\r\nk\($0)\r\n" }.joined()
        #expect(text(command) == expected)
        #expect(command.argumentCount == count)
    }

    @Test func theThreeWaysToWriteACommandAgree() {
        let list = RedisCommand("MGET", ["a", .buffer(ByteBuffer(string: "b")), 3])
        let appended = RedisCommand("MGET") { arguments in
            arguments.append(string: "a")
            arguments.append(bytes: [0x62])
            arguments.append(RedisArguments([.integer(3)]))
        }
        #expect(text(list) == text(RedisCommand("MGET", "a", "b", 3)))
        #expect(text(list) == text(appended))
    }

    @Test func theDescriptionShowsNoArgument() {
        let command = RedisCommand("AUTH", "someone", "s3cret")
        #expect(command.description == "AUTH (2 arguments)")
    }
}
