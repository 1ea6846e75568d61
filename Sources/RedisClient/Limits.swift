/// Bounds on what a peer can make this process hold.
enum Limits {
    /// Bytes of one top-level reply on the wire. Redis itself caps a bulk string at 512 MiB.
    static let maximumReplyBytes = 512 << 20
    /// Elements of one top-level reply, nested ones included: each costs about ten times its smallest wire form.
    static let maximumReplyElements = 4 << 20
    /// Bytes given to the parser at a time: it moves what is left after every reply of 1 KiB, so that large slices
    /// would be moved over and over.
    static let parserSliceBytes = 16 << 10
    /// Bytes the parser's scratch memory may keep between replies.
    static let retainedScratchBytes = 256 << 10
    /// Bytes of an error line that make it into a message.
    static let maximumErrorMessageBytes = 1024
    /// `AUTH`, `SELECT`, `CLIENT SETNAME` and `INFO` are sent at once.
    static let handshakeCommands = 4
    /// The longest duration a setting may have; it keeps every deadline far from overflow.
    static let maximumDuration: Duration = .seconds(86_400)
}
