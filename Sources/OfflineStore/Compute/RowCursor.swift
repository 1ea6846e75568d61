import PointInTime

/// Rows in batches, pulled.
protocol RowStream {
    /// The next batch; nil at the end. Batches are never empty.
    mutating func next() async throws -> SourceBatch?
}

/// One row of a batch. The batch is shared, not copied.
struct RowPlace {
    let batch: HistoryBatch
    let row: Int
}

/// Walks a stream row by row.
struct RowCursor<Stream: RowStream> {
    private var stream: Stream
    private(set) var current: RowPlace?

    init(_ stream: Stream) {
        self.stream = stream
    }

    /// Moves to the next row; `current` is nil at the end.
    /// - Returns: the batch, when a new one was begun.
    @discardableResult
    mutating func advance() async throws -> SourceBatch? {
        if let place = current, place.row + 1 < place.batch.rowCount {
            current = RowPlace(batch: place.batch, row: place.row + 1)
            return nil
        }
        let batch = try await stream.next()
        current = batch.map { RowPlace(batch: $0.rows, row: 0) }
        return batch
    }
}
