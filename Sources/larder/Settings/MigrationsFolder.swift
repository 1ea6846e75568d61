import FeatureModel
import Foundation
import Registry

/// Where the files of migrations are.
enum MigrationsFolder {
    private static let name = "migrations"

    /// The files of the folder that is set, or of the one that is found.
    /// - Throws: `migration_refused`.
    static func load(_ path: String?) throws(LarderError) -> [MigrationFile] {
        try MigrationFile.load(directory: path ?? found ?? name)
    }

    /// The files, or nil when no folder is set and none is found: an installation need not have them beside it.
    static func loadIfFound(_ path: String?) throws(LarderError) -> [MigrationFile]? {
        guard let folder = path ?? found else { return nil }
        return try MigrationFile.load(directory: folder)
    }

    /// `migrations` in the working directory, or in the nearest folder above the executable that has it.
    private static var found: String? {
        if holdsMigrations(name) { return name }
        guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        var folder = URL(filePath: executable).deletingLastPathComponent()
        while folder.pathComponents.count > 1 {
            let candidate = folder.appending(path: name).path()
            if holdsMigrations(candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        return nil
    }

    private static func holdsMigrations(_ path: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.contains { $0.hasPrefix("0001_") && $0.hasSuffix(".sql") }
    }
}
