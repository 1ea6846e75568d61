public import FeatureModel
public import OfflineStore

/// Options of training sets as text, on the command line and in requests alike.
public enum TrainingSetText {
    /// `view=duration` or `view=none`, in microseconds.
    /// - Throws: `request_invalid`.
    static func ttl(_ text: String) throws(LarderError) -> (view: String, microseconds: Int64?) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        if parts.count == 2, parts[1] == "none" { return (parts[0], nil) }
        guard parts.count == 2, let duration = DurationText.parse(parts[1]), duration >= 0 else {
            throw LarderError(
                .requestInvalid, "a ttl \"\(text.prefix(63))\" is not a view and a duration",
                hint: "write airport_weather=3h, or airport_weather=none")
        }
        return (parts[0], duration)
    }

    /// Each as `ttl(_:)` takes it.
    /// - Throws: `request_invalid`, also for a view that is named twice.
    public static func ttls(_ texts: [String]) throws(LarderError) -> [String: Int64?] {
        var ttls: [String: Int64?] = [:]
        for text in texts {
            let (view, value) = try ttl(text)
            guard ttls.index(forKey: view) == nil else {
                throw LarderError(.requestInvalid, "two ttls are given for \"\(view.prefix(63))\"", hint: "give one")
            }
            ttls[view] = .some(value)
        }
        return ttls
    }

    /// `train=0.8,test=0.2`, or `train=2013-02-01T00:00:00Z,test`.
    /// - Throws: `request_invalid`.
    public static func split(_ text: String, seed: UInt64) throws(LarderError) -> TrainingSetSplit {
        var shares: [TrainingSetSplit.Part] = []
        var times: [TrainingSetSplit.TimePart] = []
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 1 {
                times.append(.init(name: pair[0], end: nil))
            } else if pair.count == 2, let share = Double(pair[1]), share.isFinite {
                shares.append(.init(name: pair[0], share: share))
            } else if pair.count == 2, let time = Timestamp(pair[1]) {
                times.append(.init(name: pair[0], end: time.microsecondsSince1970))
            } else {
                throw invalidSplit(text)
            }
        }
        guard shares.isEmpty != times.isEmpty else { throw invalidSplit(text) }
        let split: TrainingSetSplit = times.isEmpty ? .random(parts: shares, seed: seed) : .time(parts: times)
        try split.validate()
        return split
    }

    private static func invalidSplit(_ text: String) -> LarderError {
        LarderError(
            .requestInvalid, "the split \"\(text.prefix(100))\" cannot be read",
            hint: "write train=0.8,test=0.2, or train=2013-02-01T00:00:00Z,test")
    }

    /// - Throws: `request_invalid`.
    public static func strategy(_ text: String) throws(LarderError) -> JoinStrategy {
        guard let strategy = JoinStrategy(rawValue: text) else {
            throw LarderError(
                .requestInvalid, "there is no way to join called \"\(text.prefix(63))\"",
                hint: "ways are \(JoinStrategy.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return strategy
    }
}
