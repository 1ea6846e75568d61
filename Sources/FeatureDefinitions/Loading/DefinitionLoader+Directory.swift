public import FeatureModel
internal import Foundation
internal import Glibc

extension DefinitionLoader {
    /// Reads every `*.yaml` and `*.yml` below a directory, hidden ones left out, in the order of their paths.
    ///
    /// Places are told as `directory/relative/path.yaml`, so that they work from where `directory` does.
    /// - Throws: `file_unreadable`, and what `load(files:)` throws.
    public static func load(directory: String) throws(LarderError) -> ProjectDefinition {
        try load(files: files(below: directory))
    }

    /// The definition files below a directory, with their text.
    /// - Throws: `file_unreadable` when there is none, or one cannot be read or is no regular file.
    public static func files(below directory: String) throws(LarderError) -> [(path: String, text: String)] {
        let relativePaths: [String]
        do {
            relativePaths = try FileManager.default.subpathsOfDirectory(atPath: directory)
        } catch {
            throw LarderError(
                .fileUnreadable, "the directory \"\(directory)\" cannot be read",
                hint: "name a directory of definition files, such as feature-defs")
        }
        let paths = relativePaths.filter(isDefinitionFile).sorted { left, right in
            left.utf8.lexicographicallyPrecedes(right.utf8)
        }
        guard !paths.isEmpty else {
            throw LarderError(
                .fileUnreadable, "the directory \"\(directory)\" holds no *.yaml or *.yml file",
                hint: "name a directory of definition files, such as feature-defs")
        }
        let prefix = directory.hasSuffix("/") ? directory : directory + "/"
        var files: [(path: String, text: String)] = []
        for path in paths.prefix(DefinitionLimits.maximumFiles + 1) {
            files.append((prefix + path, try text(ofFile: prefix + path)))
        }
        return files
    }

    private static func isDefinitionFile(_ path: String) -> Bool {
        let components = path.split(separator: "/")
        guard let name = components.last, !components.contains(where: { $0.hasPrefix(".") }) else { return false }
        return name.hasSuffix(".yaml") || name.hasSuffix(".yml")
    }

    private static func text(ofFile path: String) throws(LarderError) -> String {
        var status = stat()
        // To open a pipe is to wait for who writes into it.
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw LarderError(
                .fileUnreadable, "\"\(path)\" is not a regular file",
                hint: "remove it, or give it a name that does not end in .yaml or .yml")
        }
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw LarderError(.fileUnreadable, "the file \"\(path)\" cannot be opened")
        }
        defer { try? handle.close() }
        let data: Data
        do {
            // One byte more than allowed, so that the limit is judged where it is defined.
            data = try handle.read(upToCount: DefinitionLimits.maximumFileBytes + 1) ?? Data()
        } catch {
            throw LarderError(.fileUnreadable, "the file \"\(path)\" cannot be read")
        }
        guard data.count <= DefinitionLimits.maximumFileBytes else {
            throw LarderError(
                .limitExceeded, "the file is larger than \(DefinitionLimits.maximumFileBytes) bytes",
                hint: "split it into several files", location: SourceLocation(file: path, line: 1, column: 1))
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw LarderError(
                .fileUnreadable, "the file is not UTF-8 text", hint: "save it as UTF-8",
                location: SourceLocation(file: path, line: 1, column: 1))
        }
        return text
    }
}
