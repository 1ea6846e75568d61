import Foundation
import PostgresClient
import RedisClient
import TestSupport
import Testing

/// `kill -9` in the middle of each kind of write, at seeded points that are shown to be mid-write. After running again
/// nothing is lost, doubled or half there, and nothing is left behind.
@Suite(.serialized) struct KillTests {
    private static let kills = 20
    private static let rows = 60_000

    @Test func `a killed ingest leaves the table as it was, and the next one completes it`() async throws {
        try await KillFixture.run(rows: Self.rows) { world in
            let table = try await world.rawTable()
            for seed in 1...UInt64(Self.kills) {
                let before = try await world.pageBytes(of: table)
                let written = try await world.killMidway(["ingest", "events", world.csv], seed: seed) {
                    try await world.pageBytes(of: table) - before
                }
                #expect(written > 0, "seed \(seed)")
                #expect(try await world.count(of: table) == 0, "seed \(seed): rows are left after \(written) bytes")
                #expect(try await world.value("SELECT count(*) FROM larder.write") == 0, "seed \(seed)")
            }
            for _ in 1...2 {
                try world.finish(["ingest", "events", world.csv])
                #expect(try await world.count(of: table) == Self.rows)
            }
        }
    }

    @Test func `a killed materialization leaves nothing half there offline or online`() async throws {
        try await KillFixture.run(rows: Self.rows) { world in
            try world.finish(["ingest", "events", world.csv])
            let table = try await world.offlineTable()
            let offlineKills = UInt64(Self.kills / 2)
            for seed in 1...offlineKills {
                let before = try await world.pageBytes(of: table)
                let written = try await world.killMidway(["materialize"], seed: seed) {
                    try await world.pageBytes(of: table) - before
                }
                #expect(written > 0, "seed \(seed)")
                #expect(try await world.count(of: table) == 0, "seed \(seed): rows are left after \(written) bytes")
                #expect(try await world.value("SELECT count(*) FROM larder.watermark") == 0, "seed \(seed)")
            }
            try world.finish(["materialize", "--only", "offline"])
            for seed in (offlineKills + 1)...UInt64(Self.kills) {
                // What the last one left would look like progress of this one.
                try await world.emptyRedis()
                let published = try await world.killMidway(["materialize", "--only", "online"], seed: seed) {
                    let keys = try await world.redisKeys()
                    return keys > 1 && keys < Self.rows ? keys : 0
                }
                #expect(published > 1 && published < Self.rows, "seed \(seed)")
                let read = try world.start(["get-online-features", "--features", "totals:amount", "--keys", "id=1"])
                    .finish()
                #expect(read.status == 1 && read.output.contains("not_materialized"), "seed \(seed): \(read.output)")
            }
            for _ in 1...2 {
                try world.finish(["materialize"])
                #expect(try await world.count(of: table) == Self.rows)
                // Every entity, the sentinel and the key space's fence.
                #expect(try await world.redisKeys() == Self.rows + 2)
            }
            let read = try world.start(["get-online-features", "--features", "totals:amount", "--keys", "id=59999"])
                .finish()
            #expect(read.status == 0 && read.output.contains("59999.5"), "\(read.output)")
        }
    }

    @Test func `a killed training set leaves no file, and the next one writes it whole`() async throws {
        try await KillFixture.run(rows: Self.rows) { world in
            try world.finish(["ingest", "events", world.csv])
            try world.finish(["materialize", "--only", "offline"])
            let whole = world.directory.appending(path: "whole.csv").path()
            let out = world.directory.appending(path: "out.csv").path()
            func create(_ path: String) -> [String] {
                ["training-set", "create", "--spine", world.spine, "--features", "totals:amount", "--out", path]
            }
            try world.finish(create(whole))
            for seed in 1...UInt64(Self.kills) {
                let written = try await world.killMidway(create(out), seed: seed) {
                    world.partialBytes(of: out)
                }
                #expect(written > 0, "seed \(seed)")
                #expect(
                    !FileManager.default.fileExists(atPath: out), "seed \(seed): a file is there after \(written) bytes"
                )
            }
            try world.finish(create(out))
            #expect(try Data(contentsOf: URL(filePath: out)) == Data(contentsOf: URL(filePath: whole)))
            let names = try FileManager.default.contentsOfDirectory(atPath: world.directory.path())
            #expect(!names.contains { $0.hasSuffix(".partial") }, "\(names)")
        }
    }
}
