import Glibc
import NIOCore
import NIOExtras

/// How a listener goes without losing a connection to others that listen at the same address.
///
/// Linux gives each listener a queue of its own, and resets what is in it when the listener closes. So first the kernel is
/// told to drop what would begin a connection here: a client repeats that after a second, and then reaches another
/// listener. What had begun before is accepted meanwhile.
struct ListenerDeparture: Sendable {
    /// Longer than it takes to finish a handshake that has begun.
    private static let settling: TimeAmount = .milliseconds(250)

    let channel: any Channel
    let quiescing: ServerQuiescingHelper
    /// Whether others may listen at the address.
    let isShared: Bool

    /// From now on no connection begins. Those there are end once they have been answered.
    func begin() {
        guard isShared, let options = channel as? any SocketOptionProvider else { return close() }
        channel.eventLoop.execute {
            PacketFilter.droppingNewConnections.withProgram { program in
                // On the event loop it is done when this returns, and the program is no longer needed.
                options.unsafeSetSocketOption(
                    level: .socket, name: NIOBSDSocket.Option(rawValue: SO_ATTACH_FILTER), value: program
                ).whenComplete { result in
                    switch result {
                    case .success: channel.eventLoop.scheduleTask(in: Self.settling) { close() }
                    // Without a filter waiting would only bring more connections here.
                    case .failure: close()
                    }
                }
            }
        }
    }

    private func close() {
        quiescing.initiateShutdown(promise: nil)
    }
}

/// A program of Linux' classic packet filter (`linux/filter.h`), which sees a TCP packet from its header on.
private struct PacketFilter {
    /// `struct sock_filter`.
    struct Instruction {
        var code: UInt16
        var jumpIfTrue: UInt8 = 0
        var jumpIfFalse: UInt8 = 0
        var operand: UInt32
    }

    /// `struct sock_fprog`.
    struct Program: Sendable {
        var count: UInt16
        var address: UInt
    }

    let instructions: [Instruction]

    /// Packets whose SYN flag is set are dropped, all others pass.
    static let droppingNewConnections = PacketFilter(instructions: [
        // BPF_LD + BPF_B + BPF_ABS: the byte with the flags.
        Instruction(code: 0x30, operand: 13),
        // BPF_JMP + BPF_JSET + BPF_K: SYN.
        Instruction(code: 0x45, jumpIfTrue: 0, jumpIfFalse: 1, operand: 0x02),
        // BPF_RET + BPF_K: how many bytes pass.
        Instruction(code: 0x06, operand: 0),
        Instruction(code: 0x06, operand: .max),
    ])

    /// - Parameter body: gets what is valid while it runs.
    func withProgram(_ body: (Program) -> Void) {
        instructions.withUnsafeBufferPointer { buffer in
            body(Program(count: UInt16(buffer.count), address: UInt(bitPattern: buffer.baseAddress)))
        }
    }
}
