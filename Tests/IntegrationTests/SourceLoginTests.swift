import FeatureModel
import FeatureService
import PostgresClient
import Registry
import Testing

/// Expressions and queries of definitions run as the source login: it must not be able to change what Larder keeps.
@Suite struct SourceLoginTests {
    @Test func `a source login that may write to Larder's tables, or is the owner's or the writer's, is refused`()
        async throws
    {
        try await LarderFixture.run { larder in
            let login = larder.stores.sourceLogin
            try await larder.stores.owner.withConnection { owner in
                func fault(of login: String) async throws -> String? {
                    do {
                        try await DatabaseRoles(sourceLogin: login).checkSourceLogin(on: owner)
                        return nil
                    } catch let error as LarderError {
                        #expect(error.code == .configurationInvalid)
                        return error.message
                    }
                }
                #expect(try await fault(of: login) == nil)
                #expect(try await fault(of: "nobody_of_that_name") == nil)
                let user = try await owner.query("SELECT session_user::text AS name").onlyValue(as: String.self)
                let ofOwner = try #require(try await fault(of: user))
                #expect(ofOwner.contains("\"\(user)\"") && ofOwner.contains("is the login of LARDER_POSTGRES_URL"))
                let ofWriter = try #require(try await fault(of: DatabaseRoles.writer))
                #expect(ofWriter.contains("may act as \"\(DatabaseRoles.writer)\""))
                // Rights in this database go with it.
                try await owner.execute("GRANT USAGE ON SCHEMA larder TO \(identifier: login)")
                #expect(try await fault(of: login) == nil)
                try await owner.execute("GRANT UPDATE (published_at) ON larder.key_space TO \(identifier: login)")
                let mayWrite = try #require(try await fault(of: login))
                #expect(mayWrite.contains("may write to Larder's tables"))
            }
        }
    }
}
