import ArrowIPC
import FeatureModel
import Foundation
import Testing

@Suite("Arrow IPC read and written back by pyarrow, polars and DuckDB")
struct PyarrowRelayTests {
    private static let python = ProcessInfo.processInfo.environment["LARDER_ARROW_PYTHON"]

    /// A directory that `body` finds and that is gone afterwards.
    private func withDirectory(_ body: (URL) throws -> Void) throws {
        let directory = URL.temporaryDirectory.appending(path: "larder-relay-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try body(directory)
    }

    private func runScript(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: Self.python ?? "")
        let script = Fixtures.directory.deletingLastPathComponent().appending(path: "pyarrow_roundtrip.py")
        process.arguments = [script.path] + arguments
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    /// The values of each column, whatever the batches.
    private func columns(_ read: (fields: [Field]?, batches: [RecordBatch])) throws -> [(field: Field, rows: Column)] {
        try #require(read.fields).enumerated().map { index, field in
            var rows = Column(type: field.type)
            for batch in read.batches { rows.append(contentsOf: batch.columns[index]) }
            return (field, rows)
        }
    }

    @Test("random batches survive each of them", .enabled(if: python != nil, "dev/test names a Python"))
    func relay() throws {
        try withDirectory { directory in
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
            try runScript("relay", directory.path)
            for (name, batch) in written {
                for through in ["pyarrow", "polars", "duckdb"] {
                    let data = try Data(contentsOf: directory.appending(path: "\(name).\(through)"))
                    let back = try columns(try readAll(Array(data)))
                    #expect(back.map(\.rows) == batch.columns, "\(name) \(through)")
                }
            }
        }
    }

    @Test(
        "what each of them writes is read as the values it holds",
        .enabled(if: python != nil, "dev/test names a Python"), arguments: 1...4)
    func cases(seed: Int) throws {
        try withDirectory { directory in
            try runScript("cases", directory.path, "\(seed)")
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
            #expect(names.count > 60)
            for name in names where !name.hasSuffix(".expected") {
                let place = "seed \(seed), \(name)"
                let bytes = Array(try Data(contentsOf: directory.appending(path: name)))
                let stated = Array(try Data(contentsOf: directory.appending(path: name + ".expected")))
                let options = ArrowReadOptions(rounding: .down)
                let read: (fields: [Field]?, batches: [RecordBatch])
                do {
                    read = try readAll(bytes, chunk: [1_000, .max][seed % 2], options: options)
                } catch {
                    Issue.record("\(place): \(error)")
                    continue
                }
                let found = try columns(read)
                let expected = try columns(try readAll(stated))
                #expect(found.map(\.field.name) == expected.map(\.field.name), "\(place)")
                for (found, expected) in zip(found, expected) {
                    #expect(found.field.type == expected.field.type, "\(place), \(expected.field.name)")
                    #expect(found.rows == expected.rows, "\(place), \(expected.field.name)")
                }
            }
        }
    }
}
