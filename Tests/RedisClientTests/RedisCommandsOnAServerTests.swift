import Logging
import NIOCore
import NIOPosix
import RedisClient
import TestSupport
import Testing

/// What a real server does with our bytes and we with its.
struct RedisCommandsOnAServerTests {
    @Test(
        arguments: [
            [], [0], [0x0D, 0x0A], [0x24, 0x35, 0x0D, 0x0A], Array("a\0b".utf8), (0...255).map { UInt8($0) },
        ] as [[UInt8]])
    func valuesAreBinarySafe(value: [UInt8]) async throws {
        try await withRedisPrefix { client, prefix in
            let key = RedisArgument.bytes(Array(prefix.utf8) + value)
            let replies = try await client.execute([
                RedisCommand("SET", key, .bytes(value)), RedisCommand("GET", key),
            ])
            #expect(try replies[0].get() == .status("OK"))
            #expect(try replies[1].get().bytes == value)
        }
    }

    @Test func aMissingKeyIsNullAndNotEmpty() async throws {
        try await withRedisPrefix { client, prefix in
            _ = try await client.execute(RedisCommand("SET", .string(prefix + "empty"), ""))
            let reply = try await client.execute(
                RedisCommand("MGET", .string(prefix + "empty"), .string(prefix + "missing")))
            #expect(reply == .array([.bulk(ByteBuffer()), .null]))
        }
    }

    @Test func nestedArraysKeepTheirShape() async throws {
        try await withRedisPrefix { client, _ in
            let script = RedisScript("return {1, {'a', {2, {}}}, false, 'z'}")
            let reply = try await client.evaluate(script, keys: [], arguments: [])
            let expected = RedisReply.array([
                .integer(1),
                .array([.bulk(ByteBuffer(string: "a")), .array([.integer(2), .array([])])]),
                .null,
                .bulk(ByteBuffer(string: "z")),
            ])
            #expect(reply == expected)
        }
    }

    @Test func repliesOfMegabytesArriveWhole() async throws {
        try await withRedisPrefix { client, prefix in
            let value = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            let key = RedisArgument.string(prefix + "big")
            _ = try await client.execute(RedisCommand("SET", key, .bytes(value)))
            let replies = try await client.execute([RedisCommand("MGET", key, key), RedisCommand("PING")])
            let elements = try replies[0].get().elements ?? []
            #expect(elements.map { $0.bytes == value } == [true, true])
            #expect(try replies[1].get() == .status("PONG"))
        }
    }

    @Test func aPipelineOfTenThousandCommandsKeepsItsOrder() async throws {
        try await withRedisPrefix { client, prefix in
            let key = RedisArgument.string(prefix + "counter")
            let outcomes = try await client.execute(Array(repeating: RedisCommand("INCR", key), count: 10_000))
            #expect(try outcomes.map { try $0.get().integerValue } == (1...10_000).map { Int64($0) })
        }
    }

    @Test func aFailingCommandDoesNotLoseTheOthersOfItsPipeline() async throws {
        try await withRedisPrefix { client, prefix in
            let key = RedisArgument.string(prefix + "text")
            let outcomes = try await client.execute([
                RedisCommand("SET", key, "text"), RedisCommand("LPUSH", key, "x"), RedisCommand("GET", key),
                RedisCommand("NOSUCHCOMMAND"), RedisCommand("APPEND", key, "!"),
            ])
            #expect(try outcomes[0].get() == .status("OK"))
            #expect(throws: RedisError.self) { try outcomes[1].get() }
            if case .failure(let error) = outcomes[1] { #expect(error.code == .server("WRONGTYPE")) }
            #expect(try outcomes[2].get().string == "text")
            if case .failure(let error) = outcomes[3] { #expect(error.code == .server("ERR")) }
            #expect(try outcomes[4].get() == .integer(5))
        }
    }

    @Test func anErrorReplyIsThrown() async throws {
        try await withRedisPrefix { client, prefix in
            let key = RedisArgument.string(prefix + "text")
            _ = try await client.execute(RedisCommand("SET", key, "x"))
            let error = await #expect(throws: RedisError.self) { try await client.execute(RedisCommand("INCR", key)) }
            #expect(error?.code == .server("ERR"))
            let wrongType = await #expect(throws: RedisError.self) {
                try await client.execute(RedisCommand("HGET", key, "f"))
            }
            #expect(wrongType?.code == .server("WRONGTYPE"))
        }
    }

    @Test func anEmptyPipelineSendsNothing() async throws {
        try await withRedisPrefix { client, _ in
            let outcomes = try await client.execute([RedisCommand]())
            #expect(outcomes.isEmpty)
        }
    }

    @Test func manyTasksShareOneConnectionWithoutMixingReplies() async throws {
        try await withRedisPrefix { client, prefix in
            await withTaskGroup(of: Bool.self) { group in
                for task in 0..<200 {
                    group.addTask {
                        let text = "\(prefix)\(task)"
                        for _ in 0..<20 {
                            let reply = try? await client.execute(RedisCommand("ECHO", .string(text)))
                            if reply?.string != text { return false }
                        }
                        return true
                    }
                }
                var results: [Bool] = []
                for await result in group { results.append(result) }
                #expect(results == Array(repeating: true, count: 200))
            }
        }
    }

    @Test func commandsCanBeSentFromTheConnectionsOwnEventLoopWithoutWaiting() async throws {
        try await withRedisPrefix { client, _ in
            let connection = try #require(client.connections.first)
            #expect(client.connection(for: connection.eventLoop) === connection)
            let replies = try await connection.eventLoop.flatSubmit {
                // A reply's own callback sends the next command.
                connection.send(RedisCommand("ECHO", "first")).flatMap { first in
                    #expect(connection.eventLoop.inEventLoop)
                    return connection.send(RedisCommand("ECHO", "second")).map { [first.string, $0.string] }
                }
            }.get()
            #expect(replies == ["first", "second"])
        }
    }

    @Test func theConnectionKnowsTheServersRunID() async throws {
        try await withRedisPrefix { client, _ in
            let information = try await client.execute(RedisCommand("INFO", "server")).string ?? ""
            let connection = try #require(client.connections.first)
            #expect(information.contains("run_id:\(connection.runID)\r\n"))
            #expect(connection.runID.utf8.count == 40)
            #expect(connection.generation == 1)
        }
    }

    @Test func theClientsNameIsKnownToTheServer() async throws {
        var configuration = try RedisTestServer.configuration()
        configuration.clientName = "name-of-a-test"
        try await withRedisClient(configuration, logger: Logger(label: "test")) { client in
            let name = try await client.execute(RedisCommand("CLIENT", "GETNAME"))
            #expect(name.string == "name-of-a-test")
        }
    }
}

struct RedisScriptTests {
    @Test func aScriptSeesItsKeysAndArgumentsAsBytes() async throws {
        try await withRedisPrefix { client, prefix in
            let script = RedisScript(
                "redis.call('SET', KEYS[1], ARGV[1]) return {#ARGV[1], redis.call('GET', KEYS[1])}")
            let value: [UInt8] = [0, 255, 13, 10, 0]
            let reply = try await client.evaluate(script, keys: [.string(prefix + "k")], arguments: [.bytes(value)])
            #expect(reply == .array([.integer(5), .bulk(ByteBuffer(bytes: value))]))
            #expect(script.sha1?.utf8.count == 40)
        }
    }

    @Test func aServerThatForgotTheScriptIsGivenItAgain() async throws {
        try await withPrivateRedis { configuration, _ in
            try await withRedisClient(configuration, logger: Logger(label: "test")) { client in
                let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
                for round in 1...3 {
                    let reply = try await client.evaluate(script, keys: ["n"], arguments: [1])
                    #expect(reply == .integer(Int64(round)))
                    _ = try await client.execute(RedisCommand("SCRIPT", "FLUSH", "SYNC"))
                }
                let invocations = (0..<1000).map { _ in RedisScript.Invocation(keys: ["m"], arguments: [2]) }
                let outcomes = try await client.evaluate(script, invocations)
                #expect(try outcomes.map { try $0.get().integerValue } == (1...1000).map { Int64($0 * 2) })
            }
        }
    }

    @Test func aFailingRunDoesNotLoseTheOthers() async throws {
        try await withRedisPrefix { client, prefix in
            let script = RedisScript("return redis.call('INCR', KEYS[1])")
            _ = try await client.execute(RedisCommand("SET", .string(prefix + "text"), "x"))
            let keys = ["a", "text", "b"].map { RedisArgument.string(prefix + $0) }
            let outcomes = try await client.evaluate(script, keys.map { .init(keys: [$0], arguments: []) })
            #expect(try outcomes[0].get() == .integer(1))
            #expect(throws: RedisError.self) { try outcomes[1].get() }
            #expect(try outcomes[2].get() == .integer(1))
        }
    }

    @Test func aScriptThatDoesNotCompileIsAnError() async throws {
        try await withRedisPrefix { client, _ in
            let error = await #expect(throws: RedisError.self) {
                try await client.evaluate(RedisScript("this is not Lua"), keys: [], arguments: [])
            }
            #expect(error?.code == .server("ERR"))
        }
    }
}
