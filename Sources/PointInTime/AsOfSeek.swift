public import FeatureModel

/// The point-in-time join of one view to some keys of a spine where the store itself seeks the right row of each distinct
/// (key, time): what to ask for, and where each answer belongs.
///
/// The one asked applies `known_by` and the one order; age is judged here.
public struct AsOfSeek: Sendable {
    /// Some answers, at most one for each probe, in the order of the probes. Probes without a row have none.
    public struct Answers: Sendable {
        /// The probe's position in `SpineIndex.sortedRows`.
        public let positions: [Int32]
        /// Microseconds since 1970; `Int64.min` for static rows. Nil where all rows are known to be young enough, and their
        /// times are not asked for.
        public let eventTimes: [Int64]?
        /// Nil where they are not asked for.
        public let schemaVersions: [Int32]?
        /// The features of the rows, which are no tombstones.
        public let features: [Column]

        public init(positions: [Int32], eventTimes: [Int64]?, schemaVersions: [Int32]?, features: [Column]) {
            self.positions = positions
            self.eventTimes = eventTimes
            self.schemaVersions = schemaVersions
            self.features = features
        }
    }

    private let spine: SpineIndex
    private let groups: Range<Int>
    private let ttlMicroseconds: Int64?
    private var part: AsOfPart
    /// The key of the last answer, and the first position after it.
    private var group: Int
    private var nextPosition: Int

    /// - Parameter groups: the distinct keys of the spine to answer for.
    public init(spine: SpineIndex, groups: Range<Int>, ttlMicroseconds: Int64?, featureTypes: [ValueType]) {
        self.spine = spine
        self.groups = groups
        self.ttlMicroseconds = ttlMicroseconds
        let positions = spine.positions(ofGroups: groups)
        part = AsOfPart(positions: positions, featureTypes: featureTypes)
        group = groups.lowerBound
        nextPosition = positions.lowerBound
    }

    /// Puts answers where they belong: each for every spine row of its key and time.
    /// - Throws: `internal_error` when they are out of order or answer what was not asked.
    public mutating func consume(_ answers: Answers) throws(LarderError) {
        let firstWinner = Int32(part.winnerSchemaVersions.count)
        for index in part.winners.indices { part.winners[index].append(contentsOf: answers.features[index]) }
        part.winnerSchemaVersions.append(
            contentsOf: answers.schemaVersions ?? [Int32](repeating: 0, count: answers.positions.count))
        for index in answers.positions.indices {
            let position = Int(answers.positions[index])
            guard position >= nextPosition, position < part.positions.upperBound else {
                throw LarderError(.internalError, "answers of the offline store are out of order")
            }
            set(from: position, eventTime: answers.eventTimes?[index], winner: firstWinner + Int32(index))
        }
    }

    private mutating func set(from position: Int, eventTime: Int64?, winner: Int32) {
        while Int(spine.groupStarts[group + 1]) <= position { group += 1 }
        let end = Int(spine.groupStarts[group + 1])
        let time = spine.sortedTimes[position]
        let verdict = eventTime.map { eventTime in
            MaxAge.judge(
                eventTime: Timestamp(microsecondsSince1970: eventTime), at: Timestamp(microsecondsSince1970: time),
                ttlMicroseconds: ttlMicroseconds)
        }
        nextPosition = position
        repeat {
            switch verdict {
            case .fresh, nil: part.set(nextPosition, .found, eventTime: eventTime ?? .min, winner: winner)
            case .outsideMaxAge: part.set(nextPosition, .outsideMaxAge, eventTime: eventTime ?? .min, winner: -1)
            case .notFound: break
            }
            nextPosition += 1
        } while nextPosition < end && spine.sortedTimes[nextPosition] == time
    }

    public consuming func finish() -> AsOfPart { part }
}

extension SpineIndex {
    /// Each distinct (key, time) of some keys, ascending, as its first position in `sortedRows`.
    public func probes(ofGroups groups: Range<Int>) -> [Int32] {
        var probes: [Int32] = []
        probes.reserveCapacity(positions(ofGroups: groups).count)
        for group in groups {
            for position in positions(ofGroups: group..<group + 1) where isProbe(position, ofGroup: group) {
                probes.append(Int32(position))
            }
        }
        return probes
    }

    /// How many distinct (key, time) there are.
    public var probeCount: Int {
        var count = 0
        for group in 0..<distinctKeyCount {
            for position in positions(ofGroups: group..<group + 1) where isProbe(position, ofGroup: group) {
                count += 1
            }
        }
        return count
    }

    /// Whether no position before has the same key and time.
    private func isProbe(_ position: Int, ofGroup group: Int) -> Bool {
        position == Int(groupStarts[group]) || sortedTimes[position] != sortedTimes[position - 1]
    }
}
