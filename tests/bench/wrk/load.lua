-- One kind of request, told by the environment: BENCH_VERB, BENCH_BODY (a file) and BENCH_PATHS (a file, one path a line).
-- With one path wrk repeats one request that it has made beforehand; with more it goes through them in their order.

local file = assert(io.open(os.getenv("BENCH_PATHS")))
local paths = {}
for path in file:lines() do
    paths[#paths + 1] = path
end
file:close()

wrk.method = os.getenv("BENCH_VERB")
wrk.path = paths[1]
wrk.headers["X-OpenStack-Ironic-API-Version"] = "1.77"
if os.getenv("BENCH_BODY") then
    local body = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
    wrk.body = body:read("*a")
    body:close()
    wrk.headers["Content-Type"] = "application/json"
end

if #paths > 1 then
    local made = {}
    local next_one = 0

    function init()
        for at, path in ipairs(paths) do
            made[at] = wrk.format(nil, path)
        end
        -- The threads are spread over the list, so that they do not follow each other closely.
        next_one = first_one
    end

    local threads = 0

    function setup(thread)
        thread:set("first_one", threads * math.floor(#paths / 2 + 1) % #paths)
        threads = threads + 1
    end

    function request()
        next_one = next_one % #made + 1
        return made[next_one]
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('\nRESULT {"requests": %d, "us": %d, "p50_us": %d, "p99_us": %d, "refused": %d, "broken": %d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
