extension ChangeCost: CustomStringConvertible {
    /// On one line, e.g. `about 1.2M rows to compute, 100k keys and 12 MB online, 2 min`.
    public var description: String {
        var parts = ["about \(Self.amount(rowsToBackfill)) rows to compute"]
        if let onlineKeys {
            let bytes = onlineBytes.map { " and \(Self.bytes($0))" } ?? ""
            parts.append("\(Self.amount(onlineKeys)) keys\(bytes) online")
        }
        parts.append(seconds.map(Self.time) ?? "no rate has been measured yet")
        return parts.joined(separator: ", ")
    }

    private static func amount(_ number: Int64) -> String {
        scaled(Double(number), by: 1_000, units: ["", "k", "M", "G"], separator: "")
    }

    private static func bytes(_ number: Int64) -> String {
        scaled(Double(number), by: 1_024, units: ["bytes", "KiB", "MiB", "GiB", "TiB"], separator: " ")
    }

    private static func scaled(_ number: Double, by step: Double, units: [String], separator: String) -> String {
        var number = number
        var units = units[...]
        while number >= step * 0.9995, units.count > 1 {
            number /= step
            units = units.dropFirst()
        }
        let tenths = (number * 10).rounded() / 10
        let text = tenths == tenths.rounded() || number >= 100 ? "\(Int(number.rounded()))" : "\(tenths)"
        return "\(text)\(separator)\(units.first ?? "")"
    }

    private static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: "less than a second"
        case ..<90: "about \(Int(seconds.rounded(.up))) s"
        case ..<5_400: "about \(Int((seconds / 60).rounded(.up))) min"
        default: "about \(Int((seconds / 3_600).rounded(.up))) h"
        }
    }
}
