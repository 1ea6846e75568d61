import Configuration
import FeatureModel

/// Reads settings and collects what is wrong with them, so that all of it can be told at once.
struct SettingsReader {
    private let reader: ConfigReader
    private let flags: Set<String>
    private let variables: Set<String>
    /// Nil where none is named, or it cannot be read.
    private let file: SettingsFile?
    /// What is set and means nothing.
    let unknown: [UnknownSetting]
    private(set) var mistakes: [LarderError] = []

    /// - Parameter flags: values by key; they come before the environment and the file.
    init(flags: [String: String], environment: [String: String]) {
        // A variable that is empty is as good as none.
        let variables = environment.filter { !$0.value.isEmpty }
        let path = variables[Setting.fileVariable]
        let file = path.flatMap { SettingsFile(path: $0) }
        self.flags = Set(flags.keys)
        self.variables = Set(variables.keys)
        self.file = file
        unknown = UnknownSetting.variables(in: environment) + (file.map { UnknownSetting.keys(of: $0) } ?? [])
        let secrets = Set(Setting.all.filter { $0.isSecret }.map { $0.variable })
        reader = ConfigReader(providers: [
            Self.provider("flags") { flags[$0.key] },
            EnvironmentVariablesProvider(environmentVariables: variables, secretsSpecifier: .specific(secrets))
                .prefixKeys(with: "larder"),
            Self.provider("file") { if case .text(let text) = file?[$0] { text } else { nil } },
        ])
        if let path, file == nil {
            mistakes.append(
                LarderError(
                    .configurationInvalid, "\(Setting.fileVariable): \"\(path)\" is no readable JSON file",
                    hint: "name a file such as {\"http\": {\"port\": 6580}}, or unset the variable"))
        }
    }

    private static func provider(_ name: String, _ value: (Setting) -> String?) -> InMemoryProvider {
        var values: [AbsoluteConfigKey: ConfigValue] = [:]
        for setting in Setting.all {
            guard let text = value(setting) else { continue }
            values[AbsoluteConfigKey(ConfigKey(setting.key))] = ConfigValue(.string(text), isSecret: setting.isSecret)
        }
        return InMemoryProvider(name: name, values: values)
    }

    // MARK: Reading

    /// The setting as text, whatever a file wrote it as.
    /// - Returns: nil when there is none, or the file has a list or an object; then that is among the mistakes.
    mutating func text(_ setting: Setting) -> String? {
        if let text = reader.string(forKey: ConfigKey(setting.key), isSecret: setting.isSecret) { return text }
        if case .unfit(let kind) = file?[setting] {
            report(setting, "holds \(kind) where one value is due", hint: "write text, a number, true or false")
        }
        return nil
    }

    /// The setting or its default, through `parse`.
    /// - Returns: nil when there is neither, or it is not `expected`; then that is among the mistakes.
    mutating func value<Value>(
        _ setting: Setting, expected: String, default fallback: String? = nil, _ parse: (String) -> Value?
    ) -> Value? {
        guard let text = text(setting) ?? fallback ?? setting.fallback else { return nil }
        if let value = parse(text) { return value }
        report(setting, "\"\(text.printable)\" is not \(expected)", hint: "set it to \(expected)")
        return nil
    }

    /// Something that is switched on or off.
    /// - Returns: as `value`.
    mutating func flag(_ setting: Setting) -> Bool? {
        value(setting, expected: "on or off") { text in
            switch text.lowercased() {
            case "on", "true": true
            case "off", "false": false
            default: nil
            }
        }
    }

    /// A required URL.
    /// - Parameter parse: throws what may be shown to anyone, which is nothing of the URL.
    mutating func url<Value>(_ setting: Setting, _ parse: (String) throws(LarderError) -> Value) -> Value? {
        guard let text = text(setting) else {
            // What the file has instead was reported.
            if file?[setting] != nil { return nil }
            let misspelled = unknown.first { $0.nearest == setting.variable }
            report(
                setting, "is not set",
                hint: misspelled.map { "\($0.name.printable) is set; did you mean \(setting.variable)?" }
                    ?? "run eval \"$(dev/stack env)\" for the local stack, or set it")
            return nil
        }
        do throws(LarderError) {
            return try parse(text)
        } catch {
            report(setting, error.message, hint: error.hint ?? "docs/configuration.md shows how it is written")
            return nil
        }
    }

    mutating func report(_ setting: Setting, _ message: String, hint: String) {
        mistakes.append(LarderError(.configurationInvalid, "\(name(of: setting)): \(message)", hint: hint))
    }

    /// A setting as it is called where its value comes from.
    private func name(of setting: Setting) -> String {
        if flags.contains(setting.key) { return setting.key }
        guard !variables.contains(setting.variable), let file, file[setting] != nil else { return setting.variable }
        return "\(setting.key) in \(file.path.printable)"
    }

    /// - Throws: `configuration_invalid` with every mistake.
    func checkAll() throws(LarderError) {
        guard let first = mistakes.first else { return }
        if mistakes.count == 1 { throw first }
        throw LarderError(
            .configurationInvalid, "the configuration has \(mistakes.count) mistakes", errors: mistakes)
    }
}
