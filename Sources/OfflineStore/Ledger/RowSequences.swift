import PostgresClient

/// Row sequences, reserved by the block in input order.
struct SequenceBlocks {
    static let blockSize: Int64 = 65_536

    private var next: Int64 = 0
    private var end: Int64 = 0

    /// The first of `count` ascending sequences; `count` is at most a block.
    mutating func reserve(_ count: Int, on connection: PostgresConnection) async throws -> Int64 {
        precondition(count <= Self.blockSize, "\(count) rows are more than a block of sequences")
        if next + Int64(count) > end {
            let rows = try await connection.query("SELECT nextval('larder.row_block') AS first")
            guard let row = rows.first else { throw PostgresError(.decoding, "nextval gave no row") }
            next = try row.decode("first", as: Int64.self)
            end = next + Self.blockSize
        }
        defer { next += Int64(count) }
        return next
    }
}

/// Row sequences for a load of unknown length, drawn some blocks at a time.
///
/// Each draw takes as many blocks as the load has used before, so that a long load draws seldom and a short one wastes little.
struct SequenceSupply {
    private static let maximumBlocksPerDraw: Int64 = 64

    private var blocks: ArraySlice<Int64> = []
    private var drawn: Int64 = 0
    /// The next sequence, when not empty.
    private(set) var next: Int64 = 0
    /// How many sequences follow each other from `next` on.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Takes the next ones out; at most `count`.
    mutating func take(_ taken: Int) {
        next += Int64(taken)
        count -= taken
        if count == 0 { openBlock() }
    }

    private mutating func openBlock() {
        guard let first = blocks.popFirst() else { return }
        next = first
        count = Int(SequenceBlocks.blockSize)
    }

    /// Draws more, when empty.
    mutating func draw(on connection: PostgresConnection) async throws {
        let number = max(1, min(drawn, Self.maximumBlocksPerDraw))
        let rows = try await connection.query(
            "SELECT nextval('larder.row_block') AS first FROM generate_series(1, \(number)) ORDER BY first")
        blocks = try rows.map { try $0.decode("first", as: Int64.self) }[...]
        drawn += Int64(blocks.count)
        openBlock()
        guard !isEmpty else { throw PostgresError(.decoding, "nextval gave no row") }
    }
}
