import FeatureCodec
import FeatureModel
import Testing

@Suite struct RowOrderTests {
    private static func order(_ eventTime: Int64, _ recorded: Int64, _ sequence: Int64, _ version: Int32) -> RowOrder {
        RowOrder(
            eventTime: Timestamp(microsecondsSince1970: eventTime),
            recordedTime: Timestamp(microsecondsSince1970: recorded), sequence: sequence, schemaVersion: version)
    }

    @Test("golden vectors encode and decode")
    func golden() throws {
        let expected = [
            "static": Self.order(.min, .min, 1, 1),
            "typical": Self.order(1_357_016_400_000_000, 1_357_016_401_000_000, 1_234_567_890_123, 3),
            "negative": Self.order(-1, -2, -3, -4),
            "maximum": Self.order(.max, .max, .max, .max),
        ]
        let vectors = try goldenVectors("row-order.txt")
        #expect(Set(vectors.keys) == Set(expected.keys))
        for (name, order) in expected {
            #expect(order.bytes == vectors[name], "\(name)")
            #expect(try withSpan(order.bytes) { try RowOrder(bytes: $0) } == order, "\(name)")
        }
    }

    @Test("the bytes compare as the one order does")
    func bytesCompareAsOrder() throws {
        var random = SeededGenerator(state: 5)
        let edges: [Int64] = [.min, -1, 0, 1, .max]
        let orders = (0..<150).map { _ in
            Self.order(
                edges.randomElement(using: &random) ?? 0, edges.randomElement(using: &random) ?? 0,
                edges.randomElement(using: &random) ?? 0,
                [Int32.min, -1, 0, 1, .max].randomElement(using: &random) ?? 0)
        }
        for left in orders {
            for right in orders {
                #expect((left < right) == left.bytes.lexicographicallyPrecedes(right.bytes), "\(left) \(right)")
                #expect((left == right) == (left.bytes == right.bytes), "\(left) \(right)")
            }
        }
    }

    @Test("any other length than 28 bytes is refused")
    func wrongLength() {
        for length in [0, 27, 29] {
            #expect(throws: CodecError.wrongLength) {
                try withSpan([UInt8](repeating: 0, count: length)) { try RowOrder(bytes: $0) }
            }
        }
    }
}
