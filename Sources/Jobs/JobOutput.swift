import FeatureModel
public import PostgresClient

extension JobStore {
    /// Adds a piece to what an attempt puts out. The lease is checked in the same statement, and a piece that is sent twice is
    /// stored once.
    ///
    /// - Parameters:
    ///   - bytes: not empty, and not more than `JobPieces.maximumBytes`.
    ///   - number: from 0, without gaps.
    /// - Throws: `LarderError` `job_lease_lost`; nothing is written then.
    public func appendOutput(
        _ bytes: [UInt8], number: Int32, _ lease: JobLease, on connection: PostgresConnection
    ) async throws {
        let written = try await connection.execute(
            """
            INSERT INTO larder.job_output (job_id, lease_token, number, bytes)
            SELECT id, lease_token, \(number), \(bytes) FROM larder.job
            WHERE \(query: condition(lease)) AND state = 'running' FOR NO KEY UPDATE
            ON CONFLICT (job_id, lease_token, number) DO UPDATE SET bytes = excluded.bytes
            """)
        guard written == 1 else { throw LarderError.leaseLost(lease) }
    }
}

/// Collects what an attempt puts out, and stores it in pieces of even size.
public struct JobOutput: Sendable {
    /// A piece is stored once there are so many bytes.
    private static let pieceBytes = 1 << 20

    private let lease: JobLease
    private let pool: PostgresPool
    private let store = JobStore()
    private var waiting: [UInt8] = []
    private var count: Int32 = 0
    public private(set) var byteCount: Int64 = 0

    public init(_ lease: JobLease, pool: PostgresPool) {
        self.lease = lease
        self.pool = pool
    }

    /// - Throws: `LarderError` `job_lease_lost`.
    public mutating func write(_ bytes: [UInt8]) async throws {
        waiting += bytes
        byteCount += Int64(bytes.count)
        if waiting.count >= Self.pieceBytes { try await flush() }
    }

    /// Stores the rest.
    /// - Throws: `LarderError` `job_lease_lost`.
    public mutating func finish() async throws {
        try await flush()
    }

    private mutating func flush() async throws {
        for piece in JobPieces.split(waiting) {
            let number = count
            try await pool.withConnection { [store, lease] connection in
                try await store.appendOutput(piece, number: number, lease, on: connection)
            }
            count += 1
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
