import FeatureModel
import OfflineStore
import PostgresClient

/// An earlier write into the target has the idempotency key, so that nothing of this one was written.
struct IdempotencyKeyTaken: Error {
    /// As the writer gave it; nil where it was made of the write's bytes.
    let name: String?
    let key: IdempotencyKey
    let target: WriteRecord.Target
}

extension Stores {
    /// The write that has a key which is taken: the same one, committed before.
    ///
    /// - Returns: its id; nil when the ledger has lost it since.
    /// - Throws: `idempotency_key_reused` when it asked for something else.
    func earlierWrite(_ taken: IdempotencyKeyTaken, into target: WriteTarget) async throws -> Int64? {
        let found = try await writer.withConnection { connection in
            try await WriteLedger.write(into: taken.target, withKey: taken.key.digest, on: connection)
        }
        guard let earlier = found else { return nil }
        if let asked = earlier.requestDigest, let asks = taken.key.requestDigest, asked != asks {
            let name = (taken.name ?? "").prefix(63)
            throw LarderError(
                .idempotencyKeyReused,
                "write \(earlier.id) into \(target) has the idempotency key \"\(name)\" and had other rows, or another "
                    + "schema version, mode or destination",
                hint: "nothing was written; give each write a key of its own, and repeat one with the same bytes")
        }
        return earlier.id
    }
}
