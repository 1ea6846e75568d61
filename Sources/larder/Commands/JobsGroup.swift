import ArgumentParser
import FeatureDefinitions
import FeatureModel
import FeatureService
import Jobs
import TextFormats

struct JobsGroup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "See long work that servers do, stop it, begin it again, fetch what it made.",
        subcommands: [
            JobsList.self, JobsShow.self, JobsFollow.self, JobsDownload.self, JobsCancel.self, JobsRetry.self,
        ])
}

/// Which job is meant.
struct JobArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The job's id.", valueName: "id"))
    var id: Int64
}

extension CommandContext {
    /// Runs `body` with the jobs of the project.
    func withJobs<Value>(_ body: (JobControl, RegisteredProject) async throws -> Value) async throws -> Value {
        try await withStores { stores in
            try await body(JobControl(stores: stores), try await stores.project(namedOrOnly: settings.project))
        }
    }
}

struct JobsList: LarderCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List jobs, newest first.")

    @Option(help: ArgumentHelp("Only jobs in these states, separated by commas.", valueName: "states"))
    var state: [String] = []

    @Option(help: ArgumentHelp("How many jobs to list at most.", valueName: "n"))
    var limit = 20

    @Option(help: ArgumentHelp("List jobs with smaller ids than this one.", valueName: "id"))
    var before: Int64?

    @OptionGroup var options: GlobalOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit is less than 1") }
        _ = try states
    }

    private var states: Set<JobState> {
        get throws {
            Set(
                try Arguments.list(state).map { name in
                    if let state = JobState(rawValue: name) { return state }
                    let all = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("jobs are in no state \"\(name)\"; states are \(all)")
                })
        }
    }

    func run(in context: CommandContext) async throws -> ExitStatus {
        let states = try states
        let jobs = try await context.withJobs { jobs, project in
            try await jobs.list(in: project, states: states, before: before, limit: limit)
        }
        try context.console.write(table: Self.table(jobs), json: .array(jobs.map(\.document)))
        if jobs.count == limit, let last = jobs.last {
            context.console.note("there may be more: --before \(last.id) continues")
        }
        return .success
    }

    private static func table(_ jobs: [Job]) -> String {
        guard !jobs.isEmpty else { return "There are no such jobs." }
        var table = TextTable([
            .number("id"), .text("kind"), .text("state"), .number("rows"), .number("of"), .number("took"),
            .number("attempts"), .text("created"), .text("by"), .text("note"),
        ])
        for job in jobs {
            let stopping = job.state == .running && job.isCancelRequested
            table.append([
                String(job.id), job.kind.rawValue, stopping ? "stopping" : job.state.rawValue,
                job.progress.rowsDone.grouped, job.progress.rowsTotal?.grouped ?? "",
                job.elapsed.map(JobText.duration) ?? "", String(job.attempts), job.createdAt.description, job.createdBy,
                job.failure.map { "\($0.message) [\($0.code)]" } ?? job.progress.note ?? "",
            ])
        }
        return table.text
    }
}

struct JobsShow: LarderCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one job, as it stands now.")

    @OptionGroup var job: JobArgument

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let document = try await context.withJobs { try await $0.job(job.id, in: $1) }.document
        try context.console.write(table: DocumentText.render(document), json: document)
        return .success
    }
}

struct JobsCancel: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ask a job to stop.",
        discussion: "A queued job is cancelled at once, a running one by its worker soon.")

    @OptionGroup var job: JobArgument

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let job = try await context.withJobs { try await $0.cancel(self.job.id, in: $1) }
        try context.console.write(
            table: job.state == .running ? "Job \(job.id) has been asked to stop." : "Job \(job.id) is cancelled.",
            json: job.document)
        return .success
    }
}

struct JobsRetry: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Begin a job again that failed, was cancelled, or waits for its next attempt.")

    @OptionGroup var job: JobArgument

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let job = try await context.withJobs { try await $0.retry(self.job.id, in: $1) }
        try context.console.write(table: "Job \(job.id) is queued again.", json: job.document)
        return .success
    }
}
