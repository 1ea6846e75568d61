import ArgumentParser
import FeatureModel
import FeatureService
import HTTPAPI
import OnlineStore
import TextFormats

struct GetOnlineFeatures: LarderCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read the features of entities as they are online now.",
        discussion: """
            Say --keys once for each entity: --keys origin=JFK,dest=LAX --keys origin=EWR,dest=IAH. A comma in a value is \
            written \\, and a backslash \\\\.
            """)

    @OptionGroup var features: FeatureOptions

    @Option(
        help: ArgumentHelp("The keys of one entity: key=value, separated by commas.", valueName: "keys"),
        transform: Arguments.entity)
    var keys: [[(name: String, value: String)]] = []

    @Flag(help: "Name every feature view__feature.")
    var fullFeatureNames = false

    @Option(
        help: ArgumentHelp("Answer as of this time instead of now.", valueName: "time"),
        transform: Arguments.instant)
    var clockFixed: Timestamp?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        try Arguments.requireSameKeys(keys)
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let now = (clockFixed.map { .fixed($0) } ?? ServingClock.system).now
        let response = try await context.withStores(onlineStore: .required) { stores in
            let served = try await context.servedProject(stores)
            let useCase = OnlineFeatures(
                reader: OnlineReader(redis: stores.redis), limits: context.settings.server.limits)
            return try await useCase.read(served, request, now: now)
        }
        let answer = OnlineAnswerText(response: response, now: now)
        let document = try answer.document
        try context.console.write(table: answer.table, json: document)
        if let hint = answer.hint { context.console.note("hint: \(hint)") }
        return .success
    }

    private var request: OnlineRequest {
        OnlineRequest(
            features: features.service.map { .service($0) } ?? .references(Arguments.list(features.features)),
            keys: Arguments.keys(keys), usesFullFeatureNames: fullFeatureNames, valuesAreText: true)
    }
}
