import FeatureModel
import Logging
import PostgresClient
import Registry

extension CommandContext {
    /// A server that starts does not wait longer for a PostgreSQL that does not answer.
    private static let databasePatience: Duration = .seconds(2)

    /// Refuses a source login that can do more than it should, and warns of one that PostgreSQL does not take. Says
    /// nothing while PostgreSQL is away: a server starts without.
    ///
    /// - Throws: `configuration_invalid`.
    func checkSourceLoginIfReachable() async throws {
        var configuration = settings.postgres
        configuration.connectTimeout = Self.databasePatience
        configuration.statementTimeout = Self.databasePatience
        guard let connection = try? await PostgresConnection.connect(configuration, logger: logger) else { return }
        var refusal: LarderError?
        do {
            try await DatabaseRoles(sourceLogin: settings.sourceLogin).checkSourceLogin(on: connection)
        } catch {
            refusal = error as? LarderError
        }
        await connection.close()
        if let refusal { throw refusal }
        await warnIfSourceLoginIsRefused()
    }

    private func warnIfSourceLoginIsRefused() async {
        var configuration = settings.postgresSource
        configuration.connectTimeout = Self.databasePatience
        do {
            let connection = try await PostgresConnection.connect(configuration, logger: logger)
            await connection.close()
        } catch {
            guard error.isPermanentConnectFailure else { return }
            logger.warning(
                """
                \(Setting.postgresSourceURL.variable) does not lead to a session: materializations of postgres, query \
                and table sources will fail or be put off until it is mended
                """, metadata: ["error": "\(error)"])
        }
    }
}
