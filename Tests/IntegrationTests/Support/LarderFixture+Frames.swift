import ArrowIPC
import FeatureDefinitions
import FeatureModel
import FeatureService
import Foundation
import OnlineStore
import PostgresClient
import Registry
import Testing

extension LarderFixture {
    func withTemporaryFile<T>(_ bytes: [UInt8], _ body: (String) async throws -> T) async throws -> T {
        let path = FileManager.default.temporaryDirectory.appending(path: "in-\(UUID().uuidString)").path()
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try await body(path)
    }

    /// Ingests rows of an Arrow file.
    @discardableResult
    func ingest(_ source: String, _ batches: [RecordBatch]) async throws -> WriteReport {
        try await withTemporaryFile(arrowFile(batches)) { path in
            try await IngestRows(stores: stores).run(
                .init(source: source, path: path, format: .arrow), in: try await project())
        }
    }

    /// A training set's bytes in any formats.
    func trainingSet(
        spine: [UInt8], _ spineFormat: FrameFormat, _ features: TrainingSetRequest.Features,
        to outputFormat: FrameFormat, options: TrainingSetOptions = TrainingSetOptions(),
        resources: TrainingSetResources = TrainingSetResources()
    ) async throws -> (bytes: [UInt8], result: TrainingSetReport) {
        let path = FileManager.default.temporaryDirectory.appending(path: "out-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await withTemporaryFile(spine) { spinePath in
            try await CreateTrainingSet(stores: stores).run(
                .init(
                    trainingSet: .init(features: features, options: options, resources: resources),
                    spine: .file(path: spinePath, spineFormat), outputPath: path,
                    outputFormat: outputFormat),
                in: try await project())
        }
        return (Array(try Data(contentsOf: URL(filePath: path))), result)
    }

    func rawTable(_ source: String) async throws -> PostgresQuery {
        let id = try await project().source(named: source).id
        return "larder_data.\(identifier: "source_\(id)")"
    }

    func offlineTable(_ view: String) async throws -> PostgresQuery {
        let id = try await project().featureView(named: view).id
        return "larder_data.\(identifier: "view_\(id)_g1")"
    }

    func count(_ table: PostgresQuery) async throws -> Int64 {
        try await value("SELECT count(*) FROM \(query: table)", as: Int64.self)
    }

    /// What the online store answers for one feature at a time, with its status.
    func online(
        _ reference: String, _ keys: [OnlineRequest.Key], at now: Timestamp
    ) async throws -> (value: Value, status: FeatureStatus) {
        let snapshot = try await stores.writer.withConnection { try await ServingSnapshot.read(on: $0) }
        let response = try await OnlineFeatures(reader: OnlineReader(redis: stores.redis)).read(
            try snapshot.project(named: "test"), OnlineRequest(features: .references([reference]), keys: keys),
            now: now)
        return (response.features[0].values[0], response.features[0].statuses[0])
    }
}

/// The bytes of an Arrow file.
func arrowFile(_ batches: [RecordBatch]) -> [UInt8] {
    var writer = ArrowFileWriter(fields: batches[0].fields)
    return writer.schema() + batches.flatMap { writer.batch($0) } + writer.end()
}

/// The rows of an Arrow file.
func arrowRows(_ bytes: [UInt8]) throws -> [RecordBatch] {
    var reader = ArrowStreamReader()
    try reader.feed(bytes)
    try reader.finish()
    var batches: [RecordBatch] = []
    while let batch = try reader.nextBatch() { batches.append(batch) }
    return batches
}

/// A batch of columns given by their values.
func recordBatch(_ columns: [(name: String, type: ValueType, values: [Value])]) -> RecordBatch {
    RecordBatch(
        fields: columns.map { Field(name: $0.name, type: $0.type) },
        columns: columns.map { name, type, values in
            var column = Column(type: type)
            for value in values { column.append(value) }
            return column
        },
        rowCount: columns.first?.values.count ?? 0)
}

/// An instant written as RFC 3339.
func instant(_ text: String) throws -> Timestamp {
    try #require(Timestamp(text))
}
