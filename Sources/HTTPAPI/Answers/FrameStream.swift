import FeatureModel
import FeatureService
import Hummingbird
import Logging
import Metrics
import NIOCore
import Synchronization

/// Bytes that one task makes and a response sends, as fast as its client takes them.
///
/// What fails before the first piece can be answered as a problem; what fails later cuts the response off before its
/// final chunk, so that the client notices.
final class FrameStream: Sendable {
    private let logger: Logger
    private let patience: Duration
    private let pieces = PieceHandover()
    private let channel = Mutex<(any Channel)?>(nil)
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Starts making.
    /// - Parameters:
    ///   - patience: how long a piece waits to be taken. A client that reads nothing must not hold a transaction open
    ///     for good.
    ///   - make: gives the pieces out by `put`; it is cancelled when nobody takes them any more.
    init(
        logger: Logger, patience: Duration = .seconds(60),
        _ make: @escaping @Sendable (FrameStream) async throws -> Void
    ) {
        self.logger = logger
        self.patience = patience
        let task = Task {
            do {
                try await make(self)
                self.pieces.finish(.success(()))
            } catch {
                self.pieces.finish(.failure(error))
            }
        }
        self.task.withLock { $0 = task }
    }

    /// Gives a piece out, and returns when it has been taken.
    /// - Throws: `CancellationError` when nobody takes pieces any more.
    func put(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        let watchdog = Task {
            try await Task.sleep(for: self.patience)
            self.logger.info("a client takes nothing of its answer, which is cut off")
            self.abandon()
            self.channel.withLock { $0 }?.close(promise: nil)
        }
        defer { watchdog.cancel() }
        try await pieces.put(bytes)
    }

    /// Returns when the first piece is there, or the making has ended.
    /// - Throws: what ended it.
    func waitForFirstPiece() async throws {
        try await pieces.waitForFirstPiece()
    }

    /// A response's body of all the pieces.
    var body: ResponseBody {
        ResponseBody { writer in
            do {
                while let piece = try await self.pieces.next() { try await writer.write(ByteBuffer(bytes: piece)) }
                try await writer.finish(nil)
            } catch {
                self.tell(error)
                self.abandon()
                await self.task.withLock { $0 }?.value
                throw error
            }
        }
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
        pieces.abandon()
        task.withLock { $0 }?.cancel()
    }

    /// The status was sent long ago, so nothing else shows that an answer was cut off.
    private func tell(_ error: any Error) {
        let isGone = pieces.isAbandoned || error is CancellationError || error is IOError
        Counter(label: "larder_http_answers_cut", dimensions: [("reason", isGone ? "client" : "server")]).increment()
        guard !isGone else { return logger.info("the client went away while it was answered") }
        let failure = LarderError(translating: error)
        logger.warning(
            "an answer was cut off", metadata: ["code": "\(failure.code)", "detail": "\(failure.message)"])
    }
}
