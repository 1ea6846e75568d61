/// Keeps what is dear to make, and begins anew when it would hold too much: what is asked for is up to the callers.
public struct BoundedCache<Key: Hashable, Value> {
    /// What an entry weighs beside its features.
    private static var ownWeight: Int { 16 }

    private let maximumWeight: Int
    private var values: [Key: Value] = [:]
    private var weight = 0

    /// - Parameter maximumWeight: in features of all entries together, each of which counts for sixteen beside its own.
    public init(maximumWeight: Int = 32_768) {
        self.maximumWeight = maximumWeight
    }

    public var count: Int { values.count }

    public subscript(key: Key) -> Value? { values[key] }

    public mutating func insert(_ value: Value, for key: Key, features: Int) {
        if values[key] == nil {
            let added = Self.ownWeight + features
            if weight + added > maximumWeight { removeAll() }
            weight += added
        }
        values[key] = value
    }

    public mutating func removeAll() {
        values.removeAll()
        weight = 0
    }
}
