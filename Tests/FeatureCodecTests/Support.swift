import FeatureCodec
import FeatureModel
import Foundation
import Testing

/// Named byte vectors of a file in `Tests/Fixtures/golden`: `name: hexadecimal`, with `#` comments and `|` for the eye.
func goldenVectors(_ file: String) throws -> [String: [UInt8]] {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/golden/\(file)")
    var vectors: [String: [UInt8]] = [:]
    for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
        let parts = line.split(separator: ":", maxSplits: 1)
        let name = String(parts[0])
        let digits = try #require(parts.last).split { $0 == " " || $0 == "|" }
        try #require(vectors[name] == nil, "\(name) stands twice in \(file)")
        vectors[name] = try digits.map { try #require(UInt8($0, radix: 16), "\(name) in \(file)") }
    }
    return vectors
}

/// Seeded, the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ (mixed >> 29)
    }
}

func column(_ type: ValueType, _ values: [Value]) throws -> Column {
    try #require(Column(type: type, values: values), "\(values) as \(type)")
}

func withSpan<Result>(_ bytes: [UInt8], _ body: (RawSpan) throws -> Result) rethrows -> Result {
    try unsafe body(bytes.span.bytes)
}

/// The header of an online value, and what follows it.
func withBody<Result>(of value: [UInt8], _ read: (OnlineRowHeader, RawSpan) throws -> Result) throws -> Result {
    try withSpan(value) { span in
        let header = try OnlineRowHeader(of: span)
        return try read(header, span.extracting(droppingFirst: header.byteCount))
    }
}

/// An online value as it was written before format 2: in format 1, with the same body.
func inFirstFormat(_ value: [UInt8]) throws -> [UInt8] {
    let header = try withSpan(value) { try OnlineRowHeader(of: $0) }
    var former: [UInt8] = [0x01, header.isTombstone ? 0x01 : 0x00]
    former += header.order.bytes
    former += value[header.byteCount...]
    return former
}
