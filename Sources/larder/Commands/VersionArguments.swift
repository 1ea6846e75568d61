import ArgumentParser
import FeatureDefinitions
import FeatureModel

/// A schema version as it is named on the command line.
struct VersionArguments: ParsableArguments {
    @Argument(help: ArgumentHelp("The version, as NAME@NUMBER.", valueName: "version"))
    var subject: String

    @Flag(help: "The name is that of a source, not of a feature view.")
    var source = false

    func validate() throws {
        _ = try parsed
    }

    var object: VersionedObject {
        get throws {
            let (name, version) = try parsed
            return VersionedObject(kind: source ? .source : .featureView, name: name, version: version)
        }
    }

    private var parsed: (String, Int32) {
        get throws {
            let parts = subject.split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, let version = Int32(parts[1]), version > 0 else {
                throw ValidationError("\"\(subject)\" is no version; write it as airport_weather@2")
            }
            return (String(parts[0]), version)
        }
    }
}
