internal import FeatureCodec
public import FeatureModel

/// The point-in-time join of one view to a spine, as a linear merge of both in key and time order.
///
/// Memory does not grow with the history: by event time the newest row so far of the current key is kept, and by
/// recorded or arrival time those rows of the current key that no newer row known as early has beaten. Every chosen row
/// is kept once, however many spine rows chose it.
public struct AsOfJoin: Sendable {
    private let spine: SpineIndex
    private let rule: JoinRule
    private let encoder: EntityKeyEncoder
    private var part: AsOfPart

    /// The key of the last history row, and that row's place in the one order.
    private var lastKey: [UInt8] = []
    private var lastOrder: RowOrder?
    private var scratch: [UInt8] = []

    /// The distinct spine keys to answer for; every history row of theirs is consumed, and others may be.
    private let groups: Range<Int>
    /// The first of them that is not before `lastKey`.
    private var group: Int
    /// The bytes of the key at `encodedGroup`.
    private var groupKey: [UInt8] = []
    private var encodedGroup = -1
    /// Whether it equals `lastKey` and has rows that are not settled.
    private var isMatching = false
    /// The first row of the group that is not settled, in `spine.sortedRows`.
    private var nextUnsettled = 0
    private var candidates = CandidateQueue()
    /// Features of candidates that were read with an earlier batch.
    private var carried: [Column]

    /// - Parameters:
    ///   - groups: the distinct keys of the spine to answer for; nil means all of them.
    ///   - joinKeys: of the view's entity, of the same names and key types as the spine's, up to int32 and int64.
    ///   - featureTypes: of the features of every batch.
    public init(
        spine: SpineIndex, groups: Range<Int>? = nil, rule: JoinRule, joinKeys: [JoinKey], featureTypes: [ValueType]
    ) {
        precondition(joinKeys.count == spine.joinKeys.count, "the view and the spine differ in their join keys")
        self.spine = spine
        self.rule = rule
        encoder = EntityKeyEncoder(joinKeys: joinKeys)
        self.groups = groups ?? 0..<spine.distinctKeyCount
        group = self.groups.lowerBound
        part = AsOfPart(positions: spine.positions(ofGroups: self.groups), featureTypes: featureTypes)
        carried = featureTypes.map(Column.init(type:))
    }

    /// Merges the next rows of the history.
    /// - Throws: `internal_error` when rows are out of order, equal in order, without a key or of other types; the join
    ///   is of no use after that.
    public mutating func consume(_ batch: HistoryBatch) throws(LarderError) {
        guard batch.features.map(\.type) == part.winners.map(\.type) else {
            throw LarderError(.internalError, "a batch of history has other feature types than the join")
        }
        for row in 0..<batch.rowCount {
            let order = batch.order(row)
            try advance(toKeyOf: row, in: batch, order: order)
            if isMatching { merge(row, order: order, of: batch) }
        }
        carryCandidates(from: batch)
    }

    /// Settles what is left and gives the answer for the keys asked for.
    public consuming func finishPart() -> AsOfPart {
        // Between batches every candidate is a carried one.
        settleGroup(readingFrom: [])
        return part
    }

    /// Settles what is left and gives the answer in spine order.
    public consuming func finish() -> AsOfResult {
        let spine = spine
        var result = AsOfResult(spine: spine, featureTypes: part.winners.map(\.type))
        result.add(finishPart(), of: spine)
        return result
    }

    /// Moves to the row's key: settles the spine rows of the key before it, and finds those of this one.
    private mutating func advance(
        toKeyOf row: Int, in batch: HistoryBatch, order: RowOrder
    ) throws(LarderError) {
        scratch.removeAll(keepingCapacity: true)
        guard try encoder.append(row: row, of: batch.keyColumns, to: &scratch) else {
            throw LarderError(.internalError, "a row of history has a null join key")
        }
        if let lastOrder {
            let comparison = ByteOrder.compare(lastKey.span.bytes, scratch.span.bytes)
            guard comparison < 0 || (comparison == 0 && lastOrder < order) else {
                throw LarderError(.internalError, "rows of history are out of order")
            }
            self.lastOrder = order
            if comparison == 0 { return }
        }
        lastOrder = order
        settleGroup(readingFrom: batch.features)
        swap(&lastKey, &scratch)
        while group < groups.upperBound {
            if encodedGroup != group {
                spine.encodeKey(ofGroup: group, into: &groupKey)
                encodedGroup = group
            }
            let comparison = ByteOrder.compare(lastKey.span.bytes, groupKey.span.bytes)
            if comparison <= 0 {
                isMatching = comparison == 0
                nextUnsettled = Int(spine.groupStarts[group])
                return
            }
            group += 1
        }
    }

    private mutating func merge(_ row: Int, order: RowOrder, of batch: HistoryBatch) {
        let eventTime = order.eventTime.microsecondsSince1970
        // No later row of the key can be seen before this event time.
        settle(before: eventTime, readingFrom: batch.features)
        let end = Int(spine.groupStarts[group + 1])
        guard nextUnsettled < end else {
            isMatching = false
            candidates.removeAll()
            group += 1
            return
        }
        let knownAt = knownAt(row, of: batch)
        guard knownAt <= time(at: end - 1) else { return }
        candidates.push(
            Candidate(
                knownAt: knownAt, eventTime: eventTime, schemaVersion: order.schemaVersion,
                isTombstone: batch.tombstones[row], location: row))
        candidates.dropBeaten(at: time(at: nextUnsettled))
    }

    private func knownAt(_ row: Int, of batch: HistoryBatch) -> Int64 {
        switch rule.knownBy {
        case .eventTime: return batch.eventTimes[row]
        case .recorded: return max(batch.eventTimes[row], batch.recordedTimes[row])
        case .arrival(let lag):
            let arrival = Timestamp(microsecondsSince1970: batch.arrivals[row])
            return max(batch.eventTimes[row], arrival.advanced(byMicroseconds: lag).microsecondsSince1970)
        }
    }

    private func time(at position: Int) -> Int64 { spine.sortedTimes[position] }

    /// Settles the group's rows before `eventTime`.
    private mutating func settle(before eventTime: Int64, readingFrom features: [Column]) {
        let end = Int(spine.groupStarts[group + 1])
        while nextUnsettled < end, time(at: nextUnsettled) < eventTime {
            settleNext(readingFrom: features)
        }
    }

    /// Settles all that is left of the current group.
    private mutating func settleGroup(readingFrom features: [Column]) {
        guard isMatching else { return }
        let end = Int(spine.groupStarts[group + 1])
        while nextUnsettled < end { settleNext(readingFrom: features) }
        candidates.removeAll()
        isMatching = false
        group += 1
    }

    private mutating func settleNext(readingFrom features: [Column]) {
        let position = nextUnsettled
        let time = time(at: position)
        nextUnsettled += 1
        guard let index = candidates.choose(at: time), !candidates[index].isTombstone else { return }
        let verdict = MaxAge.judge(
            eventTime: Timestamp(microsecondsSince1970: candidates[index].eventTime),
            at: Timestamp(microsecondsSince1970: time), ttlMicroseconds: rule.ttlMicroseconds)
        switch verdict {
        case .fresh:
            if candidates[index].winner < 0 { candidates[index].winner = keep(candidates[index], features) }
            part.set(position, .found, eventTime: candidates[index].eventTime, winner: candidates[index].winner)
        case .outsideMaxAge:
            part.set(position, .outsideMaxAge, eventTime: candidates[index].eventTime, winner: -1)
        case .notFound:
            break
        }
    }

    /// Copies a candidate's features to the winners.
    /// - Returns: its number among them.
    private mutating func keep(_ candidate: Candidate, _ features: [Column]) -> Int32 {
        let location = candidate.location
        for feature in part.winners.indices {
            if location >= 0 {
                part.winners[feature].append(from: features[feature], row: location)
            } else {
                part.winners[feature].append(from: carried[feature], row: ~location)
            }
        }
        return part.addWinner(schemaVersion: candidate.schemaVersion)
    }

    /// Copies what the candidates need of a batch that is about to go.
    private mutating func carryCandidates(from batch: HistoryBatch) {
        var kept = part.winners.map { Column(type: $0.type) }
        var count = 0
        for index in candidates.indices where candidates[index].winner < 0 && !candidates[index].isTombstone {
            let location = candidates[index].location
            for feature in kept.indices {
                if location >= 0 {
                    kept[feature].append(from: batch.features[feature], row: location)
                } else {
                    kept[feature].append(from: carried[feature], row: ~location)
                }
            }
            candidates[index].location = ~count
            count += 1
        }
        carried = kept
    }
}
