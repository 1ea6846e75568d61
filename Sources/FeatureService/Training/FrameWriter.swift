import ArrowIPC
import FeatureModel
import TextFormats

/// Writes a frame in any format, batch by batch.
enum FrameWriter {
    case csv(CSVWriter)
    case ndjson(NDJSONWriter)
    case arrow(ArrowFileWriter)
    case arrowStream(ArrowStreamWriter)

    init(format: FrameFormat, fields: [Field]) {
        switch format {
        case .csv: self = .csv(CSVWriter(fields: fields))
        case .ndjson: self = .ndjson(NDJSONWriter(fields: fields))
        case .arrow: self = .arrow(ArrowFileWriter(fields: fields))
        case .arrows: self = .arrowStream(ArrowStreamWriter(fields: fields))
        }
    }

    mutating func begin() -> [UInt8] {
        switch self {
        case .csv(let writer): return writer.header()
        case .ndjson(let writer): return writer.header()
        case .arrow(var writer):
            defer { self = .arrow(writer) }
            return writer.schema()
        case .arrowStream(var writer):
            defer { self = .arrowStream(writer) }
            return writer.schema()
        }
    }

    mutating func write(_ batch: RecordBatch) -> [UInt8] {
        switch self {
        case .csv(let writer):
            var out: [UInt8] = []
            writer.write(batch, into: &out)
            return out
        case .ndjson(let writer):
            var out: [UInt8] = []
            writer.write(batch, into: &out)
            return out
        case .arrow(var writer):
            defer { self = .arrow(writer) }
            return writer.batch(batch)
        case .arrowStream(var writer):
            defer { self = .arrowStream(writer) }
            return writer.batch(batch)
        }
    }

    mutating func end() -> [UInt8] {
        switch self {
        case .csv, .ndjson: return []
        case .arrow(var writer):
            defer { self = .arrow(writer) }
            return writer.end()
        case .arrowStream(var writer):
            defer { self = .arrowStream(writer) }
            return writer.end()
        }
    }
}
