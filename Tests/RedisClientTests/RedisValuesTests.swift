import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import RedisClient

/// Answers that are looked at where they are: what a receiver hears, and that it hears it once and in its turn.
@Suite(.timeLimit(.minutes(1)))
struct RedisValuesTests {
    private func connect(_ configuration: RedisConfiguration) async throws(RedisError) -> RedisConnection {
        try await RedisConnection.connect(
            configuration, on: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
    }

    /// Sends a command whose values `heard` gets under a name.
    private func send(_ command: RedisCommand, _ name: String, _ heard: Heard, on connection: RedisConnection) {
        connection.eventLoop.execute {
            let receiver = Receiver { heard.add(name, $0) }
            if let refusal = connection.send(command, to: receiver) { heard.add(name, .refused(refusal.code)) }
        }
    }

    /// What the receiver of a command hears from a peer that answers with `answer`, and what comes after it on the connection.
    private func heard(_ answer: String) async throws -> Outcome {
        try await FakeRedis.run([FakeRedis.handshake, answer, "$4\r\nnext\r\n"]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            let heard = Heard()
            send(RedisCommand("MGET", "a"), "values", heard, on: connection)
            let outcome = try await heard.first()
            #expect(try await connection.execute(RedisCommand("ECHO", "next")).string == "next")
            #expect(heard.all.count == 1)
            await connection.close()
            return outcome
        }
    }

    // MARK: What answers hold

    @Test func valuesNullsAndEmptyStringsAreToldApartAndKeepTheirPlaces() async throws {
        #expect(
            try await heard("*5\r\n$1\r\na\r\n$-1\r\n$0\r\n\r\n$6\r\n\r\n\0*1$\r\n$-1\r\n")
                == .values([Array("a".utf8), nil, [], Array("\r\n\0*1$".utf8), nil]))
        #expect(try await heard("*1\r\n$-1\r\n") == .values([nil]))
        #expect(try await heard("*0\r\n") == .values([]))
    }

    @Test(arguments: [
        "*2\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n", "*1\r\n*0\r\n", "*2\r\n$1\r\na\r\n-ERR no\r\n", "*2\r\n:1\r\n$1\r\na\r\n",
        "*1\r\n+OK\r\n", "+OK\r\n", ":5\r\n", "$1\r\na\r\n", "$-1\r\n", "*-1\r\n",
    ])
    func anAnswerThatIsNoArrayOfValuesIsAFailureThatLeavesTheConnectionUsable(answer: String) async throws {
        #expect(try await heard(answer) == .failed(.unexpectedReply))
    }

    @Test func anErrorOfTheServerIsTheReceiversFailure() async throws {
        #expect(try await heard("-WRONGTYPE no\r\n") == .failed(.server("WRONGTYPE")))
        #expect(try await heard("-LOADING Redis is loading\r\n") == .failed(.server("LOADING")))
    }

    @Test(arguments: [1, 2, 3, 7, .max] as [Int])
    func valuesAreTheSameHoweverTheBytesAreCut(sliceBytes: Int) throws {
        let large = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let wire =
            Array("*2\r\n$2\r\nab\r\n$-1\r\n*2\r\n$300000\r\n".utf8) + large + Array("\r\n$0\r\n\r\n*0\r\n".utf8)
        let parser = try #require(ReplyParser())
        let heard = Heard()
        var rest = wire[...]
        while !rest.isEmpty {
            // The ends are cut, the large value between them is not: that many slices would take long.
            let isWithinLarge = rest.count > 1_000 && rest.count < wire.count - 40
            let count = isWithinLarge ? min(100_000, rest.count - 100) : sliceBytes
            try parser.feedParts(ByteBuffer(bytes: rest.prefix(count))) { parts in
                #expect(RedisValues.areHeld(in: parts))
                let receiver = Receiver { heard.add("values", $0) }
                receiver.receive(RedisValues(parts))
            }
            rest = rest.dropFirst(count)
        }
        #expect(heard.all.map(\.outcome) == [.values([Array("ab".utf8), nil]), .values([large, []]), .values([])])
    }

    // MARK: Their turn

    @Test func valuesComeInTheOrderOfTheCommandsAmongOrdinaryOnesAndPipelines() async throws {
        try await withPrivateRedis { configuration, _ in
            let connection = try await connect(configuration)
            _ = try await connection.execute(RedisCommand("MSET", "a", "1", "b", ""))
            let heard = Heard()
            for round in 0..<50 {
                // All in one tick, and so in one write.
                connection.eventLoop.execute {
                    for turn in 0..<4 {
                        let name = "\(round)-\(turn)"
                        let echo = connection.send(RedisCommand("ECHO", .string(name)))
                        echo.whenSuccess { reply in heard.add("echo \(name)", .values([reply.bytes])) }
                        let receiver = Receiver { heard.add("values \(name)", $0) }
                        if let refusal = connection.send(RedisCommand("MGET", "a", "none", "b"), to: receiver) {
                            heard.add("values \(name)", .refused(refusal.code))
                        }
                    }
                }
                let outcomes = try await connection.execute([RedisCommand("ECHO", "x"), RedisCommand("ECHO", "y")])
                #expect(try outcomes.map { try $0.get().string } == ["x", "y"])
            }
            let expected = (0..<50).flatMap { round in
                (0..<4).flatMap { turn -> [Entry] in
                    let name = "\(round)-\(turn)"
                    return [
                        Entry(name: "echo \(name)", outcome: .values([Array(name.utf8)])),
                        Entry(name: "values \(name)", outcome: .values([Array("1".utf8), nil, []])),
                    ]
                }
            }
            #expect(heard.all == expected)
            await connection.close()
        }
    }

    // MARK: Waiting in vain

    /// An array of values that a server which has writes paused does not answer.
    private static let paused = RedisCommand("EVAL", "return {ARGV[1], false, ''}", 0, "late")
    private static let pausedValues = Outcome.values([Array("late".utf8), nil, []])

    /// Runs `body` with a connection whose server does not answer `paused` until the closure is called.
    private func withPausedServer(
        commandTimeout: Duration = .seconds(20), maximumQueuedCommands: Int = 100,
        _ body: (
            _ paused: RedisConnection, _ server: PrivateRedis, _ resume: () async throws -> Void
        ) async throws -> Void
    ) async throws {
        try await withPrivateRedis { configuration, server in
            let control = try await connect(configuration)
            var settings = configuration
            settings.commandTimeout = commandTimeout
            settings.maximumQueuedCommands = maximumQueuedCommands
            let connection = try await connect(settings)
            _ = try await control.execute(RedisCommand("CLIENT", "PAUSE", 60_000, "WRITE"))
            try await body(connection, server) { _ = try await control.execute(RedisCommand("CLIENT", "UNPAUSE")) }
            await connection.close()
            await control.close()
        }
    }

    @Test func aReceiverThatWaitsTooLongHearsATimeoutOnceAndItsLateValuesReachNobodyElse() async throws {
        try await withPausedServer(commandTimeout: .milliseconds(100)) { connection, _, resume in
            let late = Heard()
            send(Self.paused, "late", late, on: connection)
            #expect(try await late.first() == .failed(.timeout))
            try await resume()
            let next = Heard()
            send(RedisCommand("MGET", "none"), "next", next, on: connection)
            #expect(try await next.first() == .values([nil]))
            #expect(try await connection.execute(RedisCommand("ECHO", "mine")).string == "mine")
            #expect(late.all.count == 1 && next.all.count == 1)
            #expect(connection.isActive)
        }
    }

    @Test func aFullQueueRefusesAndTheReceiverHearsNothing() async throws {
        try await withPausedServer(maximumQueuedCommands: 2) { connection, _, resume in
            let heard = Heard()
            for name in ["first", "second", "third"] { send(Self.paused, name, heard, on: connection) }
            #expect(try await heard.first() == .refused(.queueFull))
            try await resume()
            while heard.all.count < 3 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(
                heard.all == [
                    Entry(name: "third", outcome: .refused(.queueFull)),
                    Entry(name: "first", outcome: Self.pausedValues), Entry(name: "second", outcome: Self.pausedValues),
                ])
        }
    }

    @Test func aKilledServerIsHeardOfOnceByEachReceiverAndThenRefused() async throws {
        try await withPausedServer { connection, server, _ in
            let heard = Heard()
            for name in ["first", "second"] { send(Self.paused, name, heard, on: connection) }
            try await Task.sleep(for: .milliseconds(50))
            server.kill()
            try await connection.closeFuture.get()
            send(Self.paused, "third", heard, on: connection)
            while heard.all.count < 3 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(
                heard.all == [
                    Entry(name: "first", outcome: .failed(.connectionLost)),
                    Entry(name: "second", outcome: .failed(.connectionLost)),
                    Entry(name: "third", outcome: .refused(.notConnected)),
                ])
        }
    }

    @Test func aConnectionThatIsBeingClosedStillWaitsForValues() async throws {
        try await withPausedServer { connection, _, resume in
            let heard = Heard()
            send(Self.paused, "values", heard, on: connection)
            try await Task.sleep(for: .milliseconds(50))
            async let closed: Void = connection.close()
            try await Task.sleep(for: .milliseconds(50))
            send(RedisCommand("MGET", "a"), "late", heard, on: connection)
            #expect(try await heard.first() == .refused(.closed))
            try await resume()
            await closed
            #expect(heard.all.map(\.outcome) == [.refused(.closed), Self.pausedValues])
        }
    }

    @Test func garbageFailsEveryReceiverOnce() async throws {
        try await FakeRedis.run([FakeRedis.handshake, "*1\r\n$1\r\na\r\n?\r\n"]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            let heard = Heard()
            // In one tick: the peer answers each read with the next answer.
            connection.eventLoop.execute {
                for name in ["first", "second", "third"] {
                    let receiver = Receiver { heard.add(name, $0) }
                    if let refusal = connection.send(RedisCommand("MGET", "a"), to: receiver) {
                        heard.add(name, .refused(refusal.code))
                    }
                }
            }
            try await connection.closeFuture.get()
            #expect(
                heard.all == [
                    Entry(name: "first", outcome: .values([Array("a".utf8)])),
                    Entry(name: "second", outcome: .failed(.protocolViolation)),
                    Entry(name: "third", outcome: .failed(.protocolViolation)),
                ])
        }
    }
}

/// What a receiver was told, or why its command was not sent.
private enum Outcome: Sendable, Equatable {
    case values([[UInt8]?])
    case failed(RedisError.Code)
    case refused(RedisError.Code)
}

private struct Entry: Sendable, Equatable {
    let name: String
    let outcome: Outcome
}

/// Everything that receivers were told, in its order.
private final class Heard: Sendable {
    private let entries = Mutex<[Entry]>([])

    var all: [Entry] { entries.withLock { $0 } }

    func add(_ name: String, _ outcome: Outcome) {
        entries.withLock { $0.append(Entry(name: name, outcome: outcome)) }
    }

    /// The first outcome, once there is one.
    func first() async throws -> Outcome {
        while true {
            if let first = all.first { return first.outcome }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

private final class Receiver: RedisValuesReceiver {
    private let report: (Outcome) -> Void

    init(_ report: @escaping (Outcome) -> Void) {
        self.report = report
    }

    func receive(_ values: borrowing RedisValues) {
        var ranges: [Range<Int>?] = []
        var indices: [Int] = []
        values.forEachRange { index, range in
            indices.append(index)
            ranges.append(range)
        }
        let count = values.count
        #expect(indices == Array(0..<count))
        let found = ranges
        report(
            .values(
                values.withBytes { bytes -> [[UInt8]?] in
                    var taken: [[UInt8]?] = []
                    for range in found {
                        guard let range else {
                            taken.append(nil)
                            continue
                        }
                        taken.append(bytes.extracting(range).withUnsafeBytes { Array($0) })
                    }
                    return taken
                }))
    }

    func fail(_ error: RedisError) {
        report(.failed(error.code))
    }
}
