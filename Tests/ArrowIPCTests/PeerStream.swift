@testable import ArrowIPC

/// An Arrow type as a peer may declare it, and the buffers that a column of it has after its validity.
struct PeerType {
    enum Buffer {
        case bits
        case values(width: Int)
        case offsets(width: Int)
        case data
        case views
    }

    let tag: UInt8
    var parameters: [Int: FlatBufferBuilder.Field] = [:]
    var buffers: [Buffer] = []
    /// The type of a list's elements, and how many a row has where that is fixed.
    var child: (element: [PeerType], perRow: Int?)?
    /// The width of the indices of a column that is looked up in a dictionary of these values.
    var indexWidth: Int?

    static let scalars: [PeerType] =
        [8, 16, 32, 64].flatMap { width in
            [true, false].map { isSigned in
                PeerType(
                    tag: TypeTag.int, parameters: [0: .int32(Int32(width)), 1: .bool(isSigned)],
                    buffers: [.values(width: width / 8)])
            }
        }
        + [2, 4, 8].enumerated().map { precision, width in
            PeerType(
                tag: TypeTag.floatingPoint, parameters: [0: .int16(Int16(precision))], buffers: [.values(width: width)])
        }
        + [4, 8].enumerated().map { unit, width in
            PeerType(tag: TypeTag.date, parameters: [0: .int16(Int16(unit))], buffers: [.values(width: width)])
        }
        + (0..<4).map { unit in
            PeerType(tag: TypeTag.timestamp, parameters: [0: .int16(unit)], buffers: [.values(width: 8)])
        }
        + [0, 3].map { width in
            PeerType(
                tag: TypeTag.fixedSizeBinary, parameters: [0: .int32(width)], buffers: [.values(width: Int(width))])
        }
        + [
            PeerType(tag: TypeTag.bool, buffers: [.bits]),
            PeerType(tag: TypeTag.utf8, buffers: [.offsets(width: 4), .data]),
            PeerType(tag: TypeTag.binary, buffers: [.offsets(width: 4), .data]),
            PeerType(tag: TypeTag.largeUtf8, buffers: [.offsets(width: 8), .data]),
            PeerType(tag: TypeTag.largeBinary, buffers: [.offsets(width: 8), .data]),
            PeerType(tag: TypeTag.utf8View, buffers: [.views]),
            PeerType(tag: TypeTag.binaryView, buffers: [.views]),
            PeerType(tag: TypeTag.null),
        ]

    static func random(using generator: inout SeededGenerator, isChild: Bool = false) -> PeerType {
        if !isChild, Int.random(in: 0..<3, using: &generator) == 0 {
            let element = [random(using: &generator, isChild: true)]
            let size = Int.random(in: 0...3, using: &generator)
            return [
                PeerType(tag: TypeTag.list, buffers: [.offsets(width: 4)], child: (element, nil)),
                PeerType(tag: TypeTag.largeList, buffers: [.offsets(width: 8)], child: (element, nil)),
                PeerType(
                    tag: TypeTag.fixedSizeList, parameters: [0: .int32(Int32(size))], child: (element, size)),
            ].pick(&generator)
        }
        var type = scalars.filter { !isChild || $0.tag != TypeTag.null }.pick(&generator)
        if type.tag != TypeTag.null, Int.random(in: 0..<4, using: &generator) == 0 {
            type.indexWidth = [1, 2, 4, 8].pick(&generator)
        }
        return type
    }
}

/// Writes streams of all the types that are read, most of them as they should be and some not quite.
struct PeerStream {
    private var generator: SeededGenerator
    /// One statement in this many is skewed; none where it is 0.
    private let skewEvery: Int
    private var types: [PeerType] = []

    private var nodes: [[Int64]] = []
    private var buffers: [[Int64]] = []
    private var variadicCounts: [[Int64]] = []
    private var body: [UInt8] = []

    init(seed: UInt64, skewEvery: Int) {
        generator = SeededGenerator(seed: seed)
        self.skewEvery = skewEvery
    }

    mutating func bytes() -> [UInt8] {
        types = (0..<number(1...4)).map { _ in PeerType.random(using: &generator) }
        var stream = schema()
        for batch in 0..<number(0...3) {
            for (column, type) in types.enumerated() {
                guard let values = type.dictionaryValues, batch == 0 || happens(oneIn: 2) else { continue }
                stream += dictionary(
                    id: column, values, isDelta: batch > 0 && happens(oneIn: 2), mayHaveNulls: type.child == nil)
            }
            let rows = number(0...20)
            stream += message(MessageHeader.recordBatch) { peer, builder in
                peer.batch(of: peer.types, rows: rows, &builder)
            }
        }
        return stream + ArrowFile.endOfStream
    }

    private mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

    private mutating func happens(oneIn times: Int) -> Bool { times > 0 && number(1...times) == 1 }

    /// The value, or once in a while another that is wrong in a way that is worth a try.
    private mutating func skewed(_ value: Int) -> Int64 {
        guard happens(oneIn: skewEvery) else { return Int64(value) }
        return [
            0, -1, Int64(value) + 1, Int64(value) - 1, Int64(value) * 2, Int64(value) + 8, .min, .max, 1 << 31, 1 << 32,
            1 << 40, 1 << 60,
        ].pick(&generator)
    }

    private mutating func message(
        _ type: UInt8, _ header: (inout PeerStream, inout FlatBufferBuilder) -> FlatBufferBuilder.Reference
    ) -> [UInt8] {
        (nodes, buffers, variadicCounts, body) = ([], [], [], [])
        var builder = FlatBufferBuilder()
        let header = header(&self, &builder)
        let message = builder.table([
            0: .int16(MetadataVersion.v5), 1: .int8(type), 2: .reference(header), 3: .int64(Int64(body.count)),
        ])
        let metadata = builder.finish(root: message)
        return ArrowFile.continuation + UInt32(metadata.count).littleEndianBytes + metadata + body
    }

    private mutating func schema() -> [UInt8] {
        message(MessageHeader.schema) { peer, builder in
            var fields: [FlatBufferBuilder.Reference] = []
            for (column, type) in peer.types.enumerated() {
                fields.append(Self.field("c\(column)", type, dictionary: column, &builder))
            }
            let vector = builder.vector(fields)
            return builder.table([1: .reference(vector)])
        }
    }

    private static func field(
        _ name: String, _ type: PeerType, dictionary id: Int, _ builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        let children = (type.child?.element ?? []).map { field("item", $0, dictionary: id, &builder) }
        let parameters = builder.table(type.parameters)
        var fields: [Int: FlatBufferBuilder.Field] = [
            0: .reference(builder.string(name)), 1: .bool(true), 2: .int8(type.tag), 3: .reference(parameters),
            5: .reference(builder.vector(children)),
        ]
        if let width = type.indexWidth {
            let index = builder.table([0: .int32(Int32(width * 8)), 1: .bool(id % 2 == 0)])
            fields[4] = .reference(builder.table([0: .int64(Int64(id)), 1: .reference(index)]))
        }
        return builder.table(fields)
    }

    private mutating func dictionary(
        id: Int, _ values: PeerType, isDelta: Bool, mayHaveNulls: Bool
    ) -> [UInt8] {
        let rows = number(1...20)
        return message(MessageHeader.dictionaryBatch) { peer, builder in
            let batch = peer.batch(of: [values], rows: rows, mayHaveNulls: mayHaveNulls, &builder)
            return builder.table([
                0: .int64(peer.skewed(id)), 1: .reference(batch), 2: .bool(isDelta),
            ])
        }
    }

    private mutating func batch(
        of types: [PeerType], rows: Int, mayHaveNulls: Bool = true, _ builder: inout FlatBufferBuilder
    ) -> FlatBufferBuilder.Reference {
        for type in types { add(type, rows: rows, mayHaveNulls: mayHaveNulls) }
        let nodes = builder.vector(structs: nodes)
        let buffers = builder.vector(structs: buffers)
        let counts = builder.vector(structs: variadicCounts)
        return builder.table([
            0: .int64(skewed(rows)), 1: .reference(nodes), 2: .reference(buffers), 4: .reference(counts),
        ])
    }

    private mutating func add(_ type: PeerType, rows: Int, mayHaveNulls: Bool) {
        let hasNulls = mayHaveNulls && type.tag != TypeTag.null && happens(oneIn: 2)
        nodes.append([skewed(rows), hasNulls && rows > 0 ? skewed(1) : skewed(0)])
        if type.tag == TypeTag.null { return }
        add((0..<(rows + 7) / 8).map { _ in hasNulls ? UInt8(number(0...255)) : 0xFF })
        if let width = type.indexWidth {
            return add((0..<rows).flatMap { _ in integer(skewed(0), width: width) })
        }
        var elements = rows
        for buffer in type.buffers { add(buffer, rows: rows, elements: &elements) }
        if let child = type.child {
            for element in child.element {
                add(
                    element, rows: child.perRow.map { $0 * rows } ?? elements,
                    mayHaveNulls: happens(oneIn: skewEvery))
            }
        }
    }

    /// - Parameter elements: how many bytes or elements the offsets before reach to.
    private mutating func add(_ buffer: PeerType.Buffer, rows: Int, elements: inout Int) {
        switch buffer {
        case .bits: add((0..<(rows + 7) / 8).map { _ in UInt8(number(0...255)) })
        // Timestamps and days that exist; days in milliseconds are whole ones.
        case .values(let width):
            add((0..<rows).flatMap { row in integer(skewed(width == 8 ? row * 86_400_000 : row), width: width) })
        case .data: add((0..<elements).map { _ in happens(oneIn: skewEvery * 10) ? UInt8(number(0...255)) : 0x61 })
        case .offsets(let width):
            var end = number(0...2)
            var bytes = integer(skewed(end), width: width)
            for _ in 0..<rows {
                end += number(0...3)
                bytes += integer(skewed(end), width: width)
            }
            elements = end
            add(bytes)
        case .views:
            let data = number(0...2)
            add((0..<rows).flatMap { _ in view(data: data) })
            variadicCounts.append([skewed(data)])
            for _ in 0..<data { add([UInt8](repeating: 0x62, count: 40)) }
        }
    }

    private mutating func view(data: Int) -> [UInt8] {
        guard data > 0, happens(oneIn: 2) else {
            return integer(skewed(number(0...12)), width: 4) + [UInt8](repeating: 0x63, count: 12)
        }
        return integer(skewed(number(13...20)), width: 4) + [0x62, 0x62, 0x62, 0x62]
            + integer(skewed(number(0...data - 1)), width: 4) + integer(skewed(number(0...20)), width: 4)
    }

    private func integer(_ value: Int64, width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: $0 < 8 ? value >> Int64($0 * 8) : 0) }
    }

    private mutating func add(_ buffer: [UInt8]) {
        buffers.append([skewed(body.count), skewed(buffer.count)])
        body += buffer
        body += [UInt8](repeating: 0, count: (8 - body.count % 8) % 8)
    }
}

extension PeerType {
    /// The values of the dictionary that the column or its elements are looked up in.
    fileprivate var dictionaryValues: PeerType? {
        if indexWidth != nil {
            var values = self
            values.indexWidth = nil
            return values
        }
        return child?.element.first?.dictionaryValues
    }
}
