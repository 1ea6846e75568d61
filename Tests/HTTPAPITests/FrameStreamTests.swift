import CoreMetrics
import FeatureModel
import Glibc
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Observability
import Synchronization
import TestSupport
import Testing

@testable import HTTPAPI

/// Answers that are made while they are sent: to clients that take them, that stop taking them, and that go away.
@Suite("Frame stream", .timeLimit(.minutes(1)))
struct FrameStreamTests {
    private let metrics = PrometheusMetricsFactory()
    private let received = Received()

    /// Sends the answer, and counts what is counted meanwhile.
    private func send(_ frames: FrameStream, to client: some ResponseBodyWriter & Sendable) async throws {
        try await withMetricsFactory(metrics) {
            try await frames.waitForFirstPiece()
            try await frames.body.write(client)
        }
    }

    /// The counter of answers cut off, as it is scraped.
    private var cuts: [String] {
        String(decoding: metrics.scrape(), as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("larder_http_answers_cut_total") }
    }

    private static let cutByClient = [#"larder_http_answers_cut_total{reason="client"} 1"#]
    private static let cutByServer = [#"larder_http_answers_cut_total{reason="server"} 1"#]

    @Test("an answer that is taken is whole, and counts as no cut")
    func whole() async throws {
        let frames = FrameStream(logger: .silent) { frames in
            for piece in [[1, 2], [], [3]] as [[UInt8]] { try await frames.put(piece) }
        }
        try await send(frames, to: ReadingClient(received: received))
        #expect(received.bytes == [1, 2, 3])
        #expect(received.isWhole)
        #expect(cuts.isEmpty)
    }

    @Test("what fails before the first piece is thrown before anything is sent, and counts as no cut")
    func failureBeforehand() async {
        let frames = FrameStream(logger: .silent) { _ in throw LarderError(.spineInvalid, "no time") }
        let error = await #expect(throws: LarderError.self) {
            try await send(frames, to: ReadingClient(received: received))
        }
        #expect(error?.code == .spineInvalid)
        #expect(received.bytes.isEmpty && cuts.isEmpty)
    }

    @Test("a client that takes no second piece has its connection closed after the patience, which ends the making")
    func patience() async throws {
        let patience: Duration = .milliseconds(500)
        let channel = NIOAsyncTestingChannel()
        let (failures, making) = AsyncStream.makeStream(of: (any Error).self)
        let frames = FrameStream(logger: .silent, patience: patience) { frames in
            defer { making.finish() }
            try await frames.put([1])
            do {
                try await frames.put([2])
            } catch {
                making.yield(error)
                throw error
            }
        }
        frames.watch(channel)
        let start = ContinuousClock.now
        // It comes to an end only because the connection does.
        await #expect(throws: ChannelError.self) { try await send(frames, to: StalledClient(channel: channel)) }
        #expect(ContinuousClock.now - start >= patience)
        let failure = await failures.first { _ in true }
        #expect(failure is CancellationError)
        #expect(cuts == Self.cutByClient)
    }

    @Test("the patience is for one piece, not for the whole answer")
    func slowClient() async throws {
        let patience: Duration = .seconds(2)
        let frames = FrameStream(logger: .silent, patience: patience) { frames in
            for piece: UInt8 in 1...6 { try await frames.put([piece]) }
        }
        let start = ContinuousClock.now
        try await send(frames, to: ReadingClient(received: received, pause: patience / 4))
        #expect(ContinuousClock.now - start > patience)
        #expect(received.bytes == [1, 2, 3, 4, 5, 6] && received.isWhole)
        #expect(cuts.isEmpty)
    }

    @Test("a client that goes away while nothing is sent ends the making, and counts as the client's cut")
    func departure() async throws {
        let channel = NIOAsyncTestingChannel()
        let frames = FrameStream(logger: .silent) { frames in
            try await frames.put([1])
            channel.close(promise: nil)
            // Longer than the test may take.
            try await Task.sleep(for: .seconds(600))
        }
        frames.watch(channel)
        await #expect(throws: CancellationError.self) { try await send(frames, to: ReadingClient(received: received)) }
        #expect(received.bytes == [1] && !received.isWhole)
        #expect(cuts == Self.cutByClient)
    }

    @Test("a connection that breaks ends the making, and counts as the client's cut")
    func brokenConnection() async throws {
        let (failures, making) = AsyncStream.makeStream(of: (any Error).self)
        let frames = FrameStream(logger: .silent) { frames in
            defer { making.finish() }
            do {
                for piece: UInt8 in 1...10 { try await frames.put([piece]) }
            } catch {
                making.yield(error)
                throw error
            }
        }
        await #expect(throws: IOError.self) { try await send(frames, to: BrokenClient()) }
        let failure = await failures.first { _ in true }
        #expect(failure is CancellationError)
        #expect(cuts == Self.cutByClient)
    }

    @Test("an answer that fails on its way has no end, and counts as the server's cut")
    func failureOnTheWay() async throws {
        let frames = FrameStream(logger: .silent) { frames in
            try await frames.put([1])
            throw LarderError(.registryUnavailable, "PostgreSQL went away")
        }
        let error = await #expect(throws: LarderError.self) {
            try await send(frames, to: ReadingClient(received: received))
        }
        #expect(error?.code == .registryUnavailable)
        #expect(received.bytes == [1] && !received.isWhole)
        #expect(cuts == Self.cutByServer)
    }
}

/// What a client has got of an answer.
private final class Received: Sendable {
    private let state = Mutex<(bytes: [UInt8], isWhole: Bool)>(([], false))

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    /// Whether the final chunk has come.
    var isWhole: Bool { state.withLock { $0.isWhole } }

    func add(_ piece: [UInt8]) {
        state.withLock { $0.bytes += piece }
    }

    func finish() {
        state.withLock { $0.isWhole = true }
    }
}

private struct ReadingClient: ResponseBodyWriter, Sendable {
    let received: Received
    /// How long it takes over each piece.
    var pause: Duration = .zero

    mutating func write(_ buffer: ByteBuffer) async throws {
        try await Task.sleep(for: pause)
        received.add(Array(buffer.readableBytesView))
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        received.finish()
    }
}

/// Takes one piece, and nothing more for as long as its connection lasts.
private struct StalledClient: ResponseBodyWriter, Sendable {
    let channel: any Channel

    mutating func write(_ buffer: ByteBuffer) async throws {
        try await channel.closeFuture.get()
        throw ChannelError.ioOnClosedChannel
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

private struct BrokenClient: ResponseBodyWriter, Sendable {
    mutating func write(_ buffer: ByteBuffer) async throws {
        throw IOError(errnoCode: EPIPE, reason: "write")
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
