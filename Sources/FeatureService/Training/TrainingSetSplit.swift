import FeatureModel

/// Divides a training set's rows into named parts, told in a column `split`.
public enum TrainingSetSplit: Sendable, Hashable, Codable {
    /// Shares that add up to one. A row's part depends on its number and the seed alone.
    case random(parts: [Part], seed: UInt64)
    /// Each part ends before its time, in microseconds since 1970; the last has none and takes the rest.
    case time(parts: [TimePart])

    public struct Part: Sendable, Hashable, Codable {
        public let name: String
        public let share: Double

        public init(name: String, share: Double) {
            self.name = name
            self.share = share
        }
    }

    public struct TimePart: Sendable, Hashable, Codable {
        public let name: String
        public let end: Int64?

        public init(name: String, end: Int64?) {
            self.name = name
            self.end = end
        }
    }

    public static let columnName = "split"

    /// The part of a row.
    /// - Parameters:
    ///   - row: its number in the spine, from 0.
    ///   - time: its timestamp, in microseconds since 1970.
    func part(ofRow row: Int, at time: Int64) -> String {
        switch self {
        case .random(let parts, let seed):
            // SplitMix64's output function over the row's number (Steele, Lea, Flood, 2014); 53 bits make a fraction.
            var mixed = seed &+ (UInt64(row) &+ 1) &* 0x9E37_79B9_7F4A_7C15
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed >> 31
            var rest = Double(mixed >> 11) / Double(1 << 53)
            for part in parts.dropLast() {
                if rest < part.share { return part.name }
                rest -= part.share
            }
            return parts[parts.count - 1].name
        case .time(let parts):
            return (parts.first { $0.end.map { time < $0 } ?? true } ?? parts[parts.count - 1]).name
        }
    }

    /// - Throws: `request_invalid` when it divides nothing, or not everything.
    func validate() throws(LarderError) {
        let names: [String]
        switch self {
        case .random(let parts, _):
            names = parts.map(\.name)
            let isWhole = abs(parts.reduce(0) { $0 + $1.share } - 1) < 1e-9 && parts.allSatisfy { $0.share > 0 }
            guard isWhole else {
                throw LarderError(
                    .requestInvalid, "the shares of a split are to be positive and add up to 1",
                    hint: "write train=0.8,test=0.2")
            }
        case .time(let parts):
            names = parts.map(\.name)
            let ends = parts.compactMap(\.end)
            guard parts.dropLast().allSatisfy({ $0.end != nil }), parts.last?.end == nil,
                zip(ends, ends.dropFirst()).allSatisfy({ $0 < $1 })
            else {
                throw LarderError(
                    .requestInvalid,
                    "the parts of a split by time are to end one after the other, the last without an end",
                    hint: "write train=2013-02-01T00:00:00Z,test")
            }
        }
        guard names.count > 1, Set(names).count == names.count, names.allSatisfy({ !$0.isEmpty }) else {
            throw LarderError(.requestInvalid, "a split needs at least two parts of different names")
        }
    }
}
