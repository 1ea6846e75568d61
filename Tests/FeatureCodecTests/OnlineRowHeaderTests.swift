import FeatureCodec
import FeatureModel
import Testing

@Suite struct OnlineRowHeaderTests {
    /// Where one byte more is needed, and the ends.
    private static let edges: [Int64] =
        [0, 1, -1]
        + (1...8).flatMap { count -> [Int64] in
            let shift = 64 - 8 * count
            let (greatest, least) = (Int64.max >> shift, Int64.min >> shift)
            return [greatest, greatest &+ 1, least, least &- 1]
        }

    private static func number(_ random: inout SeededGenerator) -> Int64 {
        if Bool.random(using: &random) { return edges.randomElement(using: &random) ?? 0 }
        // Of each length as often as of any other.
        return Int64(bitPattern: random.next()) >> Int.random(in: 0..<64, using: &random)
    }

    private static func header(_ random: inout SeededGenerator) -> OnlineRowHeader {
        let isRecorded = Bool.random(using: &random)
        let order = RowOrder(
            eventTime: Timestamp(microsecondsSince1970: number(&random)),
            recordedTime: isRecorded ? Timestamp(microsecondsSince1970: number(&random)) : .negativeInfinity,
            sequence: number(&random), schemaVersion: Int32(truncatingIfNeeded: number(&random)))
        return OnlineRowHeader(order: order, isTombstone: Bool.random(using: &random))
    }

    private static func bytes(_ header: OnlineRowHeader) -> [UInt8] {
        var out: [UInt8] = []
        header.append(to: &out)
        return out
    }

    private static func read(_ bytes: [UInt8]) throws -> OnlineRowHeader {
        try withSpan(bytes) { try OnlineRowHeader(of: $0) }
    }

    /// Bytes of two's complement, found by trying.
    private static func length(_ number: Int64) -> Int {
        (1...8).first { count in
            let shift = 64 - 8 * count
            return (Int64.min >> shift...Int64.max >> shift).contains(number)
        } ?? 0
    }

    @Test("the header of any order comes back as it went in, in as few bytes as hold it")
    func roundTrip() throws {
        var random = SeededGenerator(state: 11)
        var lengths: Set<Int> = []
        for _ in 0..<5_000 {
            let header = Self.header(&random)
            let bytes = Self.bytes(header)
            let order = header.order
            let recorded = order.recordedTime == .negativeInfinity ? 0 : 8
            let expected = 10 + recorded + Self.length(order.sequence) + Self.length(Int64(order.schemaVersion))
            #expect(bytes.count == expected, "\(header)")
            #expect(header.byteCount == expected, "\(header)")
            #expect(try Self.read(bytes) == header)
            lengths.insert(bytes.count)
        }
        #expect(lengths.sorted() == Array(12...30))
    }

    @Test("a header with a changed byte is refused, or is the one encoding of what it says")
    func changedBytes() throws {
        var random = SeededGenerator(state: 12)
        var (accepted, refused) = (0, 0)
        for round in 0..<30 {
            let bytes = Self.bytes(Self.header(&random))
            // A body makes room for a header that says it is longer.
            let body: [UInt8] = round % 3 == 0 ? [] : (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            for index in bytes.indices {
                for byte in UInt8.min...UInt8.max {
                    var changed = bytes + body
                    changed[index] = byte
                    do {
                        let header = try Self.read(changed)
                        accepted += 1
                        let again = try changed[0] == 1 ? inFirstFormat(Self.bytes(header)) : Self.bytes(header)
                        if again != Array(changed.prefix(header.byteCount)) {
                            Issue.record("\(changed) is read as \(header)")
                        }
                    } catch is CodecError {
                        refused += 1
                    }
                }
            }
        }
        #expect(accepted > 10_000 && refused > 10_000)
    }

    @Test("what fewer bytes could say is malformed")
    func wastefulBytes() throws {
        let eventTime = [UInt8](repeating: 0, count: 8)
        // Flags, and what follows the event time: a sequence and a version.
        let wasteful: [(flags: UInt8, rest: [UInt8])] = [
            (0x04, [0x00, 0x7F, 0x01]), (0x04, [0xFF, 0x80, 0x01]), (0x08, [0x00, 0x00, 0x80, 0x01]),
            (0x1C, [0x00, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]), (0x20, [0x01, 0x00, 0x7F]),
            (0x20, [0x01, 0xFF, 0x80]), (0x60, [0x01, 0xFF, 0x80, 0x00, 0x00]),
            // A recorded time of minus infinity.
            (0x02, [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x01]),
        ]
        for (flags, rest) in wasteful {
            #expect(throws: CodecError.malformed, "\(flags) \(rest)") {
                try Self.read([0x02, flags] + eventTime + rest)
            }
        }
        // A byte as good as these, but needed.
        let header = try Self.read([0x02, 0x24] + eventTime + [0x00, 0x80, 0xFF, 0x7F])
        #expect(header.order.sequence == 128 && header.order.schemaVersion == -129)
    }

    @Test("a header cut short is refused, and a tombstone with anything after it")
    func wrongLength() {
        var random = SeededGenerator(state: 13)
        for _ in 0..<200 {
            let header = Self.header(&random)
            let bytes = Self.bytes(header)
            for length in bytes.indices {
                #expect(throws: CodecError.wrongLength) { try Self.read(Array(bytes.prefix(length))) }
            }
            guard header.isTombstone else { continue }
            #expect(throws: CodecError.wrongLength) { try Self.read(bytes + [0]) }
        }
    }
}
