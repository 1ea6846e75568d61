import FeatureModel
import Testing

@testable import ArrowIPC

/// Reads what nobody vouches for, and looks at all that comes out of it.
enum Fuzz {
    /// Small, so that input which would take much memory is told by its error.
    static let limits = ArrowLimits(
        maximumMetadataBytes: 1 << 16, maximumBodyBytes: 1 << 20, maximumHeldFileBytes: 1 << 20,
        maximumDecodedBytes: 1 << 22, maximumUnbackedBytes: 1 << 18, maximumRows: 1 << 16, maximumColumns: 64)

    enum Outcome {
        case read
        case refused(LarderError)
        /// Read as something that no reader may give.
        case broken(String)
    }

    static func outcome(_ bytes: [UInt8], chunk: Int = .max) -> Outcome {
        let read: (fields: [Field]?, batches: [RecordBatch])
        do {
            read = try readAll(bytes, chunk: chunk, limits: limits)
        } catch {
            return .refused(error)
        }
        guard let fields = read.fields else { return .broken("no schema") }
        for batch in read.batches {
            if batch.fields != fields { return .broken("a batch with other fields") }
            if batch.rowCount > limits.maximumRows { return .broken("\(batch.rowCount) rows") }
            let bytes = batch.columns.reduce(0) { $0 + $1.storedBytes }
            if bytes > limits.maximumDecodedBytes { return .broken("\(bytes) bytes decoded") }
        }
        // Writing touches every value, and reading that again compares them all.
        guard let again = try? readAll(streamBytes(read.batches, fields: fields)), again.fields == fields,
            again.batches == read.batches
        else { return .broken("what was read is not read back") }
        return .read
    }
}

@Suite("Arrow IPC input made up at random; a failure names its seed")
struct FuzzTests {
    @Test("streams of every type that other writers know are read", arguments: 0..<4)
    func peers(start: UInt64) {
        for seed in start * 100..<start * 100 + 100 {
            var stream = PeerStream(seed: seed, skewEvery: 0)
            let outcome = Fuzz.outcome(stream.bytes(), chunk: [1, 100, .max][Int(seed % 3)])
            guard case .read = outcome else {
                Issue.record("seed \(seed): \(outcome)")
                continue
            }
        }
    }

    @Test("streams that state something wrong here and there are read or refused", arguments: 0..<8)
    func skewedPeers(start: UInt64) {
        var refused = 0
        for seed in start * 250..<start * 250 + 250 {
            var stream = PeerStream(seed: seed, skewEvery: 60)
            switch Fuzz.outcome(stream.bytes()) {
            case .read: break
            case .refused: refused += 1
            case .broken(let problem): Issue.record("seed \(seed): \(problem)")
            }
        }
        #expect((50..<230).contains(refused), "from seed \(start * 250): \(refused) refused")
    }

    @Test("damaged streams and files are read or refused", arguments: 0..<8)
    func damage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let rows = Int.random(in: 0...20, using: &generator)
        let batch = RandomBatch.make(rows: rows, using: &generator)
        let originals =
            [streamBytes([batch, batch], fields: batch.fields), fileBytes([batch], fields: batch.fields)]
            + Fixtures.names.compactMap { try? Fixtures.bytes($0) }
        var refused = 0
        let rounds = 600
        for round in 0..<rounds {
            var bytes = originals.pick(&generator)
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                StreamMutator.mutate(&bytes, using: &generator)
            }
            switch Fuzz.outcome(bytes) {
            case .read: break
            case .refused: refused += 1
            case .broken(let problem): Issue.record("seed \(seed), round \(round): \(problem)")
            }
        }
        #expect(refused > rounds / 4, "seed \(seed)")
    }
}
