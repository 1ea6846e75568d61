/// How much one request may ask for. Each has a code of its own.
public struct ServingLimits: Sendable, Equatable {
    /// `too_many_entities`. Defaults to `10000`.
    public var maximumEntities = 10_000
    /// Features of the answer, `too_many_features`. Defaults to `1000`.
    public var maximumFeatures = 1_000
    /// Entities times features, `limit_exceeded`. Defaults to `2000000`.
    public var maximumValues = 2_000_000
    /// Rows that one request writes, `too_many_rows`. Defaults to `100000`.
    public var maximumRows = 100_000
    /// Bytes of a request, `body_too_large`. Defaults to 8 MiB.
    public var maximumBodyBytes = 8 << 20
    /// Pushes of all requests that are not answered yet, `write_queue_full`. Defaults to `1024`.
    public var maximumPendingPushes = 1_024

    public init() {}
}
