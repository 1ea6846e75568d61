import FeatureModel

/// Something that is set and means nothing, most likely because it is misspelled.
struct UnknownSetting: Sendable {
    /// The variable, or the key of the file.
    let name: String
    /// The setting that was meant, spelled alike; nil where none is near.
    let nearest: String?
    /// What is told of it.
    let warning: String

    private static let prefix = "LARDER_"
    /// Names further apart than that many slips of the hand are not taken for the same.
    private static let slips = 2

    /// Variables that are a slip away from one of Larder's.
    ///
    /// Of others that begin like them nothing is said: Kubernetes sets `LARDER_SERVICE_HOST` and more for a service called
    /// larder.
    static func variables(in environment: [String: String]) -> [UnknownSetting] {
        let known = Setting.all.map(\.variable) + [Setting.fileVariable]
        let strangers = environment.filter { name, value in
            name.hasPrefix(prefix) && !value.isEmpty && !known.contains(name)
        }
        return strangers.keys.sorted().compactMap { name in
            guard let nearest = NameRule.nearest(to: name, in: known, within: slips) else { return nil }
            return UnknownSetting(
                name: name, nearest: nearest,
                warning: "\(name.printable) is set and is no setting; did you mean \(nearest)?")
        }
    }

    /// Keys of a file of settings that are none.
    static func keys(of file: SettingsFile) -> [UnknownSetting] {
        file.places.compactMap { place in unknownKey(place, in: file.path) }
    }

    private static func unknownKey(_ place: [String], in path: String) -> UnknownSetting? {
        let key = place.joined(separator: ".")
        let known = Setting.all.map(\.key)
        let isKnown = known.contains(key)
        // What is meant for editors or readers.
        if place.first?.hasPrefix("$") == true || place.first?.hasPrefix("_") == true { return nil }
        if place.isEmpty || isKnown && place == key.split(separator: ".").map(String.init) { return nil }
        let nearest = NameRule.nearest(to: key, in: known)
        let nested = key.split(separator: ".").map { "{\"\($0)\": " }.joined()
        let advice =
            if isKnown {
                "; write \(nested)..."
            } else {
                nearest.map { "; did you mean \"\($0)\"?" } ?? ""
            }
        return UnknownSetting(
            name: key, nearest: nearest, warning: "\"\(key.printable)\" in \(path.printable) is no setting\(advice)")
    }
}
