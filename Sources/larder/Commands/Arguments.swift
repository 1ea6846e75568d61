import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

/// Parsers of arguments. What they throw is a usage error.
enum Arguments {
    static func instant(_ text: String) throws -> Timestamp {
        if let instant = Timestamp(text) { return instant }
        throw ValidationError("\"\(text)\" is no time with an offset; write it as 2013-03-01T05:00:00Z")
    }

    /// `a:b,c:d`, and the option given several times.
    static func list(_ texts: [String]) -> [String] {
        texts.flatMap { $0.split(separator: ",").map(String.init) }
    }

    /// One entity: `origin=JFK,dest=LAX`. A comma in a value is written `\,`, a backslash `\\`.
    static func entity(_ text: String) throws -> [(name: String, value: String)] {
        var keys: [(name: String, value: String)] = []
        for part in split(text) {
            guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
                throw ValidationError("\"\(part)\" in --keys is not written key=value")
            }
            let name = String(part[..<equals])
            guard !keys.contains(where: { $0.name == name }) else {
                throw ValidationError("--keys names \"\(name)\" twice; say --keys once for each entity")
            }
            keys.append((name, String(part[part.index(after: equals)...])))
        }
        return keys
    }

    /// - Parameter entities: as `entity(_:)` reads them.
    static func requireSameKeys(_ entities: [[(name: String, value: String)]]) throws {
        for entity in entities where entity.map(\.name).sorted() != entities.first?.map(\.name).sorted() {
            throw ValidationError("every --keys has to name the same keys")
        }
    }

    /// Entities that name the same keys, key by key.
    static func keys(_ entities: [[(name: String, value: String)]]) -> [OnlineRequest.Key] {
        let names = entities.first?.map(\.name) ?? []
        return names.map { name in
            .init(
                name: name,
                values: entities.map { entity in
                    entity.first { $0.name == name }.map { .string($0.value) } ?? .null
                })
        }
    }

    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }

    /// The format of a file by its name, unless it was said.
    /// - Parameter option: what says it, for the hint.
    static func format(_ path: String, _ explicit: FrameFormat?, option: String) throws(LarderError) -> FrameFormat {
        do {
            return try FrameFormat(path: path, explicit: explicit)
        } catch {
            var error = error
            error.hint = "name the file .csv, .ndjson, .arrow or .arrows, or say \(option)"
            throw error
        }
    }
}

/// Which features are wanted, for training and online alike.
struct FeatureOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The feature service whose features are wanted.", valueName: "name"))
    var service: String?

    @Option(
        help: ArgumentHelp(
            "The features that are wanted: view:feature, view:* or view@2:feature, separated by commas.",
            valueName: "list"))
    var features: [String] = []

    func validate() throws {
        guard (service == nil) != Arguments.list(features).isEmpty else {
            throw ValidationError("say either --service or --features")
        }
    }
}
