import FeatureModel
import FeatureService
import Jobs
import PostgresClient
import Testing

/// Training sets with a name that jobs make: an attempt may end between their being saved and the job's being finished.
@Suite struct SavedByJobTests {
    private func claim(_ larder: LarderFixture, for duration: Duration) async throws -> ClaimedJob {
        let claimed = try await larder.stores.writer.withConnection { connection in
            try await JobStore().claim(worker: "test", kinds: [.trainingSet], for: duration, on: connection)
        }
        return try #require(claimed)
    }

    @Test func `what an attempt saved is replaced by the next one, and a lost lease saves nothing`() async throws {
        try await LarderFixture.run { larder in
            try await larder.apply(Orders.spending)
            try await larder.ingest("orders", "customer_id,at,amount\n1,2013-01-01T00:00:00Z,10\n")
            try await larder.materialize()
            let jobs = TrainingSetJobs(stores: larder.stores)
            func saved() async throws -> [SavedTrainingSet] {
                try await SavedTrainingSets(stores: larder.stores).list(in: larder.project())
            }
            let spine = "SELECT 1::bigint AS customer_id, timestamptz '2013-01-01T01:00:00Z' AS event_timestamp"
            _ = try await jobs.enqueue(
                TrainingSetRequest(features: .references(["spending:amount"]), name: "first"), spine: .sql(spine),
                format: .csv, contentType: "text/csv", in: try await larder.project())

            let abandoned = try await claim(larder, for: .milliseconds(1))
            _ = try await jobs.perform(abandoned, JobProgress())
            let before = try #require(try await saved().first)

            try await Task.sleep(for: .milliseconds(20))
            let next = try await claim(larder, for: .seconds(60))
            #expect(next.attempt == 2)
            _ = try await jobs.perform(next, JobProgress())
            let after = try await saved()
            #expect(after.map(\.name) == ["first"] && after[0].createdAt > before.createdAt)
            #expect(after[0].contentHash == before.contentHash)

            let error = await #expect(throws: LarderError.self) { _ = try await jobs.perform(abandoned, JobProgress()) }
            #expect(error?.code == .jobLeaseLost)
            #expect(try await saved().map(\.createdAt) == [after[0].createdAt])

            // Another job's training set keeps its name.
            _ = try await jobs.enqueue(
                TrainingSetRequest(features: .references(["spending:amount"]), name: "first"), spine: .sql(spine),
                format: .csv, contentType: "text/csv", in: try await larder.project())
            let other = try await claim(larder, for: .seconds(60))
            let taken = await #expect(throws: LarderError.self) { _ = try await jobs.perform(other, JobProgress()) }
            #expect(taken?.code == .trainingSetExists)
        }
    }
}
