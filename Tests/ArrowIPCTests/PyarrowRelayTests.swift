import ArrowIPC
import FeatureModel
import Foundation
import Testing

@Suite("Arrow IPC read and written back by pyarrow, polars and DuckDB")
struct PyarrowRelayTests {
    private static let python = ProcessInfo.processInfo.environment["LARDER_PYARROW"]

    @Test("random batches survive each of them", .enabled(if: python != nil, "LARDER_PYARROW names a Python"))
    func relay() throws {
        let directory = URL.temporaryDirectory.appending(path: "larder-relay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        var written: [(name: String, batch: RecordBatch)] = []
        for seed in 0..<20 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let batch = RandomBatch.make(rows: [0, 1, 9, 500].pick(&generator), using: &generator)
            for (name, bytes) in [
                ("\(seed).arrows", streamBytes([batch], fields: batch.fields)),
                ("\(seed).arrow", fileBytes([batch], fields: batch.fields)),
            ] {
                try Data(bytes).write(to: directory.appending(path: name))
                written.append((name, batch))
            }
        }
        let process = Process()
        process.executableURL = URL(filePath: Self.python ?? "")
        process.arguments = [
            Fixtures.directory.deletingLastPathComponent().appending(path: "pyarrow_roundtrip.py").path, "relay",
            directory.path,
        ]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        for (name, batch) in written {
            for through in ["pyarrow", "polars", "duckdb"] {
                let data = try Data(contentsOf: directory.appending(path: "\(name).\(through)"))
                let back = try readAll(Array(data)).batches
                #expect(back.map(\.rowCount).reduce(0, +) == batch.rowCount, "\(name) \(through)")
                for (index, field) in batch.fields.enumerated() {
                    let values = back.flatMap { part in (0..<part.rowCount).map { part.columns[index][$0] } }
                    #expect(
                        values == (0..<batch.rowCount).map { batch.columns[index][$0] }, "\(name) \(through) \(field)")
                }
            }
        }
    }
}
