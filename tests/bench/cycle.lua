-- wrk asks for each path in turn. All requests are made ready at the start, so that the load generator stays cheap.
-- Arguments behind `--`: the number of paths, and how many requests go out in one write.

local ready = {}
local next_one = 0

function init(args)
  local paths, depth = tonumber(args[1]), tonumber(args[2])
  for first = 0, paths - 1 do
    local together = {}
    for offset = 0, depth - 1 do
      together[offset + 1] = wrk.format("GET", string.format("/items/%d", (first * depth + offset) % paths))
    end
    ready[first + 1] = table.concat(together)
  end
end

function request()
  next_one = next_one % #ready + 1
  return ready[next_one]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests": %d, "microseconds": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, "errors": ' ..
    '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
