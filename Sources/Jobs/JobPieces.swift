import FeatureModel
public import PostgresClient

/// The input or output of a job: bytes in PostgreSQL, read a piece at a time.
public struct JobPieces: Sendable {
    /// The most bytes of one piece, which is what a reader holds in memory.
    public static let maximumBytes = 4 << 20

    let jobID: Int64
    /// The attempt whose output it is; nil for input.
    let token: Int64?
    public let count: Int32
    public let byteCount: Int64

    /// One piece, by its number from 0.
    /// - Throws: `LarderError` `job_not_found` when the job has been removed meanwhile.
    public func piece(_ number: Int32, on connection: PostgresConnection) async throws -> [UInt8] {
        let table: PostgresQuery
        if let token {
            table = "larder.job_output WHERE lease_token = \(token) AND"
        } else {
            table = "larder.job_input WHERE"
        }
        let rows = try await connection.query(
            "SELECT bytes FROM \(query: table) job_id = \(jobID) AND number = \(number)")
        guard let row = rows.first else { throw LarderError.jobNotFound(jobID) }
        return try row.decode("bytes", as: [UInt8].self)
    }

    /// All pieces in order. A connection is held only while one is read, so that a slow reader is in nobody's way.
    public func stream(_ pool: PostgresPool) -> Stream {
        Stream(pieces: self, pool: pool)
    }

    /// See `stream(_:)`.
    public struct Stream: AsyncSequence, Sendable {
        let pieces: JobPieces
        let pool: PostgresPool

        public struct AsyncIterator: AsyncIteratorProtocol {
            let pieces: JobPieces
            let pool: PostgresPool
            var next: Int32 = 0

            public mutating func next() async throws -> [UInt8]? {
                guard next < pieces.count else { return nil }
                let (pieces, number) = (pieces, next)
                next += 1
                return try await pool.withConnection { try await pieces.piece(number, on: $0) }
            }
        }

        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pieces: pieces, pool: pool) }
    }

    /// The bytes in parts that are small enough to be stored.
    static func split(_ bytes: [UInt8]) -> [[UInt8]] {
        guard bytes.count > maximumBytes else { return bytes.isEmpty ? [] : [bytes] }
        return stride(from: 0, to: bytes.count, by: maximumBytes).map {
            Array(bytes[$0..<min($0 + maximumBytes, bytes.count)])
        }
    }
}

extension JobStore {
    /// What a job works on.
    public func input(_ id: Int64, on connection: PostgresConnection) async throws -> JobPieces {
        try await pieces(id, token: nil, "larder.job_input WHERE job_id = \(id)", on: connection)
    }

    /// What a job that succeeded has made, with the job.
    /// - Throws: `LarderError` `job_not_found`; `job_not_finished`; `job_not_succeeded`.
    public func output(
        _ id: Int64, projectID: Int64? = nil, on connection: PostgresConnection
    ) async throws -> (job: Job, pieces: JobPieces) {
        // One snapshot: a job that is removed meanwhile is either whole or not there.
        try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
            try await storedOutput(id, projectID: projectID, on: connection)
        }
    }

    private func storedOutput(
        _ id: Int64, projectID: Int64?, on connection: PostgresConnection
    ) async throws -> (job: Job, pieces: JobPieces) {
        let job = try await job(id, projectID: projectID, on: connection)
        guard job.state.isFinished else {
            throw LarderError(
                .jobNotFinished, "job \(id) is not over: it is \(job.state.rawValue)",
                hint: "larder jobs follow \(id) waits for it")
        }
        guard job.state == .succeeded else {
            throw LarderError(
                .jobNotSucceeded, "job \(id) is \(job.state.rawValue), so that it has no output",
                hint: "larder jobs retry \(id) begins it again")
        }
        let pieces = try await pieces(
            id, token: job.lease.token, "larder.job_output WHERE \(query: outputCondition(job.lease))", on: connection)
        return (job, pieces)
    }

    private func pieces(
        _ id: Int64, token: Int64?, _ table: PostgresQuery, on connection: PostgresConnection
    ) async throws -> JobPieces {
        // The length of a value that is stored uncompressed is known without reading it.
        let rows = try await connection.query(
            """
            SELECT count(*)::integer AS count, coalesce(sum(octet_length(bytes)), 0)::bigint AS bytes FROM \(query: table)
            """)
        guard let row = rows.first else { throw PostgresError(.decoding, "no count") }
        return JobPieces(
            jobID: id, token: token, count: try row.decode("count"), byteCount: try row.decode("bytes"))
    }
}
