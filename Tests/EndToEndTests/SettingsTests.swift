import FeatureModel
import Foundation
import HTTPAPI
import RedisClient
import Testing

@testable import larder

/// Where settings come from and how mistakes in them are told.
@Suite struct SettingsTests {
    private let complete = [
        "LARDER_POSTGRES_URL": "postgresql://owner:hunter2@127.0.0.1:1/larder",
        "LARDER_POSTGRES_SOURCE_URL": "postgresql://source:hunter2@127.0.0.1:1/larder",
        "LARDER_REDIS_URL": "redis://:hunter2@127.0.0.1:1/0",
    ]

    private func load(_ environment: [String: String] = [:], flags: [String: String] = [:]) throws -> Settings {
        try Settings.load(
            flags: flags, defaultLogLevel: "info", environment: complete.merging(environment) { _, new in new })
    }

    /// A new file with a text.
    private func file(_ text: String) throws -> URL {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
        try Data(text.utf8).write(to: file)
        return file
    }

    @Test func `every setting is in the documentation with its variable and default, and nothing else is`() throws {
        let text = try String(contentsOf: Program.checkout.appending(path: "docs/configuration.md"), encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        let expected = Setting.all.map { setting in
            let fallback = setting.fallback.map { "`\($0)`" } ?? ""
            return "| `\(setting.key)` | `\(setting.variable)` | \(fallback) | \(setting.summary) |"
        }
        #expect(rows == expected)
    }

    @Test func `all mistakes are told at once, each with its variable and a remedy`() async throws {
        let outcome = try await Program.run(
            ["list", "entities"],
            environment: [
                "LARDER_REDIS_URL": "rediss://user:hunter2@host", "LARDER_HTTP_PORT": "66000",
                "LARDER_LOG_LEVEL": "loud", "LARDER_LIMITS_ENTITIES": "0", "LARDER_HTTP_IDLE_TIMEOUT": "1 minute",
            ])
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.contains("7 mistakes [configuration_invalid]"))
        for variable in [
            "LARDER_POSTGRES_URL", "LARDER_POSTGRES_SOURCE_URL", "LARDER_REDIS_URL", "LARDER_HTTP_PORT",
            "LARDER_LOG_LEVEL", "LARDER_LIMITS_ENTITIES", "LARDER_HTTP_IDLE_TIMEOUT",
        ] {
            #expect(outcome.errors.contains("  \(variable): "), "\(outcome)")
        }
        #expect(outcome.errors.matches(of: #/hint: /#).count == 7)
        #expect(outcome.errors.contains("eval \"$(dev/stack env)\""))
        #expect(!outcome.errors.contains("hunter2"))
    }

    @Test func `with --output json a failure is a problem document on standard error`() async throws {
        let outcome = try await Program.run(["list", "entities", "--output", "json"])
        #expect(outcome.status == 1)
        let problem = try #require(
            JSONSerialization.jsonObject(with: Data(outcome.errors.utf8)) as? [String: Any])
        #expect(problem["code"] as? String == "configuration_invalid")
        #expect((problem["errors"] as? [[String: Any]])?.count == 3)
    }

    @Test func `flags come before the environment, the environment before the file, the file before defaults`() throws {
        let file = try file(#"{"http": {"port": 1111, "host": "localhost"}, "project": "from_file"}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        let defaults = try load()
        #expect(defaults.server.port == 6580)
        #expect(defaults.project == nil)
        let fromFile = try load(["LARDER_CONFIG": file.path()])
        #expect(fromFile.server.port == 1111)
        #expect(fromFile.server.host == "localhost")
        #expect(fromFile.project == "from_file")
        let fromEnvironment = try load(["LARDER_CONFIG": file.path(), "LARDER_HTTP_PORT": "2222"])
        #expect(fromEnvironment.server.port == 2222)
        let fromFlags = try load(
            ["LARDER_CONFIG": file.path(), "LARDER_HTTP_PORT": "2222"], flags: ["http.port": "3333"])
        #expect(fromFlags.server.port == 3333)
    }

    @Test func `how many views are materialized side by side is a number from 1 to 8`() throws {
        #expect(try load().parallelViews == 2)
        #expect(try load(["LARDER_MATERIALIZE_PARALLEL_VIEWS": "8"]).parallelViews == 8)
        for mistake in ["0", "9", "two"] {
            #expect(throws: LarderError.self) {
                try load(["LARDER_MATERIALIZE_PARALLEL_VIEWS": mistake])
            }
        }
    }

    @Test func `a variable that is empty is as good as none`() throws {
        #expect(try load(["LARDER_HTTP_PORT": "", "LARDER_PROJECT": ""]).server.port == 6580)
    }

    @Test func `a variable that is a slip away from one of Larder's is told, and what others set is not`() throws {
        let settings = try load([
            "LARDER_REDIS_TIMOUT": "1s", "LARDER_CONFIGS": "", "LARDER_SERVICE_HOST": "10.0.0.1",
            "LARDER_SERVICE_PORT_HTTP": "6580", "LARDER_PORT": "tcp://10.0.0.1:6580",
            "LARDER_PORT_6580_TCP_ADDR": "10.0.0.1", "LARDER_REDIS_PORT": "tcp://10.0.0.2:6379",
            "LARDER_POSTGRES_SERVICE_HOST": "10.0.0.3", "LARDER_BENCH_SECONDS": "1", "LARDER_STACK_NAME": "test",
            "LARDER_BINARY": "larder", "LARDER_TEST_BINARY": "larder", "LARDER_DEMO_CONFIGURATION": "release",
        ])
        #expect(
            settings.warnings == [
                "LARDER_REDIS_TIMOUT is set and is no setting; did you mean LARDER_REDIS_TIMEOUT?"
            ])
    }

    @Test func `a setting that is missing and misspelled is told with both names`() throws {
        var environment = complete
        environment["LARDER_REDIS_UR"] = environment.removeValue(forKey: "LARDER_REDIS_URL")
        let misspelled = environment
        let error = #expect(throws: LarderError.self) {
            try Settings.load(flags: [:], defaultLogLevel: "info", environment: misspelled)
        }
        #expect(error?.message == "LARDER_REDIS_URL: is not set")
        #expect(error?.hint == "LARDER_REDIS_UR is set; did you mean LARDER_REDIS_URL?")
    }

    @Test func `a key of the file that is no setting is told`() throws {
        let file = try file(#"{"http": {"prot": 1, "host": "localhost"}, "project": "shop", "colour": {"of": [1]}}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        let settings = try load(["LARDER_CONFIG": file.path()])
        #expect(
            settings.warnings == [
                "\"http.prot\" in \(file.path()) is no setting; did you mean \"http.port\"?",
                "\"colour.of\" in \(file.path()) is no setting",
            ])
        try Data(#"{"http.port": 1}"#.utf8).write(to: file)
        #expect(
            try load(["LARDER_CONFIG": file.path()]).warnings == [
                "\"http.port\" in \(file.path()) is no setting; write {\"http\": {\"port\": ..."
            ])
    }

    @Test func `the source login has to be another one than the owner's`() throws {
        let error = #expect(throws: LarderError.self) {
            try load(["LARDER_POSTGRES_SOURCE_URL": "postgresql://owner:other@127.0.0.1:1/larder"])
        }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.message == "LARDER_POSTGRES_SOURCE_URL: has the same login as LARDER_POSTGRES_URL")
    }

    @Test(arguments: ["missing.json", "not json"])
    func `a file of settings that cannot be read is a mistake`(_ text: String) throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).json")
        if text != "missing.json" { try Data(text.utf8).write(to: file) }
        defer { try? FileManager.default.removeItem(at: file) }
        let error = #expect(throws: LarderError.self) { try load(["LARDER_CONFIG": file.path()]) }
        #expect(error?.code == .configurationInvalid)
        #expect(error?.message.contains("LARDER_CONFIG") == true)
    }

    @Test func `a number in the file that is no port is a mistake, not the default`() throws {
        let file = try file(#"{"http": {"port": 6580.5}}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(throws: LarderError.self) { try load(["LARDER_CONFIG": file.path()]) }
    }

    @Test func `mistakes of a file are told with key and file, and so is what is no setting`() async throws {
        let file = try file(#"{"http": {"port": "x", "prot": 1}, "redis": {"timeout": "abc"}, "nope": 1}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        let path = file.path()
        let outcome = try await Program.run(
            ["list", "entities"], environment: complete.merging(["LARDER_CONFIG": path]) { _, new in new })
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("2 mistakes [configuration_invalid]"), "\(outcome)")
        for line in [
            "http.port in \(path): \"x\" is not a port", "redis.timeout in \(path): \"abc\" is not a duration",
            "warning: \"http.prot\" in \(path) is no setting; did you mean \"http.port\"?",
            "warning: \"nope\" in \(path) is no setting",
        ] {
            #expect(outcome.errors.contains(line), "\(outcome)")
        }
    }

    @Test func `a mistake is told with the variable where that comes before the file`() throws {
        let file = try file(#"{"http": {"port": 1}}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = #expect(throws: LarderError.self) {
            try load(["LARDER_CONFIG": file.path(), "LARDER_HTTP_PORT": "x"])
        }
        #expect(error?.message.hasPrefix("LARDER_HTTP_PORT: \"x\" is not a port") == true)
    }

    @Test func `a list or an object in the place of a setting is a mistake, unless something comes before it`() throws {
        let file = try file(#"{"redis": {"url": ["redis://:hunter2@host"]}, "http": {"port": {}}}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        let error = #expect(throws: LarderError.self) {
            try load(["LARDER_CONFIG": file.path(), "LARDER_REDIS_URL": ""])
        }
        #expect(
            error?.errors.map(\.message) == [
                "redis.url in \(file.path()): holds a list where one value is due",
                "http.port in \(file.path()): holds an object where one value is due",
            ])
        #expect(try load(["LARDER_CONFIG": file.path(), "LARDER_HTTP_PORT": "1"]).server.port == 1)
    }

    @Test func `a file has numbers and switches as JSON writes them, and null for nothing`() throws {
        let file = try file(#"{"serving": {"refill": false}, "http": {"port": 7, "host": null}}"#)
        defer { try? FileManager.default.removeItem(at: file) }
        let settings = try load(["LARDER_CONFIG": file.path()])
        #expect(!settings.refillsRedis && settings.server.port == 7 && settings.server.host == "127.0.0.1")
    }

    @Test func `no text of the settings shows a password`() throws {
        var text = ""
        dump(try load(), to: &text)
        #expect(!text.contains("hunter2"))
    }

    @Test func `online reads meet Redis by limits of their own, everything else by those there were`() throws {
        let defaults = try load()
        #expect(defaults.redisReads.commandTimeout == .milliseconds(100))
        #expect(defaults.redisReads.stallTimeout == .seconds(1))
        #expect(defaults.redisReads.maximumQueuedCommands == 4_096)
        #expect(defaults.redis.commandTimeout == .seconds(5))
        #expect(defaults.refillsRedis && defaults.server.sharesPort)
        let others = try load([
            "LARDER_REDIS_TIMEOUT": "2s", "LARDER_REDIS_QUEUED_COMMANDS": "7", "LARDER_SERVING_REFILL": "off",
            "LARDER_HTTP_REUSE_PORT": "false",
        ])
        #expect(others.redisReads.commandTimeout == .seconds(2))
        #expect(others.redisReads.stallTimeout == .seconds(4))
        #expect(others.redisReads.maximumQueuedCommands == 7)
        #expect(!others.refillsRedis && !others.server.sharesPort)
    }

    @Test(arguments: [
        ("LARDER_REDIS_TIMEOUT", "0ms"), ("LARDER_REDIS_TIMEOUT", "100"), ("LARDER_REDIS_TIMEOUT", "61s"),
        ("LARDER_REDIS_TIMEOUT", "-1ms"), ("LARDER_REDIS_QUEUED_COMMANDS", "0"), ("LARDER_SERVING_REFILL", "maybe"),
        ("LARDER_HTTP_REUSE_PORT", "2"),
    ])
    func `a setting that means nothing is a mistake`(_ variable: String, _ value: String) throws {
        let error = #expect(throws: LarderError.self) { try load([variable: value]) }
        #expect(error?.code == .configurationInvalid && error?.message.contains(variable) == true)
    }
}
