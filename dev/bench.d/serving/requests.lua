-- wrk's script: sends requests of a file, each thread drawing them at random from a seed of its own.
--
-- LARDER_BENCH_REQUESTS names the file: requests, each with its length before it (32 bits, little-endian).
-- LARDER_BENCH_SEED is the seed of the run.
local requests, threads = {}, 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

function init()
  math.randomseed(tonumber(os.getenv("LARDER_BENCH_SEED")) * 64 + number)
  local file = assert(io.open(os.getenv("LARDER_BENCH_REQUESTS"), "rb"))
  while true do
    local head = file:read(4)
    if not head then break end
    local a, b, c, d = head:byte(1, 4)
    requests[#requests + 1] = file:read(a + 256 * (b + 256 * (c + 256 * d)))
  end
  file:close()
end

function request()
  return requests[math.random(#requests)]
end

function done(summary, latency)
  local errors = summary.errors
  io.write("requests ", summary.requests, "\n")
  io.write("bytes ", summary.bytes, "\n")
  io.write("seconds ", summary.duration / 1e6, "\n")
  io.write("errors ", errors.connect + errors.read + errors.write + errors.timeout + errors.status, "\n")
  io.write("p50_microseconds ", latency:percentile(50), "\n")
  io.write("p99_microseconds ", latency:percentile(99), "\n")
end
