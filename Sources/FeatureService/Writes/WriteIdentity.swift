import Crypto
import FeatureModel
import OfflineStore

/// What makes a write count once.
enum WriteIdentity: Sendable {
    /// Its target, version and bytes.
    case bytes
    /// A key of the writer's own, per target, and what is asked for under it.
    case key(String, WriteTerms)
    /// Nothing: each write counts.
    case none

    private static let maximumKeyBytes = 256

    /// - Parameter key: as the writer gave it; nil for none.
    /// - Throws: `request_invalid` for one that is no key.
    init(key: String?, _ terms: WriteTerms) throws(LarderError) {
        guard let key else {
            self = .none
            return
        }
        // Bytes of a header or an argument that are no UTF-8 come as U+FFFD: different keys would be taken for the same one.
        guard !key.unicodeScalars.contains("\u{FFFD}") else {
            throw LarderError(
                .requestInvalid, "the idempotency key is not UTF-8", hint: "use letters and digits, such as a UUID")
        }
        guard key.contains(where: { !$0.isWhitespace }), key.utf8.count <= Self.maximumKeyBytes else {
            throw LarderError(
                .requestInvalid, "the idempotency key is blank or longer than \(Self.maximumKeyBytes) bytes",
                hint: "a UUID for each write will do")
        }
        self = .key(key, terms)
    }

    /// A writer's own key as the ledger knows it.
    static func digest(ofKey key: String, for target: WriteRecord.Target) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("key \(target.id)\n\(key)".utf8))
        return Array(hash.finalize())
    }
}
