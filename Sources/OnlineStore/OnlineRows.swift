internal import FeatureCodec
public import FeatureModel

/// What was found for one entity of one selection: which bytes answer, and how.
public struct OnlineRow: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// The row answers.
        case fresh
        /// The newest row is older than the ttl, within the grace.
        case outsideMaxAge
        /// Never a row, a tombstone, or a row older than ttl and grace.
        case notFound
        /// A join key was null.
        case invalidKey
    }

    public let verdict: Verdict
    /// Where the body of its value is in the bytes of the answer. Empty unless it is fresh.
    public let bodyRange: Range<Int>
    /// Which of the projection's plans reads the body.
    public let plan: Int
    /// Of the row that answers, also when it is outside its maximum age; nil when none does. Static data has minus infinity.
    public let eventTime: Timestamp?

    private init(_ verdict: Verdict, bodyRange: Range<Int> = 0..<0, plan: Int = 0, eventTime: Timestamp? = nil) {
        self.verdict = verdict
        self.bodyRange = bodyRange
        self.plan = plan
        self.eventTime = eventTime
    }

    static let notFound = OnlineRow(.notFound)
    static let invalidKey = OnlineRow(.invalidKey)

    /// What can be wrong with a value, so that nothing is answered.
    enum Fault: Error {
        case unreadable(CodecError)
        case aheadOfClock(Timestamp)
    }

    /// Judges a stored value, and checks it to its last byte if it answers.
    init(
        _ bytes: RawSpan, _ range: Range<Int>, _ selection: OnlineSelection, now: Timestamp
    ) throws(Fault) {
        let value = bytes.extracting(range)
        let header: OnlineRowHeader
        do { header = try OnlineRowHeader(of: value) } catch { throw .unreadable(error) }
        let eventTime = header.order.eventTime
        guard eventTime <= now.advanced(byMicroseconds: OnlineReader.maximumClockSkewMicroseconds) else {
            throw .aheadOfClock(eventTime)
        }
        guard !header.isTombstone else {
            self = .notFound
            return
        }
        switch MaxAge.judge(eventTime: eventTime, at: now, ttlMicroseconds: selection.ttlMicroseconds) {
        case .notFound: self = .notFound
        case .outsideMaxAge: self.init(.outsideMaxAge, eventTime: eventTime)
        case .fresh:
            guard let plan = selection.projection.position(ofVersion: header.order.schemaVersion) else {
                throw .unreadable(.unexpectedSchemaVersion(header.order.schemaVersion))
            }
            let bodyRange = range.lowerBound + header.byteCount..<range.upperBound
            do {
                _ = try OnlineRowReader(
                    bytes.extracting(bodyRange), layout: selection.projection.plans[plan].layout)
            } catch {
                throw .unreadable(error)
            }
            self.init(.fresh, bodyRange: bodyRange, plan: plan, eventTime: eventTime)
        }
    }

    /// What every feature of the row has, where the row does not answer.
    public var status: FeatureStatus? {
        switch verdict {
        case .fresh: nil
        case .outsideMaxAge: .outsideMaxAge
        case .notFound: .notFound
        case .invalidKey: .invalidKey
        }
    }
}
