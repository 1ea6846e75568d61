import FeatureModel

/// Writes record batches as messages.
struct BatchEncoder {
    /// A batch that takes more bytes in memory is written as several. Far below what 32-bit offsets reach and what the
    /// readers of `ArrowLimits` take.
    let maximumBatchBytes: Int

    init(maximumBatchBytes: Int = 1 << 29) {
        self.maximumBatchBytes = maximumBatchBytes
    }

    /// - Parameter onMessage: told the length of each message's metadata and body.
    /// - Returns: the batch as one message, or as several where it is too large for one.
    func encode(_ batch: RecordBatch, onMessage: (_ metadata: Int, _ body: Int) -> Void) -> [UInt8] {
        let messages = parts(of: batch).map(BatchMessage.init)
        for message in messages { onMessage(message.metadata.count, message.bodyLength) }
        let total = messages.reduce(0) { $0 + $1.metadata.count + $1.bodyLength }
        return [UInt8](unsafeUninitializedCapacity: total) { target, initialized in
            var rest = UnsafeMutableRawBufferPointer(target)[...]
            for message in messages {
                let length = message.metadata.count + message.bodyLength
                message.write(to: UnsafeMutableRawBufferPointer(rebasing: rest.prefix(length)))
                rest = rest.dropFirst(length)
            }
            initialized = total
        }
    }

    private func parts(of batch: RecordBatch) -> [RecordBatch] {
        let bytes = batch.columns.reduce(0) { $0 + $1.storedBytes }
        guard batch.rowCount > 1, bytes > maximumBatchBytes || batch.rowCount > ArrowLimits.default.maximumRows else {
            return [batch]
        }
        let middle = batch.rowCount / 2
        return parts(of: batch.slice(0..<middle)) + parts(of: batch.slice(middle..<batch.rowCount))
    }
}

extension Column {
    /// What the rows take in memory.
    var storedBytes: Int {
        bools.count + 4 * (int32s.count + float32s.count)
            + 8 * (int64s.count + float64s.count + byteOffsets.count + listOffsets.count)
            + bytes.count + validity.bits.count
    }
}
