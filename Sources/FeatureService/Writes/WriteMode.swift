/// What becomes of a write that has bad rows.
public enum WriteMode: String, Sendable, CaseIterable {
    /// Nothing is written.
    case allOrNothing = "all_or_nothing"
    /// The good rows are written, the bad ones go to the quarantine.
    case partial
}
