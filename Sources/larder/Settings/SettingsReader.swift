import Configuration
import FeatureModel

/// Reads settings and collects what is wrong with them, so that all of it can be told at once.
struct SettingsReader {
    private let reader: ConfigReader
    private let flags: Set<String>
    /// What is set and means nothing.
    let unknown: [UnknownSetting]
    private(set) var mistakes: [LarderError] = []

    /// - Parameter flags: values by key; they come before the environment and the file.
    init(flags: [String: String], environment: [String: String]) async {
        self.flags = Set(flags.keys)
        unknown =
            UnknownSetting.variables(in: environment)
            + (environment[Setting.fileVariable].map(UnknownSetting.keys(ofFile:)) ?? [])
        let overrides = InMemoryProvider(
            name: "flags",
            values: Dictionary(
                flags.map { (AbsoluteConfigKey(ConfigKey($0)), ConfigValue(.string($1), isSecret: false)) },
                uniquingKeysWith: { first, _ in first }))
        let secrets = Set(Setting.all.filter { $0.isSecret }.map { $0.variable })
        // A variable that is empty is as good as none.
        let variables = EnvironmentVariablesProvider(
            environmentVariables: environment.filter { !$0.value.isEmpty }, secretsSpecifier: .specific(secrets))
        var providers: [any ConfigProvider] = [overrides, variables.prefixKeys(with: "larder")]
        if let path = environment[Setting.fileVariable], !path.isEmpty {
            do {
                providers.append(try await Self.file(path))
            } catch {
                mistakes.append(
                    LarderError(
                        .configurationInvalid, "\(Setting.fileVariable): \"\(path)\" is no readable JSON file",
                        hint: "name a file such as {\"http\": {\"port\": 6580}}, or unset the variable"))
            }
        }
        reader = ConfigReader(providers: providers)
    }

    private static func file(_ path: String) async throws -> FileProvider<JSONSnapshot> {
        let secrets = Set(Setting.all.filter { $0.isSecret }.map { $0.key })
        let place = InMemoryProvider(values: ["filePath": ConfigValue(.string(path), isSecret: false)])
        return try await FileProvider<JSONSnapshot>(
            parsingOptions: .init(secretsSpecifier: .specific(secrets)), config: ConfigReader(provider: place))
    }

    // MARK: Reading

    /// The setting as text, whatever a file wrote it as.
    func text(_ setting: Setting) -> String? {
        let key = ConfigKey(setting.key)
        return reader.string(forKey: key, isSecret: setting.isSecret)
            ?? reader.int(forKey: key, isSecret: setting.isSecret).map { String($0) }
            ?? reader.double(forKey: key, isSecret: setting.isSecret).map { String($0) }
            ?? reader.bool(forKey: key, isSecret: setting.isSecret).map { String($0) }
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
        let name = flags.contains(setting.key) ? setting.key : setting.variable
        mistakes.append(LarderError(.configurationInvalid, "\(name): \(message)", hint: hint))
    }

    /// - Throws: `configuration_invalid` with every mistake.
    func checkAll() throws(LarderError) {
        guard let first = mistakes.first else { return }
        if mistakes.count == 1 { throw first }
        throw LarderError(
            .configurationInvalid, "the configuration has \(mistakes.count) mistakes", errors: mistakes)
    }
}
