/// A table source of readings, and a view of the newest level of each sensor.
enum SensorLevels {
    /// - Parameter rowKey: of the source; none where it is empty.
    static func definitions(rowKey: String = "") -> String {
        """
        kind: project
        name: test
        ---
        kind: entity
        name: sensor
        join_keys: [{name: id, type: int64}]
        ---
        kind: source
        name: readings
        type: table
        columns: [{name: id, type: int64, nullable: false}, {name: at, type: timestamp}, {name: level, type: int32}]
        timestamp: at
        \(rowKey.isEmpty ? "" : "row_key: [\(rowKey)]")
        ---
        kind: feature_view
        name: levels
        entities: [sensor]
        source: readings
        features: [{name: level, type: int32}]
        """
    }
}
