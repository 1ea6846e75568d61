public import NIOCore

/// One argument of a command: bytes, text as UTF-8, or an integer as decimal digits.
public struct RedisArgument: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    fileprivate enum Storage: Sendable {
        case bytes([UInt8])
        case buffer(ByteBuffer)
        case string(String)
        case integer(Int64)
    }

    fileprivate let storage: Storage

    public static func bytes(_ bytes: [UInt8]) -> RedisArgument { RedisArgument(storage: .bytes(bytes)) }
    public static func buffer(_ buffer: ByteBuffer) -> RedisArgument { RedisArgument(storage: .buffer(buffer)) }
    public static func string(_ string: String) -> RedisArgument { RedisArgument(storage: .string(string)) }
    public static func integer(_ integer: Int64) -> RedisArgument { RedisArgument(storage: .integer(integer)) }

    private init(storage: Storage) {
        self.storage = storage
    }

    public init(stringLiteral value: String) {
        self.init(storage: .string(value))
    }

    public init(integerLiteral value: Int64) {
        self.init(storage: .integer(value))
    }
}

/// Arguments in wire form: `$length CR LF bytes CR LF`, one after another.
///
/// Hot paths append to it directly and build no array of ``RedisArgument``.
public struct RedisArguments: Sendable {
    fileprivate var buffer: ByteBuffer
    /// How many arguments there are.
    public fileprivate(set) var count: Int

    /// Bytes on the wire.
    public var byteCount: Int { buffer.readableBytes }

    /// - Parameter capacity: bytes to set aside, framing (about 8 bytes an argument) included.
    public init(reservingCapacity capacity: Int = 0) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
        count = 0
    }

    public init(_ arguments: some Sequence<RedisArgument>) {
        self.init()
        for argument in arguments { append(argument) }
    }

    public mutating func append(_ argument: RedisArgument) {
        switch argument.storage {
        case .bytes(let bytes): append(bytes: bytes)
        case .buffer(let buffer): append(buffer: buffer)
        case .string(let string): append(string: string)
        case .integer(let integer): append(integer: integer)
        }
    }

    public mutating func append(bytes: [UInt8]) {
        beginArgument(byteCount: bytes.count)
        buffer.writeBytes(bytes)
        endArgument()
    }

    public mutating func append(bytes: ArraySlice<UInt8>) {
        beginArgument(byteCount: bytes.count)
        buffer.writeBytes(bytes)
        endArgument()
    }

    public mutating func append(buffer bytes: ByteBuffer) {
        beginArgument(byteCount: bytes.readableBytes)
        buffer.writeImmutableBuffer(bytes)
        endArgument()
    }

    public mutating func append(string: String) {
        beginArgument(byteCount: string.utf8.count)
        buffer.writeString(string)
        endArgument()
    }

    public mutating func append(integer: Int64) {
        let (text, byteCount) = Decimal.digits(of: integer)
        beginArgument(byteCount: byteCount)
        Decimal.write(text, byteCount, to: &buffer)
        endArgument()
    }

    public mutating func append(_ arguments: RedisArguments) {
        buffer.writeImmutableBuffer(arguments.buffer)
        count += arguments.count
    }

    /// The bytes without a second holder, who would make each further write a copy of them all.
    fileprivate mutating func takeBuffer() -> ByteBuffer {
        defer { buffer = ByteBuffer() }
        return buffer
    }

    private mutating func beginArgument(byteCount: Int) {
        guard byteCount < Self.firstLongByteCount else {
            buffer.writeInteger(UInt8(ascii: "$"))
            let (text, digitCount) = Decimal.digits(of: Int64(byteCount))
            Decimal.write(text, digitCount, to: &buffer)
            buffer.writeInteger(carriageReturnLineFeed)
            return
        }
        // `$`, the digits, CR and LF in one word, put together from its end: one write instead of one for each digit.
        var word = UInt64(carriageReturnLineFeed)
        var bitCount = 16
        var rest = byteCount
        repeat {
            word |= (UInt64(UInt8(ascii: "0")) + UInt64(rest % 10)) << bitCount
            bitCount += 8
            rest /= 10
        } while rest > 0
        word |= UInt64(UInt8(ascii: "$")) << bitCount
        bitCount += 8
        buffer.writeInteger(word << (UInt64.bitWidth - bitCount))
        buffer.moveWriterIndex(to: buffer.writerIndex - (UInt64.bitWidth - bitCount) / 8)
    }

    /// The first length that does not fit into a word with what is around it.
    private static let firstLongByteCount = 100_000

    private mutating func endArgument() {
        buffer.writeInteger(carriageReturnLineFeed)
        count += 1
    }
}

/// A command in wire form, ready to be written to a socket.
///
/// Its `description` names the command and the number of its arguments, never their values.
public struct RedisCommand: Sendable, CustomStringConvertible {
    /// The first word of the command, for logs and messages.
    public let name: String
    /// How many arguments follow the name.
    public let argumentCount: Int
    let encoded: ByteBuffer

    public init(_ name: StaticString, _ arguments: RedisArgument...) {
        self.init(name, arguments)
    }

    public init(_ name: StaticString, _ arguments: some Sequence<RedisArgument>) {
        self.init(name) { encoder in
            for argument in arguments { encoder.append(argument) }
        }
    }

    /// - Parameters:
    ///   - capacity: bytes to set aside for the arguments with their framing (about 8 bytes each).
    ///   - encode: appends the arguments.
    public init(
        _ name: StaticString, reservingCapacity capacity: Int = 64, _ encode: (inout RedisArguments) -> Void
    ) {
        // How many arguments come is known at the end, but stands first: it is written backwards into a gap.
        var arguments = RedisArguments(reservingCapacity: Self.headerGap + 32 + max(0, capacity))
        arguments.buffer.writeRepeatingByte(0, count: Self.headerGap)
        arguments.append(string: name.description)
        encode(&arguments)
        self.name = name.description
        argumentCount = arguments.count - 1
        encoded = Self.writingHeader(into: arguments.takeBuffer(), count: arguments.count)
    }

    public var description: String { "\(name) (\(argumentCount) arguments)" }

    /// Bytes on the wire.
    var byteCount: Int { encoded.readableBytes }

    /// `*` + up to 19 digits + CR LF fit in it.
    private static let headerGap = 24

    private static func writingHeader(into buffer: consuming ByteBuffer, count: Int) -> ByteBuffer {
        let (text, digitCount) = Decimal.digits(of: Int64(count))
        let start = headerGap - digitCount - 3
        buffer.setInteger(UInt8(ascii: "*"), at: start)
        for digit in 0..<digitCount {
            buffer.setInteger(Decimal.digit(digit, of: text, digitCount), at: start + 1 + digit)
        }
        buffer.setInteger(carriageReturnLineFeed, at: headerGap - 2)
        buffer.moveReaderIndex(to: start)
        return buffer
    }
}

private let carriageReturnLineFeed: UInt16 = 0x0D0A

/// Decimal text of an integer without a `String`: at most 20 bytes, the last digit in the last place.
private enum Decimal {
    typealias Text = InlineArray<20, UInt8>

    static func digits(of value: Int64) -> (text: Text, byteCount: Int) {
        var text = Text(repeating: 0)
        var rest = value.magnitude
        var first = text.count
        repeat {
            first -= 1
            text[first] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        } while rest > 0
        if value < 0 {
            first -= 1
            text[first] = UInt8(ascii: "-")
        }
        return (text, text.count - first)
    }

    static func digit(_ index: Int, of text: Text, _ byteCount: Int) -> UInt8 {
        text[text.count - byteCount + index]
    }

    static func write(_ text: Text, _ byteCount: Int, to buffer: inout ByteBuffer) {
        for index in 0..<byteCount { buffer.writeInteger(digit(index, of: text, byteCount)) }
    }
}
