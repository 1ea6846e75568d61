import Synchronization

/// Hands pieces from the task that makes them to the one that takes them: at most one waits, so that who makes them
/// waits for who takes them.
final class PieceHandover: Sendable {
    private struct State {
        var piece: [UInt8]?
        var end: Result<Void, any Error>?
        var producer: CheckedContinuation<Void, any Error>?
        var consumer: CheckedContinuation<Void, Never>?
        var isAbandoned = false
    }

    private let state = Mutex(State())

    /// Whether nobody takes pieces any more.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    // MARK: Making

    /// Gives a piece out, and returns when it has been taken.
    /// - Throws: `CancellationError` when nobody takes pieces any more.
    func put(_ bytes: [UInt8]) async throws {
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

    /// No piece follows.
    func finish(_ result: Result<Void, any Error>) {
        let consumer = state.withLock { state in
            if state.end == nil { state.end = result }
            defer { state.consumer = nil }
            return state.consumer
        }
        consumer?.resume()
    }

    // MARK: Taking

    /// Returns when the first piece is there, or the making has ended.
    /// - Throws: what ended it.
    func waitForFirstPiece() async throws {
        await waitForPiece()
        if case .failure(let error) = state.withLock({ $0.piece == nil ? $0.end : nil }) { throw error }
    }

    /// The next piece; nil after the last one.
    /// - Throws: what ended the making.
    func next() async throws -> [UInt8]? {
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

    /// Nobody takes pieces any more: who waits with one waits no longer.
    func abandon() {
        let producer = state.withLock { state in
            state.isAbandoned = true
            defer { state.producer = nil }
            return state.producer
        }
        producer?.resume(throwing: CancellationError())
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
}
