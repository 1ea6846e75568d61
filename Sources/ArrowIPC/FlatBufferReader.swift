import FeatureModel

/// A table of a flatbuffer (https://flatbuffers.dev/internals), read in place.
///
/// Every access is checked against the buffer: offsets come from a peer. An offset only ever points forward of the
/// field that holds it, and callers bound how deep they follow them, so that cycles cannot be built.
struct FlatBufferTable {
    private let bytes: [UInt8]
    private let position: Int
    private let vtable: Int
    private let vtableLength: Int

    /// The root table of a buffer.
    init(root bytes: [UInt8]) throws(LarderError) {
        let offset: UInt32 = try Self.load(bytes, at: 0)
        try self.init(bytes, at: Int(offset))
    }

    private init(_ bytes: [UInt8], at position: Int) throws(LarderError) {
        let toVtable: Int32 = try Self.load(bytes, at: position)
        let vtable = position - Int(toVtable)
        let length: UInt16 = try Self.load(bytes, at: vtable)
        guard length >= 4, length % 2 == 0, vtable + Int(length) <= bytes.count else { throw Self.outOfRange }
        self.bytes = bytes
        self.position = position
        self.vtable = vtable
        vtableLength = Int(length)
    }

    private static var outOfRange: LarderError { .malformedArrow("an offset in its metadata points outside of it") }

    private static func load<Integer: FixedWidthInteger>(
        _ bytes: [UInt8], at offset: Int
    ) throws(LarderError) -> Integer {
        let size = Integer.bitWidth / 8
        guard offset >= 0, offset <= bytes.count - size else { throw outOfRange }
        var value: Integer = 0
        for index in stride(from: size - 1, through: 0, by: -1) {
            value = Integer(truncatingIfNeeded: bytes[offset + index]) | (size == 1 ? 0 : value << 8)
        }
        return value
    }

    /// Where the field in `slot` is stored; nil when it is absent and so has its default.
    private func field(_ slot: Int) throws(LarderError) -> Int? {
        let entry = 4 + slot * 2
        guard entry + 2 <= vtableLength else { return nil }
        let offset: UInt16 = try Self.load(bytes, at: vtable + entry)
        return offset == 0 ? nil : position + Int(offset)
    }

    func integer<Integer: FixedWidthInteger>(_ slot: Int, default value: Integer) throws(LarderError) -> Integer {
        guard let location = try field(slot) else { return value }
        return try Self.load(bytes, at: location)
    }

    func bool(_ slot: Int, default value: Bool = false) throws(LarderError) -> Bool {
        try integer(slot, default: value ? 1 : 0 as UInt8) != 0
    }

    func has(_ slot: Int) throws(LarderError) -> Bool {
        try field(slot) != nil
    }

    private func target(_ slot: Int) throws(LarderError) -> Int? {
        guard let location = try field(slot) else { return nil }
        let offset: UInt32 = try Self.load(bytes, at: location)
        return location + Int(offset)
    }

    func table(_ slot: Int) throws(LarderError) -> FlatBufferTable? {
        guard let target = try target(slot) else { return nil }
        return try FlatBufferTable(bytes, at: target)
    }

    /// - Parameter limit: bytes that the names still to come may have.
    func string(_ slot: Int, limit: Int) throws(LarderError) -> String? {
        guard let vector = try vector(slot, elementSize: 1) else { return nil }
        guard vector.count <= limit else { throw .arrowLimit("the names of its columns", hint: "shorten them") }
        let text = bytes[vector.start..<vector.start + vector.count]
        guard let string = String(validating: text, as: UTF8.self) else {
            throw .malformedArrow("a name in its metadata is not UTF-8")
        }
        return string
    }

    /// A vector of structs or scalars, as the place and number of its elements.
    private func vector(_ slot: Int, elementSize: Int) throws(LarderError) -> (start: Int, count: Int)? {
        guard let target = try target(slot) else { return nil }
        let count: UInt32 = try Self.load(bytes, at: target)
        let start = target + 4
        guard Int(count) * elementSize <= bytes.count - start else { throw Self.outOfRange }
        return (start, Int(count))
    }

    /// A vector of tables; empty when absent.
    func tables(_ slot: Int, limit: Int) throws(LarderError) -> [FlatBufferTable] {
        guard let vector = try vector(slot, elementSize: 4) else { return [] }
        guard vector.count <= limit else { throw .arrowLimit("it has more than \(limit) columns") }
        var tables: [FlatBufferTable] = []
        for index in 0..<vector.count {
            let location = vector.start + index * 4
            let offset: UInt32 = try Self.load(bytes, at: location)
            tables.append(try FlatBufferTable(bytes, at: location + Int(offset)))
        }
        return tables
    }

    /// A vector of structs that hold two 64-bit integers each; empty when absent.
    func int64Pairs(_ slot: Int) throws(LarderError) -> [(first: Int64, second: Int64)] {
        guard let vector = try vector(slot, elementSize: 16) else { return [] }
        var pairs: [(first: Int64, second: Int64)] = []
        pairs.reserveCapacity(vector.count)
        for index in 0..<vector.count {
            let first: Int64 = try Self.load(bytes, at: vector.start + index * 16)
            let second: Int64 = try Self.load(bytes, at: vector.start + index * 16 + 8)
            pairs.append((first, second))
        }
        return pairs
    }

    func int64s(_ slot: Int) throws(LarderError) -> [Int64] {
        guard let vector = try vector(slot, elementSize: 8) else { return [] }
        var values: [Int64] = []
        for index in 0..<vector.count { values.append(try Self.load(bytes, at: vector.start + index * 8)) }
        return values
    }

    /// Where a message lies in a file, as its footer states it.
    typealias Block = (offset: Int64, metadataLength: Int32, bodyLength: Int64)

    /// A vector of Block structs; empty when absent.
    func blocks(_ slot: Int) throws(LarderError) -> [Block] {
        guard let vector = try vector(slot, elementSize: 24) else { return [] }
        var blocks: [Block] = []
        blocks.reserveCapacity(vector.count)
        for start in stride(from: vector.start, to: vector.start + vector.count * 24, by: 24) {
            // Four bytes of padding follow the metadata's length.
            blocks.append(
                (
                    try Self.load(bytes, at: start), try Self.load(bytes, at: start + 8),
                    try Self.load(bytes, at: start + 16)
                ))
        }
        return blocks
    }
}
