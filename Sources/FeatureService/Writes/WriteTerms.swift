import Crypto
import OfflineStore

/// What a write asks for besides its rows. Under one idempotency key equal terms and rows, byte for byte, are the same
/// write once more; anything else is another write.
struct WriteTerms: Sendable {
    let format: FrameFormat
    /// Whether the rows are the elements of a JSON array.
    let isArray: Bool
    let nullSpelling: String?
    /// As the write names it: where it leaves that open, the newest version may be another when it is repeated.
    let schemaVersion: Int32?
    let mode: WriteMode
    /// Nil where there is no choice.
    let destination: WriteDestination?

    /// The beginning of a digest that the bytes of the rows complete. The ledger keeps it: what it is made of stays as it
    /// is.
    ///
    /// - Parameter key: as the writer gave it. The ledger does not have it, so that nobody who reads the digest can try
    ///   out what the rows were.
    func hash(underKey key: String, into target: WriteRecord.Target) -> SHA256 {
        let parts: [String] = [
            "request", "\(target.id)", key, format.rawValue, isArray ? "array" : "rows", nullSpelling ?? "",
            nullSpelling == nil ? "none" : "null", schemaVersion.map { "\($0)" } ?? "newest", mode.rawValue,
            destination?.rawValue ?? "none",
        ]
        var hash = SHA256()
        for part in parts { hash.update(data: Array("\(part.utf8.count) \(part)\n".utf8)) }
        return hash
    }
}
