/// The frame of a binary COPY stream.
enum PostgresCopyFormat {
    static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]
    /// Signature, no flags, no extension.
    static let header = signature + [0, 0, 0, 0, 0, 0, 0, 0]
    static let trailer: [UInt8] = [0xFF, 0xFF]
}

/// Some whole rows of a binary COPY.
public struct PostgresCopyChunk: Sendable {
    /// The rows as the server sent them, without header and trailer.
    public let bytes: [UInt8]
    public let rowCount: Int

    package init(bytes: [UInt8], rowCount: Int) {
        self.bytes = bytes
        self.rowCount = rowCount
    }

    /// Calls `body` for each row. Fields that it does not read are skipped.
    ///
    /// - Throws: what `body` throws, and `PostgresError` with code `decoding` for malformed data.
    @inlinable
    public func forEachRow(_ body: (inout PostgresCopyRow) throws -> Void) throws {
        var row = PostgresCopyRow(self)
        while try row.advance() { try body(&row) }
    }

    /// A cursor before the first row, for those who read several streams in step.
    @inlinable
    public func makeCursor() -> PostgresCopyRow {
        PostgresCopyRow(self)
    }
}
