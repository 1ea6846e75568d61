@testable import ArrowIPC

/// Damages streams and files as a bad disk, a bad writer or an attacker would.
enum StreamMutator {
    static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard bytes.count > 16 else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2:
            let extreme: [UInt32] = [0, 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFC]
            let start = min(place & ~3, bytes.count - 4)
            bytes.replaceSubrange(start..<start + 4, with: extreme.pick(&generator).littleEndianBytes)
        case 3: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...16, using: &generator)))
        case 4: bytes.insert(contentsOf: repeatElement(UInt8(place & 255), count: 8), at: place)
        case 5:
            // Offsets and lengths that point somewhere else nearby.
            let start = min(place & ~3, bytes.count - 4)
            bytes[start] = bytes[start] &+ UInt8(bitPattern: [-8, -4, -1, 1, 4, 8].pick(&generator))
        default:
            // Metadata is where a mistake is worst.
            let start = Int.random(in: 8..<min(bytes.count, 1_200), using: &generator)
            bytes[start] = [0, 1, 4, 0x7F, 0x80, 0xFF].pick(&generator)
        }
    }
}
