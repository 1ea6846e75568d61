import Foundation
import TextFormats

/// The file of settings that `LARDER_CONFIG` names: `http.port` is the member `port` of the member `http`.
struct SettingsFile: Sendable {
    /// What stands in the place of a setting.
    enum Entry {
        /// As it would be written in the environment.
        case text(String)
        /// What no setting can be, such as "a list".
        case unfit(String)
    }

    let path: String
    private let content: JSONValue

    /// - Returns: nil when the file cannot be read, or is no JSON object.
    init?(path: String) {
        guard let data = FileManager.default.contents(atPath: path), let content = try? JSONValue.parse(Array(data)),
            case .object = content
        else { return nil }
        self.path = path
        self.content = content
    }

    /// Nil for nothing, and for null.
    subscript(setting: Setting) -> Entry? {
        var found: JSONValue? = content
        for name in setting.key.split(separator: ".") { found = found?[String(name)] }
        guard let value = found else { return nil }
        return switch value {
        case .null: nil
        case .bool(let isOn): .text("\(isOn)")
        case .number(let digits): .text(digits)
        case .string(let text): .text(text)
        case .array: .unfit("a list")
        case .object: .unfit("an object")
        }
    }

    /// Where values are, by the names that lead there.
    var places: [[String]] { Self.places(in: content) }

    private static func places(in json: JSONValue) -> [[String]] {
        guard case .object(let members) = json else { return [[]] }
        return members.flatMap { member in places(in: member.value).map { [member.name] + $0 } }
    }
}
