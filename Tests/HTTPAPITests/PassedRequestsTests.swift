import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPAPI

/// Where the requests end that the decoder is given, told without it.
@Suite("Passed requests", .timeLimit(.minutes(2)))
struct PassedRequestsTests {
    private struct Request {
        let bytes: [UInt8]
        let headBytes: Int
        let isPlain: Bool

        private static let bodies: [String] = [
            "", "{}", "\r\n", "\r\n\r\n", "0\r\n\r\n", "GET /inner HTTP/1.1\r\n\r\n",
            "POST /inner HTTP/1.1\r\nContent-Length: 1000\r\n\r\n", #"{"features":["weather:temp"]}"#,
        ]

        static func plain(_ generator: inout SeededGenerator) -> Request {
            var request = RawRequest(online: bodies.pick(&generator))
            if generator.isOneIn(3) { request = RawRequest("GET", "/health/live") }
            if generator.isOneIn(3) { request.headers.append(("X-Note", "a\tb")) }
            let bytes = request.bytes
            return Request(bytes: bytes, headBytes: bytes.count - (request.body?.count ?? 0), isPlain: true)
        }

        static func other(_ generator: inout SeededGenerator) -> Request {
            var request = RawRequest(online: bodies.pick(&generator))
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: return Request(bytes: request.chunked(7), headBytes: 0, isPlain: false)
            case 1: request.headers.append(("Expect", "100-continue"))
            default: request.headers.append(("X-Note", "é"))
            }
            return Request(bytes: request.bytes, headBytes: 0, isPlain: false)
        }
    }

    /// The ends of the pieces that so many bytes come in.
    private static func cuts(
        _ count: Int, most: Int, likely: [Int], _ generator: inout SeededGenerator
    ) -> [Int] {
        var cuts: Set<Int> = [count]
        for _ in 0..<Int.random(in: 0...most, using: &generator) {
            let cut = generator.isOneIn(4) ? Int.random(in: 0..<count, using: &generator) : likely.pick(&generator)
            if (1..<count).contains(cut) { cuts.insert(cut) }
        }
        return cuts.sorted()
    }

    /// - Parameter cuts: up to the last one the bytes have come.
    private static func expected(_ requests: [Request], _ cuts: ArraySlice<Int>) -> PassedRequests {
        let position = cuts.last ?? 0
        var start = 0
        for request in requests where start < position {
            let head = (start + 1)..<max(start + 1, start + request.headBytes)
            guard request.isPlain, !cuts.contains(where: head.contains) else { return .unknown }
            start += request.bytes.count
        }
        return start == position ? .whole : .partOfBody(missing: start - position)
    }

    @Test("it is known where plain requests end, until a head is cut or not plain", arguments: 0..<4 as Range<UInt64>)
    func framing(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var (whole, partOfBody, unknown) = (0, 0, 0)
        for _ in 0..<500 {
            let requests = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
                generator.isOneIn(8) ? Request.other(&generator) : Request.plain(&generator)
            }
            var stream: [UInt8] = []
            var likely: [Int] = []
            for request in requests {
                likely += [stream.count, stream.count + request.headBytes, stream.count + request.bytes.count - 1]
                stream += request.bytes
            }
            let cuts = Self.cuts(stream.count, most: 6, likely: likely, &generator)
            let context: Comment = "\(String(decoding: stream, as: UTF8.self).debugDescription) at \(cuts)"
            let decoder = try ReferenceDecoder()
            var passed = PassedRequests.whole
            var start = 0
            for (index, cut) in cuts.enumerated() {
                passed.note(ByteBuffer(bytes: stream[start..<cut]))
                try decoder.decode(stream[start..<cut])
                start = cut
                try #require(passed == Self.expected(requests, cuts[...index]), context)
                let last = decoder.requests.last
                switch passed {
                case .whole:
                    whole += 1
                    #expect(decoder.requests.allSatisfy { $0.hasEnded }, context)
                case .partOfBody(let missing):
                    partOfBody += 1
                    #expect(last?.hasEnded == false, context)
                    let length = last?.head.headers.first(name: "content-length").flatMap { Int($0) }
                    #expect(length == (last?.bodyBytes ?? 0) + missing, context)
                case .unknown: unknown += 1
                }
            }
            #expect(!decoder.hasFailed && decoder.requests.count == requests.count, context)
        }
        #expect(whole > 100 && partOfBody > 100 && unknown > 100, "\(whole), \(partOfBody), \(unknown)")
    }

    @Test(
        "where a request is said to begin, one begins for the decoder, whatever came before",
        arguments: 0..<4 as Range<UInt64>)
    func mutated(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var known = 0
        let count = 1_000
        for _ in 0..<count {
            var stream: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &generator) { stream += Request.plain(&generator).bytes }
            stream.mutate(times: Int.random(in: 1...3, using: &generator), &generator)
            let cuts = Self.cuts(stream.count, most: 2, likely: Array(0..<stream.count), &generator)
            let context: Comment = "\(String(decoding: stream, as: UTF8.self).debugDescription) at \(cuts)"
            let decoder = try ReferenceDecoder()
            var passed = PassedRequests.whole
            var start = 0
            for cut in cuts {
                passed.note(ByteBuffer(bytes: stream[start..<cut]))
                try decoder.decode(stream[start..<cut])
                start = cut
            }
            let missing: Int
            switch passed {
            case .whole: missing = 0
            case .partOfBody(let bytes) where bytes <= 10_000: missing = bytes
            case .partOfBody, .unknown: continue
            }
            // After the last request of a connection none begins, whatever comes.
            guard decoder.requests.allSatisfy(\.head.isKeepAlive) else { continue }
            known += 1
            try decoder.decode([UInt8](repeating: UInt8(ascii: "\n"), count: missing))
            #expect(decoder.requests.allSatisfy { $0.hasEnded }, context)
            let before = decoder.requests.count
            try decoder.decode("GET /next HTTP/1.1\r\n\r\n".utf8)
            #expect(!decoder.hasFailed, context)
            #expect(decoder.requests.count == before + 1, context)
            #expect(decoder.requests.last?.head.uri == "/next" && decoder.requests.last?.hasEnded == true, context)
        }
        #expect((count / 40...count * 39 / 40).contains(known), "\(known)")
    }
}
