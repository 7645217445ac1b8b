-- Each request reports another member, once: its thread counts up from a place of its own.
local all = {}

function setup(thread)
  thread:set("first", #all)
  table.insert(all, thread)
end

function init(args)
  run, step, number = args[1], tonumber(args[2]), 0
  headers = { ["Content-Type"] = "application/json" }
end

function request()
  local body = string.format(
    '{"run":"%s","phase":"fan","member":"item-%d","outcome":"succeeded","rows":1}', run, first + number * step)
  number = number + 1
  return wrk.format("POST", "/v1/reports", headers, body)
end

-- Answers by status, summed over the threads.
function response(status)
  if status == 200 then stored = (stored or 0) + 1 else refused = (refused or 0) + 1 end
end

function done(summary, latency)
  local good, bad = 0, 0
  for _, thread in ipairs(all) do
    good = good + (thread:get("stored") or 0)
    bad = bad + (thread:get("refused") or 0)
  end
  local asked = summary.duration / 1000000
  io.write(string.format('{"stored": %d, "refused": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    good, bad, asked, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
