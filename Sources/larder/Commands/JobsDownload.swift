import ArgumentParser
import FeatureService
import Jobs
import TextFormats

struct JobsDownload: LarderCommand {
    static let configuration = CommandConfiguration(
        commandName: "download", abstract: "Write what a job has made into a file.",
        discussion: "The file appears whole or not at all.")

    @OptionGroup var job: JobArgument

    @Option(help: ArgumentHelp("The file to write, or - for standard output.", valueName: "file"))
    var out: String

    @OptionGroup var options: GlobalOptions

    func run(in context: CommandContext) async throws -> ExitStatus {
        let download = try await context.withJobs { jobs, project in
            let download = try await jobs.output(job.id, in: project)
            var file = try ByteOutput(path: out)
            for try await piece in download.pieces { try file.write(piece) }
            try file.finish()
            return download
        }
        let place = out == "-" ? "standard output" : out
        let summary = "\(download.byteCount.grouped) bytes of \(download.contentType) written to \(place)"
        // With the output itself on standard output, there is no room for anything else there.
        if out == "-" {
            context.console.note(summary)
        } else {
            try context.console.write(
                table: summary,
                json: .object([
                    .init("id", .integer(job.id)), .init("file", .string(out)),
                    .init("bytes", .integer(download.byteCount)), .init("content_type", .string(download.contentType)),
                ]))
        }
        return .success
    }
}
