internal import RedisClient

/// The scripts that make compare and write one step.
///
/// A stored order and a fence are compared as unsigned 32-bit words: those are exact in Lua's doubles, which 64-bit
/// numbers are not, while `<` on Lua strings follows the server's locale.
enum OnlineScripts {
    /// Error words the scripts answer with.
    enum Refusal {
        /// A later publisher has raised the fence.
        static let fenced = "FENCED"
        /// The fence is gone: the server was emptied after this publisher wrote it.
        static let emptied = "EMPTIED"
        /// A stored value has a format this program does not know and must not replace.
        static let format = "FORMAT"
    }

    private static let functions = """
        local function compare(left, right, first, words)
          for offset = first, first + 4 * (words - 1), 4 do
            local a = struct.unpack('>I4', left, offset)
            local b = struct.unpack('>I4', right, offset)
            if a ~= b then return a < b and -1 or 1 end
          end
          return 0
        end

        local function checkFence(key, fence)
          local stored = redis.call('GET', key)
          if not stored then return redis.error_reply('\(Refusal.emptied) the fence is gone') end
          if string.byte(stored, 1) ~= 1 or #stored ~= 9 then
            return redis.error_reply('\(Refusal.format) of the fence')
          end
          if compare(fence, stored, 2, 2) < 0 then return redis.error_reply('\(Refusal.fenced) by a later publisher') end
          return nil
        end

        local function isKnown(header)
          return header == '' or (string.byte(header, 1) == 1 and #header == 30)
        end

        local function isRaised(key, sentinel)
          local stored = redis.call('GET', key)
          if not stored or #stored < 17 then return false end
          return compare(sentinel, stored, 2, 2) == 0 and compare(sentinel, stored, 10, 2) < 0
        end

        local function set(key, value, expiry)
          if expiry == '' then redis.call('SET', key, value) else redis.call('SET', key, value, 'PXAT', expiry) end
        end

        """

    /// Replaces values by newer ones.
    ///
    /// KEYS: fence, entity keys. ARGV: fence; for each entity key its value and the time it expires at in milliseconds,
    /// empty for never. Answers how many values were written.
    static let publish = RedisScript(
        functions + """
            local refusal = checkFence(KEYS[1], ARGV[1])
            if refusal then return refusal end
            local written = 0
            for index = 2, #KEYS do
              local key, value, expiry = KEYS[index], ARGV[2 * index - 2], ARGV[2 * index - 1]
              local stored = redis.call('GETRANGE', key, 0, 29)
              if not isKnown(stored) then return redis.error_reply('\(Refusal.format) of a value') end
              local difference = stored == '' and 1 or compare(value, stored, 3, 7)
              if difference > 0 then
                set(key, value, expiry)
                written = written + 1
              elseif difference == 0 then
                if expiry == '' then redis.call('PERSIST', key) else redis.call('PEXPIREAT', key, expiry) end
              end
            end
            return written
            """)

    /// Takes withdrawn rows back.
    ///
    /// KEYS: fence, entity keys. ARGV: fence; for each entity key the withdrawn orders one after another (28 bytes
    /// each), the row that counts now (empty for none) and its expiry. Answers how many values were written or deleted.
    static let withdraw = RedisScript(
        functions + """
            local refusal = checkFence(KEYS[1], ARGV[1])
            if refusal then return refusal end
            local changed = 0
            for index = 2, #KEYS do
              local key, orders = KEYS[index], ARGV[3 * index - 4]
              local value, expiry = ARGV[3 * index - 3], ARGV[3 * index - 2]
              local stored = redis.call('GETRANGE', key, 0, 29)
              if not isKnown(stored) then return redis.error_reply('\(Refusal.format) of a value') end
              local withdrawn = false
              if stored ~= '' then
                local order = string.sub(stored, 3, 30)
                for offset = 1, #orders, 28 do
                  if string.sub(orders, offset, offset + 27) == order then withdrawn = true end
                end
              end
              if value == '' then
                if withdrawn then
                  redis.call('DEL', key)
                  changed = changed + 1
                end
              elseif withdrawn or stored == '' or compare(value, stored, 3, 7) > 0 then
                set(key, value, expiry)
                changed = changed + 1
              end
            end
            return changed
            """)

    /// Raises a fence, never lowers it. KEYS: fence. ARGV: fence. Fails when the stored one is higher.
    static let raiseFence = RedisScript(
        functions + """
            if redis.call('EXISTS', KEYS[1]) == 1 then
              local refusal = checkFence(KEYS[1], ARGV[1])
              if refusal then return refusal end
            end
            redis.call('SET', KEYS[1], ARGV[1])
            return 1
            """)

    /// Writes the sentinel if nothing was emptied or fenced since. The minimum revision of one online incarnation is never
    /// lowered, by a publication that began before it was raised. KEYS: sentinel, fences. ARGV: sentinel, fences.
    static let complete = RedisScript(
        functions + """
            for index = 2, #KEYS do
              local refusal = checkFence(KEYS[index], ARGV[index])
              if refusal then return refusal end
            end
            if isRaised(KEYS[1], ARGV[1]) then return 0 end
            redis.call('SET', KEYS[1], ARGV[1])
            return 1
            """)

    /// Replaces the sentinel by one of the same online incarnation with a higher minimum revision. Where there is no such
    /// sentinel nothing can be read, and nothing is written. KEYS: sentinel. ARGV: sentinel.
    static let raiseRevision = RedisScript(
        functions + """
            local stored = redis.call('GET', KEYS[1])
            if not stored or #stored < 17 or compare(ARGV[1], stored, 2, 2) ~= 0 then return 0 end
            if isRaised(KEYS[1], ARGV[1]) then return 0 end
            redis.call('SET', KEYS[1], ARGV[1])
            return 1
            """)
}
