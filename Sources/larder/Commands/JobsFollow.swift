import ArgumentParser
import FeatureDefinitions
import FeatureModel
import FeatureService
import Jobs

struct JobsFollow: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Tell how a job is going until it is over.",
        discussion: "The status is 0 when the job succeeded, 1 when it failed or was cancelled.")

    @OptionGroup var job: JobArgument

    @OptionGroup var options: GlobalOptions

    private static let interval: Duration = .milliseconds(500)
    /// So long PostgreSQL may be away meanwhile.
    private static let patience: Duration = .seconds(60)

    func run(in context: CommandContext) async throws -> ExitStatus {
        let job = try await context.withJobs { try await follow($0, $1, context.console) }
        try context.console.write(table: DocumentText.render(job.document), json: job.document)
        guard let failure = job.failure else { return job.state == .succeeded ? .success : .refused }
        context.console.report(failure.error(of: "job \(job.id)"))
        return .refused
    }

    private func follow(_ jobs: JobControl, _ project: RegisteredProject, _ console: Console) async throws -> Job {
        var progress = JobProgressLines(console)
        var lastAnswer = ContinuousClock.now
        while true {
            do {
                let job = try await jobs.job(job.id, in: project)
                lastAnswer = .now
                progress.tell(job)
                if job.state.isFinished {
                    console.clearStatus()
                    return job
                }
            } catch {
                let isAway = LarderError(translating: error).code == .registryUnavailable
                guard isAway, .now - lastAnswer < Self.patience else { throw error }
            }
            try await Task.sleep(for: Self.interval)
        }
    }
}

/// Tells what is new of a job: on a terminal in a line that keeps changing, otherwise in a line when its state changes and every
/// few seconds.
private struct JobProgressLines {
    private static let interval: Duration = .seconds(5)

    private let console: Console
    private var lastLine = ""
    private var lastState: JobState?
    private var lastShown = ContinuousClock.now

    init(_ console: Console) {
        self.console = console
    }

    mutating func tell(_ job: Job) {
        let line = JobText.progress(job)
        if console.isInteractive { return console.showStatus(line) }
        guard line != lastLine, job.state != lastState || .now - lastShown >= Self.interval else { return }
        console.note(line)
        (lastLine, lastState, lastShown) = (line, job.state, .now)
    }
}
