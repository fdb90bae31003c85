-- wrk asks for PREFIX followed by a number: one after the other, or at random, where a million ready-made requests
-- would be too much to make at the start. Arguments behind `--`: the prefix, how many paths, their lowest number and
-- the distance between two, `cycle` or `random`, how many requests go out in one write, and the seed of `random`.

local ready = {}
local next_one = 0

local function make_ready(prefix, paths, lowest, stride, depth)
  for first = 0, paths - 1 do
    local together = {}
    for offset = 0, depth - 1 do
      local number = lowest + (first * depth + offset) % paths * stride
      together[offset + 1] = wrk.format("GET", string.format("%s%d", prefix, number))
    end
    ready[first + 1] = table.concat(together)
  end
end

local function ask_in_turn()
  next_one = next_one % #ready + 1
  return ready[next_one]
end

local function ask_at_random(prefix, paths, lowest, stride, seed)
  local before, after = wrk.format("GET", prefix .. "@"):match("^(.-)@(.*)$")
  local random, format = math.random, string.format
  math.randomseed(seed)
  return function()
    return before .. format("%d", lowest + random(0, paths - 1) * stride) .. after
  end
end

function init(args)
  local prefix, paths, lowest, stride = args[1], tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local order, depth = args[5], tonumber(args[6])
  if order == "random" then
    request = ask_at_random(prefix, paths, lowest, stride, tonumber(args[7]))
  else
    make_ready(prefix, paths, lowest, stride, depth)
    request = ask_in_turn
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests": %d, "microseconds": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, "errors": ' ..
    '{"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
