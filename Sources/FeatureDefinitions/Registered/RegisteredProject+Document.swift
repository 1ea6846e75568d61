public import FeatureModel
internal import Foundation

extension RegisteredProject {
    /// The document's envelope; `format` tells later readers how to read it.
    private struct Document: Codable {
        static let format = 2
        /// Those this program reads.
        static let readableFormats = 1...format

        let format: Int
        let project: RegisteredProject
    }

    /// The revision as one JSON document; equal revisions give equal bytes.
    /// - Throws: `internal_error` when it cannot be written.
    public func document() throws(LarderError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let data = try encoder.encode(Document(format: Document.format, project: self))
            return String(decoding: data, as: UTF8.self)
        } catch {
            throw LarderError(
                .internalError, "the registry document of project \"\(name)\" cannot be written: \(error)")
        }
    }

    /// Reads what `document()` wrote.
    /// - Throws: `internal_error` when the text is no document of a known format.
    public init(document: String) throws(LarderError) {
        let envelope: Document
        do {
            envelope = try JSONDecoder().decode(Document.self, from: Data(document.utf8))
        } catch {
            throw LarderError(.internalError, "a registry document cannot be read: \(error)")
        }
        guard Document.readableFormats.contains(envelope.format) else {
            throw LarderError(
                .internalError,
                "a registry document has format \(envelope.format), this program reads up to \(Document.format)",
                hint: "run the version of larder that wrote it, or a newer one")
        }
        self = envelope.project
    }

    /// SHA-256 of the document, as hexadecimal digits: the hash of the definitions a training set was made with.
    public func documentHash() throws(LarderError) -> String {
        var hash = CanonicalHash("registry-document-1")
        hash.add(try document())
        return hash.finalize()
    }
}
