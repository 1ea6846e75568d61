import Foundation
import Testing

/// Visits of customers to pages, hour by hour, and three views of them: the rows themselves, and two sums that late
/// rows change, so that what was computed before is withdrawn.
struct VisitWorld {
    /// So many that everything takes long enough to overlap.
    private static let spineRows = 100_000
    private static let customers = 4_000
    static let days = 12
    private static let pages = 50

    private static let definitions = """
        \(Shop.head)
        kind: entity
        name: page
        join_keys: [{name: page, type: string}]
        ---
        kind: source
        name: visits
        type: table
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: page, type: string, nullable: false}
          - {name: visited_at, type: timestamp}
          - {name: amount, type: int64}
        timestamp: visited_at
        ---
        kind: source
        name: customer_sums
        type: query
        columns:
          - {name: customer_id, type: int64, nullable: false}
          - {name: day_end, type: timestamp}
          - {name: total, type: int64}
        timestamp: day_end
        query: |
          SELECT customer_id, date_trunc('day', visited_at, 'UTC') + '24 hours' AS day_end, sum(amount)::bigint AS total
          FROM visits GROUP BY 1, 2
        ---
        kind: source
        name: page_sums
        type: query
        columns:
          - {name: page, type: string, nullable: false}
          - {name: hour_end, type: timestamp}
          - {name: visitors, type: int64}
        timestamp: hour_end
        query: |
          SELECT page, date_trunc('hour', visited_at, 'UTC') + '1 hour' AS hour_end, count(*) AS visitors
          FROM visits GROUP BY 1, 2
        ---
        kind: feature_view
        name: last_visit
        entities: [customer]
        source: visits
        ttl: 36h
        features:
          - {name: amount, type: int64}
          - {name: last_page, type: string, expr: page}
        ---
        kind: feature_view
        name: customer_days
        entities: [customer]
        source: customer_sums
        features: [{name: total, type: int64}]
        ---
        kind: feature_view
        name: page_hours
        entities: [page]
        source: page_sums
        ttl: 12h
        features: [{name: visitors, type: int64}]
        ---
        kind: feature_service
        name: newest
        features: [last_visit:*]
        ---
        kind: feature_service
        name: sums
        features: [customer_days:total, last_visit:amount]
        ---
        kind: feature_service
        name: pages
        features: [page_hours:*]
        ---
        kind: feature_service
        name: everything
        features: [last_visit:*, customer_days:*, page_hours:*]

        """

    private let larder: Installation

    /// Everything is there but the late rows.
    init(_ larder: Installation) async throws {
        self.larder = larder
        try larder.write(Self.definitions)
        try await larder.succeed("apply", "--yes")
        // Some of the spine's customers never came, and its times lie between the visits.
        let spine = (0..<Self.spineRows).map { row in
            let customer = row * 7_919 % (Self.customers + 40)
            return "\(customer),p\(row % Self.pages),\(Self.time(row * 31, hour: row * 17, minute: 30)),\(row)"
        }
        try write("customer_id,page,event_timestamp,label", spine, to: "spine.csv")
        try await larder.succeed("ingest", "visits", try visits("visits.csv", days: Self.days, minute: 0))
        try await larder.succeed("materialize", "--only", "offline")
    }

    /// The name of a file of rows that lie between those at the full hour and the spine's times, so that they change the
    /// answers for those days.
    func lateRows(minute: Int, days: Int) throws -> String {
        try visits("late\(minute).csv", days: days, minute: minute)
    }

    /// Every customer visits a page on each day.
    private func visits(_ name: String, days: Int, minute: Int) throws -> String {
        let rows = (0..<days).flatMap { day in
            (0..<Self.customers).map { customer in
                let page = "p\((customer + day) % Self.pages)"
                return "\(customer),\(page),\(Self.time(day, hour: customer, minute: minute)),\(customer + minute)"
            }
        }
        try write("customer_id,page,visited_at,amount", rows, to: name)
        return name
    }

    private func write(_ header: String, _ rows: [String], to name: String) throws {
        try Data("\(header)\n\(rows.joined(separator: "\n"))\n".utf8).write(to: larder.folder.appending(path: name))
    }

    private static func time(_ day: Int, hour: Int, minute: Int) -> String {
        func digits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "2024-05-\(digits(1 + day % days))T\(digits(hour % 24)):\(digits(minute)):00Z"
    }
}
