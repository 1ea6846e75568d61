import OnlineStore
import Registry

/// Tells, by what one server has seen, why its Redis does not hold what was published of a project: it has lost it, or
/// somebody publishes to another Redis.
///
/// A value without a clock: its owner tells what was found, and when.
struct OnlineStoreSightings {
    enum Verdict: Equatable {
        /// Nothing speaks for another Redis: this one was emptied, restarted or restored.
        case lost
        /// It was published to a Redis of another address, which may be gone or in use.
        case elsewhere
        /// This server's Redis held it and has not been restarted, and then it was published to another one.
        case taken
        /// It was taken before, a while ago, and came back.
        case contested(times: Int)
    }

    /// What is taken twice in this time is contested.
    static let window: Duration = .seconds(1_800)

    /// What this server's Redis held when it last held what was published.
    private var held: OnlineStoreState?
    /// Whether that was after it was last taken.
    private var isHeldAgain = false
    /// When it was taken, since the Redis of `held` was started.
    private var takings: [ContinuousClock.Instant] = []
    /// The publication that was judged last: each is judged once.
    private var judgedIncarnation: Int64?

    /// Redis holds what was published.
    mutating func noteHeld(_ state: OnlineStoreState) {
        if held?.redisRunID != state.redisRunID { takings = [] }
        held = state
        isHeldAgain = true
        judgedIncarnation = nil
    }

    /// Redis does not hold what was published.
    ///
    /// - Parameters:
    ///   - expected: what was published, read before `sentinel`.
    ///   - publishedEndpoint: where to, as far as it is known.
    ///   - sentinel: what this server's Redis shows.
    ///   - runID: of this server's Redis.
    /// - Returns: nil when it was told before.
    mutating func judge(
        _ expected: OnlineStoreState, publishedEndpoint: String?, sentinel: OnlineSentinel?, runID: String,
        endpoint: String, now: ContinuousClock.Instant
    ) -> Verdict? {
        if judgedIncarnation == expected.onlineIncarnation { return nil }
        judgedIncarnation = expected.onlineIncarnation
        guard let held, held.redisRunID == runID else {
            // A process that this server knows is no other one, however its address is spelled.
            let isKnownProcess = expected.redisRunID == runID || expected.redisRunID == held?.redisRunID
            return isKnownProcess || (publishedEndpoint ?? endpoint) == endpoint ? .lost : .elsewhere
        }
        // What one Redis is given, it shows before the row names it: one that still shows what it held was not given it. Two
        // databases of one server are two stores.
        let wasGivenToAnother = expected.redisRunID != runID || sentinel?.onlineIncarnation == held.onlineIncarnation
        guard expected.onlineIncarnation != held.onlineIncarnation, wasGivenToAnother else { return .lost }
        // The other one was filled again itself.
        guard isHeldAgain else { return nil }
        isHeldAgain = false
        takings = takings.filter { now - $0 < Self.window } + [now]
        return takings.count > 1 ? .contested(times: takings.count) : .taken
    }
}
