import FeatureDefinitions
import FeatureModel
import Testing

/// A realistic tree: departure delays, with every kind of source but one, a static view and a view without keys.
enum FlightsTree {
    static let project = """
        kind: project
        name: flights
        description: Departure delays from New York
        """

    static let entities = """
        kind: entity
        name: airport
        join_keys: [{name: origin, type: string}]
        ---
        kind: entity
        name: plane
        join_keys: [{name: tailnum, type: string}]
        ---
        kind: entity
        name: route
        description: A carrier on a way
        join_keys:
          - {name: origin, type: string}
          - {name: dest, type: string}
        """

    static let sources = """
        kind: source
        name: weather
        type: table
        columns:
          - {name: origin, type: string, nullable: false}
          - {name: time_hour, type: timestamp}
          - {name: temp, type: float64}
          - {name: wind_speed, type: float32}
        timestamp: time_hour
        timezone: America/New_York
        row_key: [origin, time_hour]
        ---
        kind: source
        name: planes
        type: postgres
        table: fleet.planes
        columns: [{name: tailnum, type: string}, {name: seats, type: int32}, {name: engine, type: string}]
        compatibility: backward
        ---
        kind: source
        name: route_delays
        type: query
        query: |
          -- nothing of a flight that has not landed
          SELECT origin, dest, landed_at, recorded_at, mean_delay
          FROM landed
        columns:
          - {name: origin, type: string}
          - {name: dest, type: string}
          - {name: landed_at, type: timestamp}
          - {name: recorded_at, type: timestamp}
          - {name: mean_delay, type: float64}
        timestamp: landed_at
        created_timestamp: recorded_at
        incremental: {column: recorded_at, overlap: 1h}
        ---
        kind: source
        name: congestion
        type: push
        columns: [{name: measured_at, type: timestamp}, {name: departures, type: int32}]
        timestamp: measured_at
        """

    static let views = """
        kind: feature_view
        name: airport_weather
        description: Hourly weather at the airport
        owner: ops@example.com
        tags: {team: ops, tier: "1"}
        entities: [airport]
        source: weather
        ttl: 6h
        where: temp IS NOT NULL
        features:
          - {name: temp, type: float64, expect: {min: -60, max: 140, finite: true}, description: degrees Fahrenheit}
          - {name: wind_speed, type: float64}
          - {name: is_freezing, type: bool, expr: temp <= 32, default: false}
        ---
        kind: feature_view
        name: plane_profile
        entities: [plane]
        source: planes
        online: false
        features:
          - {name: seats, type: int64, expect: {min: 1}}
          - {name: engine, type: string, expect: {one_of: [jet, prop], max_length: 40}, default: jet}
        ---
        kind: feature_view
        name: route_history
        entities: [route]
        source: route_delays
        availability_lag: 10m
        features: [{name: mean_delay, type: float64}]
        ---
        kind: feature_view
        name: global_congestion
        source: congestion
        ttl: 15m
        features: [{name: departures, type: int32, nullable: false}]
        """

    static let services = """
        kind: feature_service
        name: departure_delay
        features:
          - airport_weather:*
          - {view: airport_weather, as: dest_weather, join_keys: {origin: dest}, features: [temp]}
          - plane_profile:seats
          - route_history@1:mean_delay
          - global_congestion:departures
        """

    static let files: [(path: String, text: String)] = [
        ("defs/project.yaml", project), ("defs/entities.yaml", entities), ("defs/sources.yaml", sources),
        ("defs/views.yaml", views), ("defs/services.yml", services),
    ]

    static func definition(_ edit: (String) -> String = { $0 }) throws -> ProjectDefinition {
        try DefinitionLoader.load(files: files.map { ($0.path, edit($0.text)) })
    }
}

/// Ids from 1, one counter for all kinds.
final class IDAllocator {
    private(set) var last: Int64

    init(after last: Int64 = 0) {
        self.last = last
    }

    func next(_ kind: ObjectKind) -> Int64 {
        last += 1
        return last
    }
}

/// A registry in memory that applies plans.
struct RegistryModel {
    var project: RegisteredProject?
    let ids = IDAllocator()

    func plan(_ definition: ProjectDefinition, allowRemovals: Bool = false) -> Plan {
        Planner.plan(
            current: project, definition: definition, allowRemovals: allowRemovals, allocateID: ids.next)
    }

    @discardableResult
    mutating func apply(_ definition: ProjectDefinition, allowRemovals: Bool = false) throws -> Plan {
        let plan = plan(definition, allowRemovals: allowRemovals)
        try plan.checkAccepted()
        project = plan.next
        return plan
    }
}

/// What loading a single file refuses, or nil.
func mistakes(in text: String) -> [LarderError] {
    do {
        _ = try DefinitionLoader.load(files: [("f.yaml", text)])
        return []
    } catch {
        return error.errors.isEmpty ? [error] : error.errors
    }
}

/// A small generator whose sequence a seed fixes.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &+ 0x9E37_79B9_7F4A_7C15
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
