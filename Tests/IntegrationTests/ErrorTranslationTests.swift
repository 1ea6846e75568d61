import FeatureModel
import FeatureService
import PostgresClient
import Testing

/// What failures of PostgreSQL mean to whoever asked.
@Suite struct ErrorTranslationTests {
    private func translated(_ state: String, _ message: String, hint: String? = nil) -> LarderError {
        LarderError(translating: PostgresError(.server, message, sqlState: SQLState(rawValue: state), hint: hint))
    }

    @Test(arguments: [
        ("25006", "cannot execute INSERT in a read-only transaction"),
        ("0A000", "cannot set transaction read-write mode during recovery"),
        ("55000", "recovery is in progress"),
    ])
    func `a server that takes no writes is unavailable, and the hint says where to look`(
        _ state: String, _ message: String
    ) {
        let error = translated(state, message)
        #expect(error.code == .registryUnavailable)
        #expect(error.message == "PostgreSQL refused: \(message) (SQLSTATE \(state))")
        #expect(error.hint?.contains("LARDER_POSTGRES_URL") == true)
    }

    @Test(arguments: [
        ("53100", "could not extend file \"base/5/16384\": No space left on device"), ("53200", "out of memory"),
        ("53000", "insufficient resources"), ("58030", "could not read block 7 in file \"base/5/16384\""),
    ])
    func `a server without disk space or memory is unavailable`(_ state: String, _ message: String) {
        let error = translated(state, message)
        #expect(error.code == .registryUnavailable)
        #expect(error.message == "PostgreSQL failed: \(message) (SQLSTATE \(state))")
        #expect(error.hint?.contains("disk space or memory") == true)
        // What PostgreSQL itself advises is closer to the cause.
        #expect(translated(state, message, hint: "Check free disk space.").hint == "Check free disk space.")
    }

    @Test(arguments: [
        ("0A000", "cannot use column references in a default expression"), ("55000", "sequence is not yet defined"),
        ("53400", "temporary file size exceeds temp_file_limit (1024kB)"), ("XX000", "unexpected chunk number"),
    ])
    func `what is no state of the whole server stays an internal error`(_ state: String, _ message: String) {
        #expect(translated(state, message).code == .internalError)
    }
}
