public import FeatureModel

/// The answer to an `OnlineRequest`; every array runs over the entities.
public struct OnlineResponse: Sendable {
    /// A feature of the answer.
    public struct Feature: Sendable {
        public let name: String
        /// The view that it is of.
        public let viewName: String
        /// Position of the view among those of the request; the same view under other keys is another one.
        public let viewPosition: Int
        /// What the request calls the view: its alias, if it has one.
        public let viewLabel: String
        /// Which version of the view was asked for.
        public let schemaVersion: Int32
        /// Null wherever the status is neither `PRESENT` nor `DEFAULTED`.
        public let values: Column
        public let statuses: [FeatureStatus]
        /// The event time of the row that answered; nil when none did, minus infinity for static data.
        public let eventTimes: [Timestamp?]
    }

    public let entityCount: Int
    /// The request's keys as they came, in its order.
    public let keys: [OnlineRequest.Key]
    /// Those of the keys that something asked for needs, as columns of their types.
    public let keyColumns: [(name: String, column: Column)]
    /// In the order asked for.
    public let features: [Feature]
}
