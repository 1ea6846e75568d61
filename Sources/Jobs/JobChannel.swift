import PostgresClient

/// What is announced to workers, so that they need not wait until they look again. A lost announcement delays, nothing else.
public enum JobChannel {
    /// The channel to listen on.
    public static let name = "larder_job"

    enum Message: Sendable, Hashable {
        /// There is a job to claim.
        case queued
        /// A running job has been asked to stop.
        case cancelRequested(Int64)

        /// What is not understood is taken for news of some job.
        init(payload: String) {
            let parts = payload.split(separator: " ")
            if parts.count == 2, parts[0] == "cancel", let id = Int64(parts[1]) {
                self = .cancelRequested(id)
            } else {
                self = .queued
            }
        }

        var payload: String {
            switch self {
            case .queued: "queued"
            case .cancelRequested(let id): "cancel \(id)"
            }
        }
    }

    static func announce(_ message: Message, on connection: PostgresConnection) async throws {
        try await connection.execute("SELECT pg_notify(\(name), \(message.payload))")
    }
}
