import Logging
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import RedisClient

/// What becomes of a connection whose peer answers something else than it was asked for, and of commands that wait too long
/// one after another.
@Suite(.timeLimit(.minutes(1)))
struct ExpectedValuesTests {
    private func connect(_ configuration: RedisConfiguration) async throws(RedisError) -> RedisConnection {
        try await RedisConnection.connect(
            configuration, on: MultiThreadedEventLoopGroup.singleton.next(), logger: .silent)
    }

    /// - Parameter next: runs when the command has been queued.
    /// - Returns: how many values came, or why none did.
    private func values(
        of command: RedisCommand, expecting count: Int, on connection: RedisConnection,
        then next: @escaping @Sendable () -> Void = {}
    ) async throws -> Result<Int, RedisError> {
        try await withCheckedThrowingContinuation { continuation in
            connection.eventLoop.execute {
                let receiver = CountingReceiver { continuation.resume(returning: $0) }
                if let refusal = connection.send(command, to: receiver, expecting: count) {
                    continuation.resume(throwing: refusal)
                }
                next()
            }
        }
    }

    @Test(arguments: [
        "*1\r\n$1\r\na\r\n", "*3\r\n$-1\r\n$-1\r\n$-1\r\n", "*0\r\n", "+OK\r\n", ":2\r\n", "$1\r\na\r\n", "*-1\r\n",
        "*2\r\n:1\r\n:2\r\n", "no redis\r\n",
    ])
    func aConnectionThatAnswersSomethingElseIsClosedAndItsNeighboursFail(answer: String) async throws {
        try await FakeRedis.run([FakeRedis.handshake, answer]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            let neighbour = connection.eventLoop.makePromise(of: RedisReply.self)
            // In one tick: the peer answers both with one answer.
            let outcome = try await values(of: RedisCommand("MGET", "a", "b"), expecting: 2, on: connection) {
                connection.send(RedisCommand("GET", "a")).cascade(to: neighbour)
            }
            guard case .failure(let error) = outcome else {
                neighbour.fail(RedisError(.cancelled, "the test has failed"))
                Issue.record("\(outcome)")
                return
            }
            #expect(error.code == .protocolViolation)
            let neighbours = await #expect(throws: RedisError.self) { try await neighbour.futureResult.get() }
            #expect(neighbours?.code == .protocolViolation)
            try await connection.closeFuture.get()
            #expect(!connection.isActive)
        }
    }

    @Test func anErrorOfTheServerLeavesTheConnectionAsItIs() async throws {
        try await FakeRedis.run([FakeRedis.handshake, "-LOADING not yet\r\n", "*1\r\n$1\r\na\r\n"]) { peer in
            let connection = try await connect(RedisConfiguration(url: peer.url))
            let command = RedisCommand("MGET", "a")
            let refused = try await values(of: command, expecting: 1, on: connection)
            guard case .failure(let error) = refused else {
                Issue.record("\(refused)")
                return
            }
            #expect(error.code == .server("LOADING"))
            #expect(try await values(of: command, expecting: 1, on: connection).get() == 1)
            await connection.close()
        }
    }

    @Test func eachCommandTimesOutAtItsOwnTimeHoweverLongTheOldestHasWaited() async throws {
        try await FakeRedis.run([FakeRedis.handshake]) { peer in
            var configuration = try RedisConfiguration(url: peer.url)
            configuration.commandTimeout = .milliseconds(100)
            configuration.stallTimeout = .seconds(20)
            let connection = try await connect(configuration)
            // The second and third begin when what the first left to be judged is its stall alone.
            for _ in 0..<3 {
                let start = ContinuousClock.now
                let error = await #expect(throws: RedisError.self) {
                    try await connection.execute(RedisCommand("GET", "a"))
                }
                let duration = ContinuousClock.now - start
                #expect(error?.code == .timeout)
                #expect(duration >= .milliseconds(100) && duration < .milliseconds(150), "\(duration)")
            }
            #expect(connection.isActive)
            // What is abandoned is still due, and nobody waits for it.
            await connection.close()
        }
    }
}

private final class CountingReceiver: RedisValuesReceiver {
    private let report: (Result<Int, RedisError>) -> Void

    init(_ report: @escaping (Result<Int, RedisError>) -> Void) {
        self.report = report
    }

    func receive(_ values: borrowing RedisValues) {
        report(.success(values.count))
    }

    func fail(_ error: RedisError) {
        report(.failure(error))
    }
}
