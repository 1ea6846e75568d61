extension PostgresError {
    /// What keeps a server that answers from doing what it is asked, whatever that is, until somebody mends it.
    public enum Obstacle: Sendable {
        /// It takes no writes: it is a standby, or set to be read-only.
        case readOnly
        /// Its disk is full or fails, or it has no memory left.
        case resources
    }

    /// Nil where the statement or the session is to blame, or it is not known what is.
    public var obstacle: Obstacle? {
        guard let sqlState else { return nil }
        switch sqlState {
        case .readOnlyTransaction: return .readOnly
        // Also said of much else; the text alone tells that it is about a standby.
        case .featureNotSupported, .objectNotInPrerequisiteState:
            let isOfStandby = message.contains("during recovery") || message.contains("recovery is in progress")
            return isOfStandby ? .readOnly : nil
        // Of these two one is about the session, and the other a limit that the same statement meets again.
        case .tooManyConnections, .configurationLimitExceeded: return nil
        case .ioError: return .resources
        default: return sqlState.isInsufficientResources ? .resources : nil
        }
    }
}
