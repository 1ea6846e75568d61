public import FeatureModel
import PostgresClient
import RedisClient

extension LarderError {
    /// What a failure below means to the person who asked; nothing of a statement or a row gets out.
    public init(translating error: any Error) {
        switch error {
        case let error as LarderError:
            self = error
        case let error as PostgresError:
            self = Self.translate(error)
        case let error as RedisError:
            self.init(
                .onlineStoreUnavailable, "the online store failed: \(error)",
                hint: "check that Redis is up, and LARDER_REDIS_URL: address, password and database")
        case is CancellationError:
            self.init(.cancelled, "cancelled")
        default:
            self.init(.internalError, "internal error: \(String(describing: type(of: error)))")
        }
    }

    private static func translate(_ error: PostgresError) -> LarderError {
        switch error.code {
        case .cancelled:
            return LarderError(.cancelled, "cancelled")
        case .server where error.sqlState == .undefinedTable || ["3F000", "42703"].contains(error.sqlState):
            return LarderError(
                .migrationPending, "the database lacks a table or column of Larder's: \(error.message)",
                hint: "run larder migrate")
        case .server where error.sqlState == .checkViolation && error.constraintName == "writable_versions":
            return LarderError(
                .schemaVersionMismatch, "the schema version was retired while its rows were being written",
                hint: "nothing was written; larder versions shows those that may be written")
        case .server where error.sqlState == .checkViolation && error.constraintName?.hasPrefix("version_") == true:
            return LarderError(
                .rowsRejected, "the rules of the schema version changed while its rows were being written",
                hint: "nothing was written; try again")
        case .server where error.sqlState == "54000":
            return LarderError(
                .limitExceeded, "PostgreSQL cannot hold a row: a join key or row key is longer than its index takes",
                hint: "nothing was written; keep the keys of a row to 2,000 bytes together")
        case .server where error.sqlState == .lockNotAvailable:
            return LarderError(
                .registryUnavailable, "a table is in use by a long transaction: \(error.message)",
                hint: "see pg_stat_activity for who holds it, and try again")
        case .server where error.sqlState == .queryCanceled:
            return LarderError(
                .registryUnavailable, "PostgreSQL ended a statement: \(error.message)",
                hint: "see statement_timeout of the database and of the login")
        case .server where error.obstacle == .readOnly:
            return LarderError(
                .registryUnavailable, "PostgreSQL refused: \(error)",
                hint:
                    "PostgreSQL takes no writes: it is read-only or a standby; check where LARDER_POSTGRES_URL leads")
        case .server where error.obstacle == .resources:
            return LarderError(
                .registryUnavailable, "PostgreSQL failed: \(error)",
                hint: error.hint ?? "free disk space or memory of the PostgreSQL server; its log tells more")
        case .server:
            return LarderError(.internalError, "PostgreSQL refused: \(error)", hint: error.hint)
        case .invalidConfiguration:
            return LarderError(.configurationInvalid, error.message, hint: error.hint)
        default:
            return LarderError(
                .registryUnavailable, "PostgreSQL failed: \(error)",
                hint:
                    "check that PostgreSQL is up, and LARDER_POSTGRES_URL and LARDER_POSTGRES_SOURCE_URL: address and password"
            )
        }
    }
}
