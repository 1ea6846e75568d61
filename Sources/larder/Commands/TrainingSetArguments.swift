import ArgumentParser
import FeatureModel
import FeatureService
import TextFormats

/// What a training set is asked to be, as options of a command.
struct TrainingSetArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The file with keys, times and labels, or - for standard input.", valueName: "file"))
    var spine: String?

    @Option(help: ArgumentHelp("Its format; by the file's name otherwise.", valueName: "format"))
    var spineFormat: FrameFormat?

    @Option(
        help: ArgumentHelp(
            "A query whose rows are the spine. It runs under the source login, which sees table sources under their names.",
            valueName: "sql"))
    var spineSQL: String?

    @Option(help: ArgumentHelp("Without a spine: the first time of which changes are wanted.", valueName: "time"))
    var start: Timestamp?

    @Option(help: ArgumentHelp("Without a spine: the last time of which changes are wanted.", valueName: "time"))
    var end: Timestamp?

    @Option(
        help: ArgumentHelp(
            "Without a spine: the keys of one entity whose changes are wanted: key=value, separated by commas. May be repeated.",
            valueName: "keys"),
        transform: Arguments.entity)
    var keys: [[(name: String, value: String)]] = []

    @OptionGroup var features: FeatureOptions

    @Option(help: ArgumentHelp("The spine's column of times.", valueName: "name"))
    var timestampColumn = "event_timestamp"

    @Option(
        help: ArgumentHelp(
            "What makes a row known: event_time, recorded (when the source recorded it) or arrival (when it was ingested).",
            valueName: "rule"))
    var knownBy: TrainingSetOptions.KnownByOption = .eventTime

    @Option(help: ArgumentHelp("See the offline store as it was at this time.", valueName: "time"))
    var asOf: Timestamp?

    @Option(
        help: ArgumentHelp(
            "Another ttl for a view, such as airport_weather=3h, or =none; may be repeated.", valueName: "view=duration"
        ))
    var ttl: [String] = []

    @Option(
        help: ArgumentHelp(
            "Add a column \"split\": by shares, train=0.8,test=0.2, or by times, train=2013-02-01T00:00:00Z,test.",
            valueName: "parts"))
    var split: String?

    @Option(help: ArgumentHelp("Of a split by shares.", valueName: "number"))
    var seed: UInt64 = 0

    @Option(help: ArgumentHelp("The zone of times without an offset, such as America/New_York.", valueName: "zone"))
    var timezone: String?

    @Option(help: ArgumentHelp("A further spelling of null in CSV, such as NA.", valueName: "text"))
    var null: String?

    @Flag(help: "Name every feature view__feature.")
    var fullFeatureNames = false

    @Flag(help: "Add the event time of each view's row, as view__event_timestamp.")
    var includeTimestamps = false

    @Option(
        help: ArgumentHelp(
            "Join in this way instead of the cheapest: seek, merge_keys or merge_range.", valueName: "way"))
    var strategy: String?

    func validate() throws {
        try Arguments.requireSameKeys(keys)
    }

    func request(resources: TrainingSetResources) throws -> TrainingSetRequest {
        var options = TrainingSetOptions()
        options.timestampColumn = timestampColumn
        options.timeZone = timezone
        options.nullSpelling = null
        options.usesFullFeatureNames = fullFeatureNames
        options.includesTimestamps = includeTimestamps
        options.knownBy = knownBy
        options.asOf = asOf
        options.ttlOfView = try TrainingSetText.ttls(ttl)
        options.split = try split.map { text throws(LarderError) in try TrainingSetText.split(text, seed: seed) }
        var resources = resources
        resources.strategy = try strategy.map { text throws(LarderError) in try TrainingSetText.strategy(text) }
        return TrainingSetRequest(
            features: features.service.map { .service($0) } ?? .references(Arguments.list(features.features)),
            options: options, resources: resources)
    }

    var source: CreateTrainingSet.Spine {
        get throws {
            let given = [spine != nil, spineSQL != nil, start != nil || end != nil].count { $0 }
            guard given == 1 else {
                throw LarderError(
                    .usage, "a training set needs one of --spine, --spine-sql, or --start with --end",
                    hint: given == 0 ? "name the file with your rows: --spine FILE" : nil)
            }
            guard keys.isEmpty || (spine == nil && spineSQL == nil) else {
                throw LarderError(
                    .usage, "--keys goes with --start and --end",
                    hint: "a spine names its entities itself: leave out --keys, or the rows of other entities")
            }
            if let spine {
                return .file(path: spine, try Arguments.format(spine, spineFormat, option: "--spine-format"))
            }
            if let spineSQL { return .sql(spineSQL) }
            guard let start, let end else {
                throw LarderError(.usage, "--start and --end go together")
            }
            let entities = keys.isEmpty ? nil : EntityKeys(Arguments.keys(keys), valuesAreText: true)
            return .changes(from: start, through: end, keys: entities)
        }
    }
}
