/// Builds one flatbuffer, back to front as the format wants it: what is referred to is written before what refers
/// to it. Bytes are kept in reverse and turned round by `finish`.
struct FlatBufferBuilder {
    /// A finished object: its distance from the end of the buffer.
    struct Reference {
        fileprivate let distance: Int
    }

    enum Field {
        case int8(UInt8)
        case bool(Bool)
        case int16(Int16)
        case int32(Int32)
        case int64(Int64)
        case reference(Reference)

        fileprivate var size: Int {
            switch self {
            case .int8, .bool: 1
            case .int16: 2
            case .int32, .reference: 4
            case .int64: 8
            }
        }
    }

    private var reversed: [UInt8] = []

    private mutating func push(_ value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            reversed.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    /// Pads so that after `upcoming` more bytes the buffer is a multiple of `alignment`.
    private mutating func align(_ alignment: Int, upcoming: Int = 0) {
        while (reversed.count + upcoming) % alignment != 0 { reversed.append(0) }
    }

    private mutating func push(_ reference: Reference) {
        push(UInt32(reversed.count + 4 - reference.distance))
    }

    mutating func string(_ text: String) -> Reference {
        let utf8 = Array(text.utf8)
        align(4, upcoming: utf8.count + 1)
        reversed.append(0)
        reversed.append(contentsOf: utf8.reversed())
        push(UInt32(utf8.count))
        return Reference(distance: reversed.count)
    }

    mutating func vector(_ references: [Reference]) -> Reference {
        align(4)
        for reference in references.reversed() { push(reference) }
        push(UInt32(references.count))
        return Reference(distance: reversed.count)
    }

    /// A vector of structs made of 64-bit integers, each struct a row of `words`.
    mutating func vector(structs words: [[Int64]]) -> Reference {
        align(8)
        for word in words.joined().reversed() { push(word) }
        push(UInt32(words.count))
        return Reference(distance: reversed.count)
    }

    /// A table; fields by slot, absent ones left out.
    mutating func table(_ fields: [Int: Field]) -> Reference {
        let start = reversed.count
        var distances: [Int: Int] = [:]
        for (slot, field) in fields.sorted(by: { ($0.value.size, $0.key) < ($1.value.size, $1.key) }) {
            align(field.size)
            switch field {
            case .int8(let value): push(value)
            case .bool(let value): push(value ? 1 : 0 as UInt8)
            case .int16(let value): push(value)
            case .int32(let value): push(value)
            case .int64(let value): push(value)
            case .reference(let value): push(value)
            }
            distances[slot] = reversed.count
        }
        align(4)
        let slots = (fields.keys.max() ?? -1) + 1
        let vtableSize = 4 + slots * 2
        push(Int32(vtableSize))
        let table = reversed.count
        for slot in (0..<slots).reversed() { push(UInt16(distances[slot].map { table - $0 } ?? 0)) }
        push(UInt16(table - start))
        push(UInt16(vtableSize))
        return Reference(distance: table)
    }

    /// The finished buffer, a multiple of 8 bytes long.
    mutating func finish(root: Reference) -> [UInt8] {
        align(8, upcoming: 4)
        push(root)
        return reversed.reversed()
    }
}
