import FeatureModel
import FeatureService
import Hummingbird
import Logging
import Metrics
import NIOCore
import Synchronization

/// Bytes that one task makes and a response sends: at most one piece waits, so that who makes them waits for who takes them.
///
/// What fails before the first piece can be answered as a problem; what fails later cuts the response off before its final
/// chunk, so that the client notices.
final class FrameStream: Sendable {
    private struct State {
        var piece: [UInt8]?
        var end: Result<Void, any Error>?
        var producer: CheckedContinuation<Void, any Error>?
        var consumer: CheckedContinuation<Void, Never>?
        var isAbandoned = false
    }

    /// So long a piece waits to be taken: a client that reads nothing must not hold a transaction open for good.
    private static let patience: Duration = .seconds(60)

    private let logger: Logger
    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Starts making.
    /// - Parameter make: gives the pieces out by `put`; it is cancelled when nobody takes them any more.
    init(logger: Logger, _ make: @escaping @Sendable (FrameStream) async throws -> Void) {
        self.logger = logger
        let task = Task {
            do {
                try await make(self)
                self.finish(.success(()))
            } catch {
                self.finish(.failure(error))
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Returns when the first piece is there, or the making has ended.
    /// - Throws: what ended it.
    func waitForFirstPiece() async throws {
        await waitForPiece()
        if case .failure(let error) = state.withLock({ $0.piece == nil ? $0.end : nil }) { throw error }
    }

    /// A response's body of all the pieces.
    var body: ResponseBody {
        ResponseBody { writer in
            do {
                while let piece = try await self.next() { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            } catch {
                self.tell(error)
                self.abandon()
                await self.task.withLock { $0 }?.value
                throw error
            }
        }
    }

    /// The status was sent long ago, so nothing else shows that an answer was cut off.
    private func tell(_ error: any Error) {
        let isGone = state.withLock { $0.isAbandoned } || error is CancellationError || error is IOError
        Counter(label: "larder_http_answers_cut", dimensions: [("reason", isGone ? "client" : "server")]).increment()
        guard !isGone else { return logger.info("the client went away while it was answered") }
        let failure = LarderError(translating: error)
        logger.warning(
            "an answer was cut off", metadata: ["code": "\(failure.code)", "detail": "\(failure.message)"])
    }

    /// Also while nothing is sent, a client that goes away ends the making.
    func watch(_ channel: any Channel) {
        self.channel.withLock { $0 = channel }
        let watch = ClientWatch(channel) { [weak self] in self?.abandon() }
        let task = task.withLock { $0 }
        Task {
            await task?.value
            watch.end()
        }
    }

    /// Nobody takes pieces any more: ends the making.
    func abandon() {
        let producer = state.withLock { state in
            state.isAbandoned = true
            defer { state.producer = nil }
            return state.producer
        }
        producer?.resume(throwing: CancellationError())
        task.withLock { $0 }?.cancel()
    }

    private func next() async throws -> [UInt8]? {
        await waitForPiece()
        let (piece, producer) = state.withLock { state in
            defer { (state.piece, state.producer) = (nil, nil) }
            return (state.piece, state.producer)
        }
        producer?.resume()
        if let piece { return piece }
        try state.withLock { $0.end }?.get()
        return nil
    }

    private func waitForPiece() async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.piece != nil || state.end != nil { return true }
                state.consumer = continuation
                return false
            }
            if isReady { continuation.resume() }
        }
    }

    /// Gives a piece out, and returns when it has been taken.
    func put(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        let patience = Task {
            try await Task.sleep(for: Self.patience)
            self.logger.info("a client takes nothing of its answer, which is cut off")
            self.abandon()
            self.channel.withLock { $0 }?.close(promise: nil)
        }
        defer { patience.cancel() }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let (isAbandoned, consumer) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
                guard !state.isAbandoned else { return (true, nil) }
                state.piece = bytes
                state.producer = continuation
                defer { state.consumer = nil }
                return (false, state.consumer)
            }
            if isAbandoned { continuation.resume(throwing: CancellationError()) }
            consumer?.resume()
        }
    }

    private func finish(_ result: Result<Void, any Error>) {
        let consumer = state.withLock { state in
            if state.end == nil { state.end = result }
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume()
    }
}
