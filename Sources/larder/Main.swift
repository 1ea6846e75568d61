import ArgumentParser
import Glibc

@main
enum Main {
    static func main() async {
        // A reader that went away shows as an error of the write instead.
        signal(SIGPIPE, SIG_IGN)
        do {
            var parsed = try await LarderRoot.asyncParseAsRoot()
            if let command = parsed as? any LarderCommand { exit(await Session.run(command)) }
            // The parser's own: help, and groups of subcommands.
            try parsed.run()
        } catch {
            LarderRoot.exit(withError: error)
        }
    }
}
