/// A push that waits for its turn, with whoever waits for what comes of it.
struct WaitingPush: Sendable {
    enum Outcome: Sendable {
        /// Its rows are in PostgreSQL.
        case written(OnlineOutcome)
        /// Nothing of it was written: it has to be written alone.
        case alone
        /// Its transaction failed, or may have.
        case failed(any Error)
        /// It was taken back before its turn.
        case withdrawn
    }

    let id: Int
    let push: GroupedPush
    private let continuation: CheckedContinuation<Outcome, Never>

    init(id: Int, push: GroupedPush, continuation: CheckedContinuation<Outcome, Never>) {
        self.id = id
        self.push = push
        self.continuation = continuation
    }

    /// To be called once.
    func answer(_ outcome: Outcome) {
        continuation.resume(returning: outcome)
    }
}
