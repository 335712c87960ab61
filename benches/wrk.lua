-- What wrk sends. By environment: BENCH_TOKEN, BENCH_BODY (a file), and BENCH_EACH, which says what is different in
-- each request: nothing (the fastest for wrk, which then sends the same bytes), "key" (its Idempotency-Key) or
-- "unique" (the text MARKER in the body).
local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

wrk.method = "POST"
wrk.body = read(os.getenv("BENCH_BODY"))
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-CM-PRODUCTTOKEN"] = os.getenv("BENCH_TOKEN")

local each, run = os.getenv("BENCH_EACH"), os.getenv("BENCH_RUN")
local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

if each ~= "" then
    local count, before, after = 0, nil, nil

    -- the request is formatted once; a marker of the same length takes the place of the first in each
    local function prepare()
        local mark = string.rep("M", 24)
        if each == "key" then wrk.headers["Idempotency-Key"] = mark end
        local whole = wrk.format(nil, nil, nil, each == "unique" and wrk.body:gsub("MARKER", mark) or nil)
        local from, to = whole:find(mark, 1, true)
        before, after = whole:sub(1, from - 1), whole:sub(to + 1)
    end

    request = function()
        if not before then prepare() end
        count = count + 1
        return before .. string.format("%10s-%02d-%010d", run, number, count) .. after
    end
end

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format(
        '{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d,"max_us":%d}',
        summary.requests, summary.duration / 1e6, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max
    ))
end
