/// How long to wait between attempts to reconnect: twice as long after every failure, up to a maximum, and with
/// jitter, so that many clients of a server that comes back do not come back in step.
struct ReconnectBackoff {
    let initialDelay: Duration
    let maximumDelay: Duration

    /// A connection that lived this long ends a row of failures; one that breaks sooner counts as one more.
    static let stableAfter: Duration = .seconds(10)

    init(initialDelay: Duration, maximumDelay: Duration) {
        self.initialDelay = min(max(initialDelay, .milliseconds(1)), Limits.maximumDuration)
        self.maximumDelay = min(max(maximumDelay, self.initialDelay), Limits.maximumDuration)
    }

    /// - Parameters:
    ///   - failures: failures in a row so far. None: no delay, the loss of a good connection is retried at once.
    ///   - generator: the source of the jitter; the delay is between one half and the whole of its step.
    func delay(afterFailures failures: Int, using generator: inout some RandomNumberGenerator) -> Duration {
        if failures <= 0 { return .zero }
        var step = initialDelay
        var doublings = failures - 1
        while doublings > 0, step < maximumDelay {
            step = min(step * 2, maximumDelay)
            doublings -= 1
        }
        return step * Double.random(in: 0.5...1, using: &generator)
    }
}
