import Crypto
public import FeatureModel
import Foundation

/// One file of `migrations/`: `0001_name.sql`. Forward only; the number is its identity.
public struct MigrationFile: Sendable, Equatable {
    public let number: Int32
    public let name: String
    public let sql: String

    public init(number: Int32, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// SHA-256 of the file's bytes, recorded with it so that a changed file is noticed.
    public var checksum: [UInt8] {
        Array(SHA256.hash(data: Data(sql.utf8)))
    }

    /// What all migrations together come to, for people to read; a test keeps it true.
    private static let schemaFile = "schema.sql"

    /// The migrations of a folder, in order.
    ///
    /// - Throws: `LarderError` `migration_refused` when a file's name is not `NNNN_name.sql`, or a number is missing or
    ///   there twice.
    public static func load(directory: String) throws(LarderError) -> [MigrationFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
                .filter { $0.hasSuffix(".sql") && $0 != schemaFile }
        } catch {
            throw LarderError(
                .migrationRefused, "migrations folder \"\(directory)\" could not be read",
                hint: "run from the checkout, or name the folder with --migrations or LARDER_MIGRATIONS")
        }
        var files: [MigrationFile] = []
        for name in names.sorted() {
            files.append(try load(name: name, directory: directory))
        }
        for (index, file) in files.enumerated() where file.number != Int32(index + 1) {
            throw LarderError(
                .migrationRefused,
                "migration \"\(file.name)\" in \"\(directory)\" has number \(file.number) where \(index + 1) was expected",
                hint: "migrations are numbered from 0001 without gaps or repeats")
        }
        guard !files.isEmpty else {
            throw LarderError(.migrationRefused, "migrations folder \"\(directory)\" holds no .sql file")
        }
        return files
    }

    private static func load(name: String, directory: String) throws(LarderError) -> MigrationFile {
        let stem = String(name.dropLast(4))
        let parts = stem.split(separator: "_", maxSplits: 1)
        guard parts.count == 2, parts[0].count == 4, let number = Int32(parts[0]),
            let data = FileManager.default.contents(atPath: directory + "/" + name),
            let sql = String(validating: data, as: UTF8.self)
        else {
            throw LarderError(
                .migrationRefused, "migration file \"\(name)\" is not a readable UTF-8 file named NNNN_name.sql")
        }
        return MigrationFile(number: number, name: stem, sql: sql)
    }
}
