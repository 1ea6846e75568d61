import Glibc
import UnixSignals

/// A command was ended by a signal before it was done.
struct Interruption: Error {
    let signal: UnixSignal

    /// As shells show it: 130 for SIGINT, 143 for SIGTERM.
    var exitStatus: Int32 { 128 + signal.rawValue }
}

/// How long a command that was asked to stop may take to do so, before the process ends as it is. Every command can be
/// killed at any point without harm; this is for one that waits for input.
private let patience: Duration = .seconds(5)

private enum Event<Value: Sendable>: Sendable {
    case finished(Result<Value, any Error>)
    case signalled(UnixSignal)
    case watchEnded
}

/// Runs `body`; the first SIGINT or SIGTERM cancels it, the second ends the process at once.
///
/// - Throws: what `body` throws, or `Interruption` when that was because of a signal.
func cancellingOnSignals<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: Event<Value>.self) { group in
        group.addTask {
            do { return .finished(.success(try await body())) } catch { return .finished(.failure(error)) }
        }
        group.addTask {
            for await signal in signals { return .signalled(signal) }
            return .watchEnded
        }
        var interruption: Interruption?
        while let event = try await group.next() {
            switch event {
            case .watchEnded: break
            case .signalled(let signal):
                let stopped = Interruption(signal: signal)
                interruption = stopped
                endSoon(stopped)
                group.cancelAll()
            case .finished(let result):
                group.cancelAll()
                if let interruption, case .failure = result { throw interruption }
                return try result.get()
            }
        }
        throw CancellationError()
    }
}

private func endSoon(_ interruption: Interruption) {
    signal(interruption.signal.rawValue, SIG_DFL)
    Task {
        try? await Task.sleep(for: patience)
        _exit(interruption.exitStatus)
    }
}
