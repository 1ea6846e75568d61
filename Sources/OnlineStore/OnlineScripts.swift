internal import RedisClient

/// The scripts that make compare and write one step.
///
/// A stored order and a fence are compared as unsigned 32-bit words: those are exact in Lua's doubles, which 64-bit
/// numbers are not, while `<` on Lua strings follows the server's locale. Two words make one comparison, as most are
/// decided by the first: by the event time, which stands at the same place in values of either format. Where it does
/// not decide, the order is written out at its full length first.
enum OnlineScripts {
    /// Error words the scripts answer with.
    enum Refusal {
        /// A later publisher has raised the fence.
        static let fenced = "FENCED"
        /// The fence is gone: the server was emptied after this publisher wrote it.
        static let emptied = "EMPTIED"
        /// A stored value has a format this program does not know and must not replace. The place of its key among the
        /// script's keys follows, from 1.
        static let format = "FORMAT"
        /// Something else than a string is stored. The place of its key follows.
        static let wrongType = "TYPE"

        /// The place that an answer names.
        static func place(in error: RedisError) -> Int? {
            error.message.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        }
    }

    private static let functions = """
        local call, try, numbers = redis.call, redis.pcall, struct.unpack

        -- The answer to a command that failed on a key, as the script answers it.
        local function failure(answer, index)
          if string.find(answer['err'], 'WRONGTYPE', 1, true) then
            return redis.error_reply('\(Refusal.wrongType) ' .. index)
          end
          return answer
        end

        local function compare(left, right, offset)
          local leftHigh, leftLow = numbers('>I4I4', left, offset)
          local rightHigh, rightLow = numbers('>I4I4', right, offset)
          if leftHigh ~= rightHigh then return leftHigh < rightHigh and -1 or 1 end
          if leftLow ~= rightLow then return leftLow < rightLow and -1 or 1 end
          return 0
        end

        -- What the flags of format 2 say: bytes of the recorded time, the sequence and the version.
        local function lengths(flags)
          return bit.band(flags, 2) * 4, bit.band(bit.rshift(flags, 2), 7) + 1, bit.band(bit.rshift(flags, 5), 3) + 1
        end

        -- A number of fewer bytes at its full length, its sign bit flipped.
        local function widen(number, length)
          local isNegative = string.byte(number) >= 128
          local wide = string.rep(string.char(isNegative and 255 or 0), length - #number) .. number
          return string.char((string.byte(wide) + 128) % 256) .. string.sub(wide, 2)
        end

        -- The 28 bytes of a value's order, whatever its format.
        local function orderOf(value)
          if string.byte(value) == 1 then return string.sub(value, 3, 30) end
          local recorded, sequence, version = lengths(string.byte(value, 2))
          local sequenceStart = 11 + recorded
          local versionStart = sequenceStart + sequence
          return string.sub(value, 3, 10 + recorded) .. string.rep(string.char(0), 8 - recorded)
            .. widen(string.sub(value, sequenceStart, versionStart - 1), 8)
            .. widen(string.sub(value, versionStart, versionStart + version - 1), 4)
        end

        local function compareOrders(left, right)
          local difference = compare(left, right, 3)
          if difference ~= 0 then return difference end
          left, right = orderOf(left), orderOf(right)
          difference = compare(left, right, 9)
          if difference == 0 then difference = compare(left, right, 17) end
          -- The end of the sequence once more, which is equal, and the version.
          if difference == 0 then difference = compare(left, right, 21) end
          return difference
        end

        local function checkFence(index, fence)
          local stored = try('GET', KEYS[index])
          if not stored then return redis.error_reply('\(Refusal.emptied) the fence is gone') end
          if type(stored) == 'table' then return failure(stored, index) end
          if string.byte(stored, 1) ~= 1 or #stored ~= 9 then
            return redis.error_reply('\(Refusal.format) ' .. index)
          end
          if compare(fence, stored, 2) < 0 then return redis.error_reply('\(Refusal.fenced) by a later publisher') end
          return nil
        end

        local function isKnown(value)
          local format, flags = string.byte(value, 1, 2)
          if format ~= 2 then return format == 1 and #value >= 30 end
          if not flags or flags >= 128 then return false end
          if #value >= 30 then return true end
          local recorded, sequence, version = lengths(flags)
          return #value >= 10 + recorded + sequence + version
        end

        local function isRaised(key, sentinel)
          local stored = call('GET', key)
          if not stored or #stored < 17 then return false end
          return compare(sentinel, stored, 2) == 0 and compare(sentinel, stored, 10) < 0
        end

        local function set(key, value, expiry)
          if expiry == '' then call('SET', key, value) else call('SET', key, value, 'PXAT', expiry) end
        end

        """

    /// Replaces values by newer ones.
    ///
    /// Behind a key that was not there, as in a store that is being filled, one call does for a key: `SET` that stores nothing
    /// over a value and answers with it instead. Behind one that was, looking first costs less. A value that is sent again
    /// is known by being equal as a whole.
    ///
    /// KEYS: fence, entity keys. ARGV: fence; the value of each entity key; the time they expire at in milliseconds,
    /// empty for never, once for all or once for each. Answers how many values were written.
    static let publish = RedisScript(
        functions + """
            local refusal = checkFence(1, ARGV[1])
            if refusal then return refusal end
            local rows = #KEYS - 1
            local shared = #ARGV == rows + 2 and ARGV[rows + 2]
            local written = 0
            -- Whether the last key was there: the next one is then, too, most of the time.
            local isExpected = true
            for row = 1, rows do
              local key, value, expiry = KEYS[row + 1], ARGV[row + 1], shared or ARGV[rows + row + 1]
              local stored
              if isExpected then
                stored = try('GET', key)
              elseif expiry == '' then
                stored = try('SET', key, value, 'NX', 'GET')
              else
                stored = try('SET', key, value, 'NX', 'GET', 'PXAT', expiry)
              end
              if not stored then
                if isExpected then set(key, value, expiry) end
                isExpected = false
                written = written + 1
              elseif type(stored) == 'table' then
                return failure(stored, row + 1)
              else
                isExpected = true
                if not isKnown(stored) then return redis.error_reply('\(Refusal.format) ' .. row + 1) end
                local difference = stored == value and 0 or compareOrders(value, stored)
                if difference > 0 then
                  set(key, value, expiry)
                  written = written + 1
                elseif difference == 0 then
                  if expiry == '' then call('PERSIST', key) else call('PEXPIREAT', key, expiry) end
                end
              end
            end
            return written
            """)

    /// Takes withdrawn rows back.
    ///
    /// KEYS: fence, entity keys. ARGV: fence; for each entity key the withdrawn orders one after another (28 bytes
    /// each) and the row that counts now (empty for none); the expiries as in `publish`. Answers how many values were
    /// written or deleted.
    static let withdraw = RedisScript(
        functions + """
            local refusal = checkFence(1, ARGV[1])
            if refusal then return refusal end
            local rows = #KEYS - 1
            local shared = #ARGV == 2 * rows + 2 and ARGV[2 * rows + 2]
            local changed = 0
            for row = 1, rows do
              local key, orders, value = KEYS[row + 1], ARGV[2 * row], ARGV[2 * row + 1]
              local expiry = shared or ARGV[2 * rows + row + 1]
              -- The longest header.
              local stored = try('GETRANGE', key, 0, 29)
              if type(stored) == 'table' then return failure(stored, row + 1) end
              if stored ~= '' and not isKnown(stored) then return redis.error_reply('\(Refusal.format) ' .. row + 1) end
              local withdrawn = false
              if stored ~= '' then
                local order = orderOf(stored)
                for offset = 1, #orders, 28 do
                  if string.sub(orders, offset, offset + 27) == order then withdrawn = true end
                end
              end
              if value == '' then
                if withdrawn then
                  call('DEL', key)
                  changed = changed + 1
                end
              elseif withdrawn or stored == '' or compareOrders(value, stored) > 0 then
                set(key, value, expiry)
                changed = changed + 1
              end
            end
            return changed
            """)

    /// Raises a fence, never lowers it. KEYS: fence. ARGV: fence. Fails when the stored one is higher.
    static let raiseFence = RedisScript(
        functions + """
            if call('EXISTS', KEYS[1]) == 1 then
              local refusal = checkFence(1, ARGV[1])
              if refusal then return refusal end
            end
            call('SET', KEYS[1], ARGV[1])
            return 1
            """)

    /// Writes the sentinel if nothing was emptied or fenced since. The minimum revision of one online incarnation is never
    /// lowered, by a publication that began before it was raised. KEYS: sentinel, fences. ARGV: sentinel, fences.
    static let complete = RedisScript(
        functions + """
            for index = 2, #KEYS do
              local refusal = checkFence(index, ARGV[index])
              if refusal then return refusal end
            end
            if isRaised(KEYS[1], ARGV[1]) then return 0 end
            call('SET', KEYS[1], ARGV[1])
            return 1
            """)

    /// Replaces the sentinel by one of the same online incarnation with a higher minimum revision. Where there is no such
    /// sentinel nothing can be read, and nothing is written. KEYS: sentinel. ARGV: sentinel.
    static let raiseRevision = RedisScript(
        functions + """
            local stored = call('GET', KEYS[1])
            if not stored or #stored < 17 or compare(ARGV[1], stored, 2) ~= 0 then return 0 end
            if isRaised(KEYS[1], ARGV[1]) then return 0 end
            call('SET', KEYS[1], ARGV[1])
            return 1
            """)
}
