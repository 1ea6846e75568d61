import Foundation
import Logging
import Synchronization
import Testing

@testable import Observability

struct LogTests {
    /// Keeps what would go to standard error.
    private final class Lines: Sendable {
        private let bytes = Mutex<[[UInt8]]>([])
        var all: [String] { bytes.withLock { $0.map { String(decoding: $0, as: UTF8.self) } } }
        func append(_ line: [UInt8]) { bytes.withLock { $0.append(line) } }
    }

    private struct Failure: Error, CustomStringConvertible {
        let description = "disk full\nreally"
    }

    private func makeLogger(
        _ format: LogConfiguration.Format, _ lines: Lines, provider: Logger.MetadataProvider? = nil
    ) -> Logger {
        let configuration = LogConfiguration(format: format, level: .trace, output: LogOutput { lines.append($0) })
        return Logger(label: "larder.test") { label in
            LineLogHandler(
                label: label, configuration: configuration, metadataProvider: provider,
                now: { WallClock(microseconds: 1_357_016_400_000_042) })
        }
    }

    private func object(_ line: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }

    @Test func textIsOneReadableLineWithSortedMetadata() {
        let lines = Lines()
        let logger = makeLogger(.text, lines)
        logger.warning(
            "hello world", metadata: ["b": "two words", "a": "1", "c": ["x", ["k": "v"]], "d": "", "e": "a=b"])
        #expect(
            lines.all == [
                #"2013-01-01T05:00:00.000042Z warning larder.test: hello world a=1 b="two words" c=["x",{"k":"v"}] d="" e="a=b""#
                    + "\n"
            ])
    }

    @Test func jsonIsOneObjectALine() throws {
        let lines = Lines()
        var logger = makeLogger(.json, lines)
        logger[metadataKey: "request_id"] = "r1"
        logger.info("hello", metadata: ["n": .stringConvertible(42), "list": ["a", "b"], "map": ["k": "v"]])
        let line = try #require(lines.all.first)
        #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1)
        let object = try object(line)
        #expect(object["time"] as? String == "2013-01-01T05:00:00.000042Z")
        #expect(object["level"] as? String == "info")
        #expect(object["logger"] as? String == "larder.test")
        #expect(object["message"] as? String == "hello")
        let metadata = try #require(object["metadata"] as? [String: Any])
        #expect(metadata["request_id"] as? String == "r1")
        #expect(metadata["n"] as? String == "42")
        #expect(metadata["list"] as? [String] == ["a", "b"])
        #expect(metadata["map"] as? [String: String] == ["k": "v"])
    }

    private static let hostile = "a\nb\r\t\u{1B}[31m\u{0}\u{7F}\u{9B}\u{2028}\u{202E}\"\\ é😀"

    @Test(arguments: LogConfiguration.Format.allCases)
    func nothingInAnEntryCanEndTheLineOrSteerATerminal(format: LogConfiguration.Format) throws {
        let lines = Lines()
        makeLogger(format, lines).error("\(Self.hostile)", metadata: ["k": "\(Self.hostile)", "\(Self.hostile)": "v"])
        let line = try #require(lines.all.first)
        #expect(line.unicodeScalars.filter { $0 == "\n" }.count == 1)
        let unsafe = line.unicodeScalars.dropLast().filter {
            $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) || [0x2028, 0x202E].contains($0.value)
        }
        #expect(unsafe.isEmpty)
        #expect(line.contains("é😀"))
    }

    @Test func jsonGivesBackExactlyWhatWasLogged() throws {
        let lines = Lines()
        makeLogger(.json, lines).error("\(Self.hostile)", metadata: ["\(Self.hostile)": "\(Self.hostile)"])
        let object = try object(try #require(lines.all.first))
        #expect(object["message"] as? String == Self.hostile)
        #expect((object["metadata"] as? [String: String])?[Self.hostile] == Self.hostile)
    }

    @Test func anErrorIsShownAndCannotBreakTheLine() throws {
        let lines = Lines()
        makeLogger(.json, lines).error("failed", error: Failure())
        makeLogger(.text, lines).error("failed", error: Failure())
        #expect(try object(lines.all[0])["error"] as? String == "disk full\nreally")
        #expect(lines.all[1].hasSuffix(#"failed error="disk full\nreally""# + "\n"))
    }

    @Test func theEntrysMetadataWinsOverTheProvidersAndThatOverTheLoggers() {
        let lines = Lines()
        var logger = makeLogger(.text, lines, provider: Logger.MetadataProvider { ["b": "provider", "c": "provider"] })
        for key in ["a", "b", "c"] { logger[metadataKey: key] = "logger" }
        logger.info("m", metadata: ["c": "entry"])
        #expect(lines.all.first?.hasSuffix(": m a=logger b=provider c=entry\n") == true)
    }

    @Test func aCopyOfALoggerHasItsOwnMetadataAndLevel() {
        let lines = Lines()
        let first = makeLogger(.text, lines)
        var second = first
        second.logLevel = .error
        second[metadataKey: "k"] = "v"
        second.info("unseen")
        first.info("seen")
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasSuffix("larder.test: seen\n") == true)
    }

    @Test func oneOverlongTextIsCut() throws {
        let lines = Lines()
        makeLogger(.json, lines).info("\(String(repeating: "x", count: 1 << 20))", metadata: ["k": "kept"])
        let line = try #require(lines.all.first)
        #expect(line.utf8.count < LogLine.maximumTextBytes + 500)
        #expect((try object(line)["metadata"] as? [String: String])?["k"] == "kept")
    }

    @Test func endlesslyNestedMetadataHasAnEnd() throws {
        var value: Logger.MetadataValue = "x"
        for _ in 0..<1000 { value = .array([value]) }
        let lines = Lines()
        makeLogger(.json, lines).info("m", metadata: ["k": value])
        _ = try object(try #require(lines.all.first))
    }

    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
            (1_704_067_199_999_999, "2023-12-31T23:59:59.999999Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
        ] as [(Int64, String)])
    func timesAreUTCWithMicroseconds(microseconds: Int64, text: String) {
        #expect(WallClock(microseconds: microseconds).description == text)
    }

    @Test func theEnvironmentChoosesFormatAndLevel() throws {
        let configuration = try LogConfiguration(environment: [
            "LARDER_LOG_FORMAT": "JSON", "LARDER_LOG_LEVEL": "debug",
        ])
        #expect(configuration.format == .json)
        #expect(configuration.level == .debug)
        let absent = try LogConfiguration(environment: ["LARDER_LOG_FORMAT": ""])
        #expect(absent.format == .text)
        #expect(absent.level == .info)
    }

    @Test func anUnknownWordIsRefusedWithTheChoices() {
        let error = #expect(throws: LogConfigurationError.self) {
            try LogConfiguration(environment: ["LARDER_LOG_FORMAT": "xml"])
        }
        #expect(error?.description == "LARDER_LOG_FORMAT must be one of: text, json")
    }
}
