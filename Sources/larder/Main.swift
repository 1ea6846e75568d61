import ArgumentParser
import Glibc

@main
enum Main {
    static func main() async {
        // A reader that went away shows as an error of the write instead.
        signal(SIGPIPE, SIG_IGN)
        do {
            var parsed = try await LarderRoot.asyncParseAsRoot()
            if let command = parsed as? any LarderCommand {
                let status = await Session.run(command)
                // Not exit(): what the C libraries then free, a connection's thread that is just ending may free too.
                fflush(nil)
                _exit(status)
            }
            // The parser's own: help, and groups of subcommands.
            try parsed.run()
        } catch {
            LarderRoot.exit(withError: error)
        }
    }
}
