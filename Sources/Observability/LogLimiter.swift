public import Logging
internal import Synchronization

/// Lets a few log lines of a kind through in each second. The others are logged at `debug`, and the next line that is
/// let through says as `not_logged` how many they were.
///
/// It never forgets a key: use it for keys of which there is a fixed set, such as routes with error codes.
public final class LogLimiter<Key: Hashable & Sendable>: Sendable {
    private let linesPerSecond: Int
    private let seconds = Mutex<[Key: LimitedSecond]>([:])

    /// - Parameter linesPerSecond: of each key.
    public init(linesPerSecond: Int) {
        self.linesPerSecond = linesPerSecond
    }

    /// - Parameters:
    ///   - level: of a line that is let through.
    ///   - metadata: made only for a line that the logger writes.
    ///   - key: the kind that the line is of.
    public func log(
        _ level: Logger.Level, _ message: Logger.Message, metadata: @autoclosure () -> Logger.Metadata, of key: Key,
        to logger: Logger, now: ContinuousClock.Instant = .now,
        file: String = #fileID, function: String = #function, line: UInt = #line
    ) {
        guard let heldBack = admit(key, now: now) else {
            logger.log(level: .debug, message, metadata: metadata(), file: file, function: function, line: line)
            return
        }
        // A logger that writes `debug` has written them all.
        let notLogged: Logger.Metadata =
            heldBack > 0 && logger.logLevel > .debug ? ["not_logged": "\(heldBack)"] : [:]
        logger.log(
            level: level, message, metadata: metadata().merging(notLogged) { _, new in new },
            file: file, function: function, line: line)
    }

    /// - Returns: how many lines of the key were held back since the last one that was let through; nil when this one
    ///   is held back too.
    func admit(_ key: Key, now: ContinuousClock.Instant) -> Int? {
        seconds.withLock { seconds in
            seconds[key, default: LimitedSecond(end: now)].admit(atMost: linesPerSecond, now: now)
        }
    }
}

/// The second that began with the first line after the one before, for one key.
private struct LimitedSecond {
    var end: ContinuousClock.Instant
    var admitted = 0
    var heldBack = 0

    mutating func admit(atMost maximum: Int, now: ContinuousClock.Instant) -> Int? {
        if now >= end {
            end = now + .seconds(1)
            admitted = 0
        }
        guard admitted < maximum else {
            heldBack += 1
            return nil
        }
        admitted += 1
        defer { heldBack = 0 }
        return heldBack
    }
}
