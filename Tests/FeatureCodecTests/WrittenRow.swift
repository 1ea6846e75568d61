import FeatureCodec
import FeatureModel
import Testing

/// A row as a test knows it, by feature id, and its bytes as one version wrote them.
struct WrittenRow {
    let writer: ViewSchema
    /// A value or a null for each feature of the writer.
    let values: [Int32: Value]
    let bytes: [UInt8]

    init(_ values: [Int32: Value], under writer: ViewSchema) throws {
        self.writer = writer
        self.values = values
        let columns = try writer.features.map { try column($0.type, [try #require(values[$0.id])]) }
        let order = RowOrder(
            eventTime: Timestamp(microsecondsSince1970: 1), recordedTime: .negativeInfinity, sequence: 1,
            schemaVersion: writer.version)
        var bytes: [UInt8] = []
        try OnlineRowEncoder(layout: OnlineRowLayout(schema: writer), columns: columns)
            .encode(row: 0, order: order, into: &bytes)
        self.bytes = bytes
    }

    /// Whatever the writer allows.
    static func random(under writer: ViewSchema, _ random: inout SeededGenerator) throws -> WrittenRow {
        var values: [Int32: Value] = [:]
        for feature in writer.features {
            values[feature.id] =
                feature.isNullable ? .random(of: feature.type, &random) : .nonNull(of: feature.type, &random)
        }
        return try WrittenRow(values, under: writer)
    }

    func with(_ value: Value, for id: Int32) throws -> WrittenRow {
        var values = values
        values[id] = value
        return try WrittenRow(values, under: writer)
    }

    struct Reading {
        let value: Value
        let status: FeatureStatus
    }

    /// The features as another version reads them, off the bytes.
    /// - Throws: when the projection refuses the pair of versions.
    func read(_ ids: [Int32], by reader: ViewSchema) throws -> [Reading] {
        let projection = try OnlineRowProjection(
            reader: reader, featureIDs: ids, layouts: [writer.version: OnlineRowLayout(schema: writer)])
        var columns = projection.features.map { Column(type: $0.type) }
        var statuses = [[FeatureStatus]](repeating: [], count: ids.count)
        try withBody(of: bytes) { header, body in
            let plan = try #require(projection.position(ofVersion: header.order.schemaVersion))
            try projection.append(body, plan: plan, to: &columns, statuses: &statuses)
        }
        return zip(columns, statuses).map { Reading(value: $0[0], status: $1[0]) }
    }

    /// What a reader must get for a field, worked out without bytes.
    func expectation(of field: FeatureSchema) -> Reading {
        switch values[field.id] {
        case nil: Reading(value: field.defaultValue ?? .null, status: .defaulted)
        case .null?: Reading(value: .null, status: .nullValue)
        case let value?: Reading(value: value, status: .present)
        }
    }
}

extension Value {
    /// Whether this is `narrow`, or the same number in the next wider type. A NaN is a NaN.
    func isExactly(_ narrow: Value) -> Bool {
        switch (narrow, self) {
        case (.int32(let number), .int64(let wide)): Int32(exactly: wide) == number
        case (.float32(let number), .float64(let wide)):
            number.isNaN ? wide.isNaN : Float(exactly: wide)?.bitPattern == number.bitPattern
        default: self == narrow
        }
    }
}
