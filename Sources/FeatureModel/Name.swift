/// The rule for every name: `[a-z][a-z0-9_]*`, at most 63 bytes, no `__`, not reserved.
public enum NameRule {
    public static let maximumBytes = 63

    /// Names that would read as something else in SQL, in a request or in a frame.
    public static let reserved: Set<String> = [
        "all", "event_timestamp", "created_timestamp", "information_schema", "larder", "public", "pg_catalog",
    ]

    /// Columns that every table of PostgreSQL has, whatever else it has: no other may be called so.
    public static let systemColumns: Set<String> = ["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"]

    /// Why a text is no name; nil when it is one.
    /// - Parameter allowsReserved: for columns of sources, which keep the names their data came with, unless they are
    ///   those of `systemColumns`.
    public static func violation(of text: String, allowsReserved: Bool = false) -> String? {
        let bytes = Array(text.utf8)
        guard let first = bytes.first else { return "is empty" }
        guard bytes.count <= maximumBytes else { return "is longer than \(maximumBytes) bytes" }
        guard (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else {
            return "must start with a lowercase letter a-z"
        }
        for byte in bytes where !isNameByte(byte) {
            return "may hold only a-z, 0-9 and _"
        }
        if text.contains("__") { return "may not hold two underscores in a row (they separate view and feature)" }
        if text.hasPrefix("pg_") { return "may not start with pg_" }
        if allowsReserved {
            if systemColumns.contains(text) { return "is that of a system column of PostgreSQL" }
        } else if reserved.contains(text) {
            return "is reserved"
        }
        return nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }

    /// The candidate nearest to `name` by edit distance, when near enough to be what was meant.
    ///
    /// One as far away as the shorter of the two is long is another word. What is longer than two names with "__" between
    /// them is compared with none: a distance takes the product of both lengths to compute, and names come from callers.
    ///
    /// - Parameter limit: the distance that is near enough; nil lets it grow with the name.
    public static func nearest(
        to name: String, in candidates: some Sequence<String>, within limit: Int? = nil
    ) -> String? {
        guard name.utf8.count <= 2 * maximumBytes + 2 else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let distance = editDistance(Array(name.utf8), Array(candidate.utf8))
            guard distance < min(name.utf8.count, candidate.utf8.count) else { continue }
            if let current = best, (current.distance, current.name) <= (distance, candidate) { continue }
            best = (candidate, distance)
        }
        guard let best, best.distance <= limit ?? max(2, name.utf8.count / 3) else { return nil }
        return best.name
    }

    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var previous = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(previous[column + 1] + 1, current[column] + 1, previous[column] + (byte == other ? 0 : 1)))
            }
            previous = current
        }
        return previous[right.count]
    }
}
