import FeatureCodec
import FeatureModel
import Testing

@Suite struct OnlineKeyTests {
    private static func entity(_ joinKey: ValueType, _ value: Value) throws -> EntityKey {
        let encoder = EntityKeyEncoder(joinKeys: [JoinKey(name: "id", type: joinKey)])
        return try #require(try encoder.encode([value]))
    }

    private static func golden() throws -> [String: OnlineKey] {
        let installation = try #require(InstallationID("aZ09-_Qx"))
        let answer = try entity(.int64, .int64(42))
        return [
            "entity_space_1": .entity(installation, keySpace: 1, answer),
            "entity_space_127": .entity(installation, keySpace: 127, answer),
            "entity_space_128": .entity(installation, keySpace: 128, answer),
            "entity_no_entity": .entity(installation, keySpace: 300_000, .global),
            "entity_braces": .entity(installation, keySpace: 5, try entity(.string, .string("{}"))),
            "entity_space_maximum": .entity(installation, keySpace: .max, try entity(.string, .string("JFK"))),
            "sentinel": .sentinel(installation, project: 9),
            "fence": .fence(installation, keySpace: 128),
        ]
    }

    @Test("golden vectors encode and decode")
    func goldenVectorsHold() throws {
        let expected = try Self.golden()
        let vectors = try goldenVectors("online-keys.txt")
        #expect(Set(vectors.keys) == Set(expected.keys))
        for (name, key) in expected {
            let bytes = try #require(vectors[name])
            #expect(key.bytes == bytes, "\(name)")
            #expect(try OnlineKey(bytes: bytes) == key, "\(name)")
        }
    }

    @Test("an entity key appended after its prefix is the key itself, and its first brace opens the hash tag")
    func prefix() throws {
        for (name, key) in try Self.golden() {
            guard case .entity(let installation, let keySpace, let entity) = key else { continue }
            let prefix = OnlineKey.entityPrefix(installation, keySpace: keySpace)
            var out: [UInt8] = []
            OnlineKey.append(entity.bytes, after: prefix, to: &out)
            #expect(out == key.bytes, "\(name)")
            #expect(out.firstIndex(of: UInt8(ascii: "{")) == prefix.count - 1, "\(name)")
            #expect(out[prefix.count] != UInt8(ascii: "}"), "\(name)")
        }
    }

    @Test("keys of different kinds, ids and entities never meet")
    func injectivity() throws {
        let installation = try #require(InstallationID("AAAAAAAA"))
        let ids: [Int64] = [0, 1, 115, 127, 128, 129, 16_383, 16_384, .max]
        var keys: [OnlineKey] = ids.flatMap {
            [.sentinel(installation, project: $0), .fence(installation, keySpace: $0)]
        }
        for value in ["", "a", "}", "{"] {
            for id in ids {
                keys.append(.entity(installation, keySpace: id, try Self.entity(.string, .string(value))))
            }
        }
        #expect(Set(keys.map(\.bytes)).count == keys.count)
        for key in keys { #expect(try OnlineKey(bytes: key.bytes) == key) }
    }

    @Test("an installation id is eight characters of base64url")
    func installationID() {
        for text in ["", "AAAAAAA", "AAAAAAAAA", "AAAA{AAA", "AAAA+AAA", "AAAA/AAA", "ÄAAAAAA"] {
            #expect(InstallationID(text) == nil, "\(text)")
        }
    }

    @Test("bytes of another format, cut short or not minimal are refused")
    func refusals() throws {
        let good = try #require(try goldenVectors("online-keys.txt")["entity_space_128"])
        #expect(throws: CodecError.unknownFormat(2)) { try OnlineKey(bytes: [2] + good.dropFirst()) }
        for length in 0..<good.count {
            #expect(throws: CodecError.self) { try OnlineKey(bytes: Array(good.prefix(length))) }
        }
        let head = Array(good.prefix(9))
        let brace = [UInt8(ascii: "{"), 0, UInt8(ascii: "}")]
        #expect(throws: CodecError.malformed) { try OnlineKey(bytes: head + [0x80, 0x81] + brace) }
        #expect(throws: CodecError.malformed) {
            try OnlineKey(bytes: head + [UInt8](repeating: 0xFF, count: 10) + brace)
        }
        #expect(throws: CodecError.malformed) { try OnlineKey(bytes: head + [0x81] + [0x7B, 0x7D]) }
        #expect(throws: CodecError.malformed) { try OnlineKey(bytes: head + Array("s".utf8)) }
        #expect(throws: CodecError.malformed) { try OnlineKey(bytes: head + Array("s".utf8) + [0x81, 0x20]) }
    }
}
