public import FeatureModel
import OfflineStore
import OnlineStore
public import TextFormats

/// What Feast's server takes at `/materialize` and `/materialize-incremental`.
extension MaterializeViews.Request {
    private static let rangeMembers = [
        "start_ts", "end_ts", "feature_views", "disable_event_timestamp", "full_feature_names", "version",
    ]
    private static let incrementalMembers = ["end_ts", "feature_views", "full_feature_names", "version"]
    private static let rangeExample = #"{"start_ts": "2026-01-01T00:00:00", "end_ts": "2026-02-01T00:00:00"}"#
    private static let incrementalExample = #"{"end_ts": "2026-02-01T00:00:00"}"#

    /// A backfill of what happened between `start_ts` and `end_ts`; with `disable_event_timestamp` everything anew.
    /// - Throws: `request_invalid` naming the member.
    public init(feastRange json: JSONValue) throws(LarderError) {
        let request = try RequestMembers(json, known: Self.rangeMembers, example: Self.rangeExample)
        try Self.refuseVersion(request)
        let views = try request.strings("feature_views")
        if try request.flag("disable_event_timestamp") {
            self.init(views: views, isFull: true)
            return
        }
        let start = try Self.feastTime("start_ts", request)
        let end = try Self.feastTime("end_ts", request)
        guard start <= end else { throw LarderError(.requestInvalid, "\"start_ts\" is later than \"end_ts\"") }
        self.init(views: views, bounds: EventTimeBounds(start: start, end: end))
    }

    /// Goes on from the last run through `end_ts`.
    ///
    /// Feast's clients mean now and send the time at which they asked. An end that lies no further back than clocks may
    /// differ is therefore none: only a run without one follows what has committed, and moves the watermark.
    ///
    /// - Throws: `request_invalid` naming the member.
    public init(feastIncremental json: JSONValue, now: Timestamp) throws(LarderError) {
        let request = try RequestMembers(json, known: Self.incrementalMembers, example: Self.incrementalExample)
        try Self.refuseVersion(request)
        let end = try Self.feastTime("end_ts", request)
        let isNow = end >= now.advanced(byMicroseconds: -OnlineReader.maximumClockSkewMicroseconds)
        self.init(
            views: try request.strings("feature_views"),
            bounds: isNow ? EventTimeBounds.none : EventTimeBounds(start: nil, end: end))
    }

    /// Feast's versions are its registry's own, and here every version is kept current.
    private static func refuseVersion(_ request: RequestMembers) throws(LarderError) {
        guard try request.string("version") == nil else {
            throw LarderError(
                .requestInvalid, "a single version of a feature view cannot be materialized",
                hint: "leave \"version\" out: every version is materialized with its view")
        }
    }

    private static func feastTime(_ name: String, _ request: RequestMembers) throws(LarderError) -> Timestamp {
        let text = try request.requiredString(name)
        if let time = FeastTime.parse(text) { return time }
        throw LarderError(
            .requestInvalid, "\"\(name)\" is \"\(text.prefix(63))\", which is no time",
            hint: "write 2026-01-01T00:00:00; without an offset it is UTC")
    }
}
