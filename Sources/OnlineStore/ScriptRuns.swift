internal import FeatureCodec
internal import FeatureModel
internal import RedisClient

/// Gives out the rows of a batch as runs of a script: keys are the fence and those of the rows, arguments are the
/// fence, what is written for each row, and when the rows expire.
///
/// Nothing is made anew for a row: keys are written into memory that serves one after the other, and from there into
/// the command. The expiry is sent once for a run whose rows all have the same, as published rows of the past do.
struct ScriptRuns {
    private let batch: OnlineBatch
    private let target: OnlineTarget
    private let publishedAt: Timestamp
    private let fenceKey: [UInt8]
    private let fence: [UInt8]
    /// Always begins with the prefix of the key space.
    private var key: [UInt8]
    private let prefixByteCount: Int
    /// Of the rows of one run; memory that serves all of them.
    private var expiries: [Int64?] = []
    /// The first row that has not been given out.
    private(set) var row = 0
    /// What the last run took, and the next one will take, about.
    private var keyByteCount = 4 << 10
    private var argumentByteCount = 16 << 10

    init(_ batch: OnlineBatch, to target: OnlineTarget, publishedAt: Timestamp, installation: InstallationID) {
        self.batch = batch
        self.target = target
        self.publishedAt = publishedAt
        fenceKey = OnlineKey.fence(installation, keySpace: target.keySpace).bytes
        fence = OnlineFence.bytes(target.fence)
        key = OnlineKey.entityPrefix(installation, keySpace: target.keySpace)
        prefixByteCount = key.count
    }

    /// - Parameter append: adds what is written for a row and says how many bytes it is.
    /// - Returns: nil when every row has been given out.
    mutating func next(
        _ append: (Int, inout RedisArguments) throws(LarderError) -> Int
    ) throws(LarderError) -> RedisScript.Invocation? {
        guard row < batch.count else { return nil }
        var keys = RedisArguments(reservingCapacity: keyByteCount)
        var arguments = RedisArguments(reservingCapacity: argumentByteCount)
        keys.append(bytes: fenceKey)
        arguments.append(bytes: fence)
        expiries.removeAll(keepingCapacity: true)
        var byteCount = 0
        repeat {
            try writeKey()
            keys.append(bytes: key)
            byteCount += try append(row, &arguments) + key.count
            expiries.append(
                target.expiry(
                    eventTime: Timestamp(microsecondsSince1970: batch.eventTimes[row]), publishedAt: publishedAt))
            row += 1
        } while row < batch.count && keys.count <= Limits.rowsPerScript && byteCount < Limits.bytesPerScript
        appendExpiries(to: &arguments)
        // A little more, so that the next run does not have to move for a few bytes.
        keyByteCount = keys.byteCount + keys.byteCount / 8
        argumentByteCount = arguments.byteCount + arguments.byteCount / 8
        return RedisScript.Invocation(keys: keys, arguments: arguments)
    }

    /// A key of the run that begins with a row, by its place among the run's keys, from 1; nil where it has none.
    func key(atPlace place: Int, ofRunFrom firstRow: Int) -> [UInt8]? {
        if place == 1 { return fenceKey }
        let row = firstRow + place - 2
        var key = Array(self.key.prefix(prefixByteCount))
        guard place > 1, row < batch.count,
            (try? target.keyEncoder.append(row: row, of: batch.keys, to: &key)) == true
        else { return nil }
        OnlineKey.finish(&key)
        return key
    }

    private mutating func writeKey() throws(LarderError) {
        key.removeLast(key.count - prefixByteCount)
        guard try target.keyEncoder.append(row: row, of: batch.keys, to: &key) else {
            throw LarderError(.internalError, "a row of the offline table has a null join key")
        }
        OnlineKey.finish(&key)
    }

    private func appendExpiries(to arguments: inout RedisArguments) {
        let first = expiries[0]
        let count = expiries.allSatisfy { $0 == first } ? 1 : expiries.count
        for expiry in expiries.prefix(count) {
            // Milliseconds since 1970, or empty for never.
            if let expiry { arguments.append(integer: expiry) } else { arguments.append(bytes: []) }
        }
    }
}
