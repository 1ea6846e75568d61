public import FeatureModel
import Glibc

/// What a server takes for the time now.
public enum ServingClock: Sendable, Equatable {
    case system
    /// The same instant for ever: demos and tests on historical data.
    case fixed(Timestamp)

    public var now: Timestamp {
        switch self {
        case .system: Self.systemTime
        case .fixed(let time): time
        }
    }

    public var isFixed: Bool { self != .system }

    /// The machine's own clock.
    public static var systemTime: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microsecondsSince1970: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }
}
