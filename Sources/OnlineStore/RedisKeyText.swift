/// How a key of Redis is written for people: as `redis-cli` takes it.
enum RedisKeyText {
    /// The key between double quotes; nothing in it means anything to a shell.
    static func quoted(_ key: some Sequence<UInt8>) -> String {
        var text = "\""
        for byte in key {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "{"),
                UInt8(ascii: "}"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += byte < 16 ? "\\x0\(digits)" : "\\x\(digits)"
            }
        }
        return text + "\""
    }

    /// The command that removes a key.
    static func removal(of key: some Sequence<UInt8>) -> String {
        "redis-cli --quoted-input UNLINK '\(quoted(key))'"
    }
}
